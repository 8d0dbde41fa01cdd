"""Sessions and tokens at the gateway, as a stranger would attack them."""

from __future__ import annotations

import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.support import Person, Platform

pytestmark = pytest.mark.e2e


def refresh(platform: Platform, token: str) -> httpx2.Response:
    return httpx2.post(
        f"{platform.url}/api/auth/refresh",
        json={"refresh_token": token},
        timeout=30,
        trust_env=False,
    )


def test_bar_47_reuse_of_a_refresh_token_ends_the_session(
    platform: Platform, person: Person
) -> None:
    """A token that was exchanged is presented again: refused, and its successor dies too."""
    first = refresh(platform, person.refresh_token)
    assert first.status_code == 200
    successor = first.cookies["titanium_refresh"]
    assert refresh(platform, person.refresh_token).status_code == 401
    assert refresh(platform, successor).status_code == 401
    time.sleep(1)
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert platform.client.get("/api/users/me", headers=bearer).status_code == 401


def test_bar_47_fifty_concurrent_refreshes_leave_one_live_successor(
    platform: Platform, person: Person
) -> None:
    """50 refreshes at once: one successor, and it is alive."""
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: refresh(platform, person.refresh_token), range(50)))
    assert {answer.status_code for answer in answers} <= {200, 401, 409}
    successors = {
        answer.cookies["titanium_refresh"] for answer in answers if answer.status_code == 200
    }
    assert len(successors) == 1
    assert refresh(platform, successors.pop()).status_code == 200


def test_bar_43_eleventh_guess_is_refused_and_neighbours_are_not(platform: Platform) -> None:
    """10 failed logins for an account, then 429 even with the right password; others log in."""
    victim, neighbour = platform.register("victim"), platform.register("neighbour")

    def guess(password: str) -> httpx2.Response:
        body = {"username": victim.username, "password": password}
        return platform.client.post("/api/login", json=body)

    with ThreadPoolExecutor(5) as threads:
        statuses = [a.status_code for a in threads.map(lambda n: guess(f"wrong {n}"), range(14))]
    assert statuses.count(401) == 10
    assert statuses.count(429) == 4
    locked = guess(victim.password)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= 900
    platform.login(neighbour)


@pytest.mark.alone
def test_bar_44_unknown_user_and_wrong_password_look_alike(platform: Platform) -> None:
    """Same status, same body, and medians of the answers' times within a few milliseconds."""
    people = [platform.register("timing") for _ in range(4)]

    def attempt(name: str) -> tuple[float, httpx2.Response]:
        began = time.perf_counter()
        body = {"username": name, "password": "certainly not this one"}
        answer = platform.client.post("/api/login", json=body)
        return time.perf_counter() - began, answer

    known, unknown = [], []
    for turn in range(24):
        known.append(attempt(people[turn % 4].username))
        unknown.append(attempt(f"ghost-{secrets.token_hex(5)}"))
    shapes = {
        (answer.status_code, answer.json()["detail"], frozenset(answer.json()))
        for _, answer in known + unknown
    }
    assert len(shapes) == 1
    gap = statistics.median(t for t, _ in known) - statistics.median(t for t, _ in unknown)
    assert abs(gap) < 0.005


def test_bar_49_every_route_with_a_token_refuses_anonymous_callers(platform: Platform) -> None:
    """Each operation of the document that needs a bearer token answers 401 without one."""
    document = platform.client.get("/api/openapi.json").json()
    protected = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not operation.get("security"):
                continue
            protected += 1
            url = path.replace("{post_id}", "1").replace("{username}", "somebody")
            answer = platform.client.request(method.upper(), url, json={})
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert protected >= 7


def test_bar_50_mass_assignment_writes_nothing(platform: Platform, person: Person) -> None:
    """Members such as role, id or author_id in a request change nothing."""
    extra = {"id": 1, "role": "admin", "author_id": 1, "author": "root", "password_hash": "x"}
    post = platform.client.post(
        "/api/posts", json={"title": "mine", "content": "x", **extra}, headers=person.bearer
    ).json()
    assert post["author"] == person.username
    me = platform.client.get("/api/users/me", headers=person.bearer).json()
    patched = platform.client.patch(
        "/api/users/me", json={"bio": "b", "username": "root", **extra}, headers=person.bearer
    ).json()
    assert patched["id"] == me["id"]
    assert patched["username"] == person.username
    assert "password" not in str(patched)
    platform.login(person)
