"""The steps of a round, their order, and the requests that they send."""

from __future__ import annotations

import pytest

from cli.tests.bench.support import load
from titanium.bench.content import Content, Person, Requests, new_post, words_of
from titanium.bench.mixed import RATE, SHARES, schedule
from titanium.bench.model import LIMIT, Round
from titanium.bench.run import Wish
from titanium.bench.steps import NAMES, STEPS, Step, chosen, sequence, with_ceilings
from titanium.commands import bench

pytestmark = pytest.mark.unit

CONTENT = Content(
    people=(Person("kim", "secret one", "t0"), Person("lee", "secret two", "t1")),
    first=11,
    last=20,
    words=("river", "기차"),
    own=((11, 0), (12, 1)),
)


def names(steps: list[Step]) -> list[str]:
    return [step.name for step in steps]


def test_the_command_offers_exactly_the_steps_that_there_are() -> None:
    assert bench.STEPS == NAMES


def test_a_chosen_step_brings_the_limit_with_it() -> None:
    assert [step.name for step in chosen(("create",))] == [LIMIT, "create"]
    assert chosen(("mixed",)) == chosen(("mixed", "observability")) == ()
    assert chosen(()) == STEPS


def test_the_limit_is_measured_before_in_between_and_after() -> None:
    assert names(sequence(chosen(()))) == [
        *(LIMIT, "cached-post", "cached-list"),
        *(LIMIT, "uncached-post", "search"),
        *(LIMIT, "create", "login"),
        LIMIT,
    ]
    assert names(sequence(chosen(("create",)))) == [LIMIT, "create", LIMIT]
    assert sequence(()) == []


def test_a_step_is_compared_with_the_limits_next_to_it() -> None:
    steps = {step.name: step for step in STEPS}
    order = [LIMIT, "cached-post", "cached-list", LIMIT, "search", LIMIT]
    rates = [100.0, 50.0, 40.0, 300.0, 5.0, 500.0]
    measured = [(steps[name], Round(load(rate))) for name, rate in zip(order, rates, strict=True)]
    found = [(name, one.ceilings[LIMIT]) for name, one in with_ceilings(measured)]
    assert found == list(zip(order, [100, 200, 200, 300, 400, 500], strict=True))


def test_progress_counts_every_piece_of_work() -> None:
    assert Wish(rounds=2, only=("mixed",)).works == 5
    assert Wish(rounds=2, only=("create",)).works == 3 + 2 * 3
    assert Wish(rounds=2, only=("observability",)).works == 3 + 4
    assert Wish(rounds=1, million=True).works == 3 + 10 + 1 + 4 + 2


def test_uncached_requests_never_repeat() -> None:
    """Not even between rounds: a query that is asked twice could be answered from a cache."""
    found = [
        request
        for seed in (1, 2)
        for request in (
            *Requests(CONTENT, seed).uncached_post(500),
            *Requests(CONTENT, seed).search(500),
        )
    ]
    assert len(set(found)) == len(found)


def test_reads_stay_within_the_posts_that_exist() -> None:
    for request in Requests(CONTENT, 1).uncached_post(200):
        number = int(request.split(b"/api/posts/")[1].split(b"?")[0])
        assert CONTENT.first <= number <= CONTENT.last


def test_cached_requests_are_one_and_the_same() -> None:
    requests = Requests(CONTENT, 1)
    assert len(requests.cached_post()) == len(requests.cached_list()) == 1


def test_search_words_are_escaped() -> None:
    for request in Requests(CONTENT, 1).search(50):
        assert request.split(b"\r\n")[0].isascii()
        assert b" " not in request.split(b"?q=")[1].split(b" HTTP")[0]


def test_writes_carry_their_authors_token_and_length() -> None:
    for request in Requests(CONTENT, 1).create(20):
        head, _, body = request.partition(b"\r\n\r\n")
        assert b"Authorization: Bearer t0" in head or b"Authorization: Bearer t1" in head
        assert f"Content-Length: {len(body)}".encode() in head


def test_people_only_edit_what_is_theirs() -> None:
    for request in Requests(CONTENT, 1).mixed()["edit"]:
        post = request.split(b"/api/posts/")[1].split(b" ")[0]
        owner = dict(CONTENT.own)[int(post)]
        assert f"Bearer t{owner}".encode() in request


def test_mixed_traffic_has_its_shares_in_every_hundred() -> None:
    assert sum(SHARES.values()) == 100
    assert SHARES["list"] + SHARES["search"] == 15
    assert SHARES["create"] + SHARES["edit"] == 5
    ordered = schedule({kind: [kind.encode()] for kind in SHARES}, seconds=3)
    assert len(ordered) == 3 * RATE
    for start in range(0, len(ordered), 100):
        part = ordered[start : start + 100]
        assert {kind: part.count(kind.encode()) for kind in SHARES} == dict(SHARES)


def test_the_same_seed_gives_the_same_traffic() -> None:
    requests = {kind: [kind.encode()] for kind in SHARES}
    assert schedule(requests, 2, seed=7) == schedule(requests, 2, seed=7)
    assert schedule(requests, 2, seed=7) != schedule(requests, 2, seed=8)


def test_new_posts_are_about_700_bytes_in_two_scripts() -> None:
    content = new_post(3)["content"]
    assert 600 <= len(content.encode()) <= 800
    assert any("가" <= letter <= "힣" for letter in content)


def test_words_are_taken_once_in_their_order() -> None:
    assert words_of(["The river, the RIVER!", "x 기차 42"]) == ("the", "river", "기차")


def test_a_person_does_not_show_secrets() -> None:
    assert "secret" not in repr(CONTENT.people[0])
    assert "t0" not in repr(CONTENT.people[0])
