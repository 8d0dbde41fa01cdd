"""Retries, ejection and instances that come and go."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from titanium.layout import GATEWAY

from .conftest import unlimited
from .harness import Answer, Mesh, wait_until

pytestmark = pytest.mark.e2e

EJECTION_SECONDS = 3


@pytest.fixture(scope="module")
def two_blogs() -> Iterator[Mesh]:
    policy = unlimited()
    outlier = policy.outlier.model_copy(
        update={"ejection_seconds": EJECTION_SECONDS, "interval_ms": 200}
    )
    with Mesh(policy.model_copy(update={"outlier": outlier}), replicas={"blog": 2}) as running:
        yield running


@pytest.fixture
def pair(two_blogs: Mesh) -> Mesh:
    """Two blog instances, both healthy and both in use."""
    two_blogs.clear()
    ejected = "cluster.blog.outlier_detection.ejections_active"
    wait_until(lambda: two_blogs.counter(GATEWAY, ejected) == 0, "ejections to end")
    two_blogs.clear()
    return two_blogs


def burst(threads: int, each: int, send: Callable[[], int]) -> Counter[int]:
    """`threads * each` requests, `threads` at once; how often each status came back."""
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def work() -> None:
        for _ in range(each):
            status = send()
            with lock:
                statuses[status] += 1

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return statuses


FAILING = {
    "answers 503": Answer(status=503),
    "answers 500": Answer(status=500),
    "hangs up": Answer(hang_up=True),
}


@pytest.mark.parametrize("answer", FAILING.values(), ids=FAILING.keys())
@pytest.mark.parametrize("threads", [1, 20])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bar_25_a_failing_app_gets_at_most_a_fifth_more_requests_than_clients_sent(
    mesh: Mesh, answer: Answer, threads: int, method: str
) -> None:
    for app in mesh.apps.values():
        app.answer = lambda _: answer
    headers = {"Idempotency-Key": "k"} if method == "POST" else {}
    sent = sum(
        burst(threads, 15, lambda: mesh.request(method, "/api/posts", headers).status).values()
    )
    assert len(mesh.all_seen()) <= 1.2 * sent


def test_bar_25_retries_to_an_unreachable_app_stay_within_the_budget_under_load(
    pair: Mesh,
) -> None:
    """Counted where retries arrive: at the sidecars."""
    for app in pair.apps.values():
        if "blog" in app.path.parent.name:
            app.stop()
    try:
        burst(30, 5, lambda: pair.request("GET", "/api/posts").status)
        before = arrived(pair)
        statuses = burst(30, 30, lambda: pair.request("GET", "/api/posts").status)
        assert set(statuses) == {503}
        assert arrived(pair) - before <= 1.2 * statuses.total()
    finally:
        for app in pair.apps.values():
            if "blog" in app.path.parent.name:
                app.start()


def arrived(mesh: Mesh) -> int:
    name = "http.inbound.downstream_rq_total"
    return sum(mesh.counter(instance, name) for instance in ("blog-0", "blog-1"))


@pytest.mark.parametrize("answer", FAILING.values(), ids=FAILING.keys())
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_bar_26_writing_without_an_idempotency_key_is_never_sent_twice(
    mesh: Mesh, answer: Answer, method: str
) -> None:
    for app in mesh.apps.values():
        app.answer = lambda _: answer
    path = "/api/posts" if method == "POST" else "/api/posts/1"
    for _ in range(10):
        assert mesh.request(method, path, body=b"{}").status >= 500
    assert len(mesh.all_seen()) == 10


def test_bar_26_not_even_when_the_app_is_away(pair: Mesh) -> None:
    """One of two apps is down; what was sent to it fails, and is not sent to the other."""
    pair.apps["blog-0"].stop()
    try:
        before = pair.counter(GATEWAY, "cluster.blog.upstream_rq_retry")
        statuses = burst(1, 8, lambda: pair.request("POST", "/api/posts", body=b"{}").status)
        assert pair.counter(GATEWAY, "cluster.blog.upstream_rq_retry") == before
        assert len(pair.apps["blog-1"].seen) == statuses[200]
    finally:
        pair.apps["blog-0"].start()


@pytest.mark.parametrize(
    ("method", "headers"), [("GET", {}), ("HEAD", {}), ("POST", {"Idempotency-Key": "k"})]
)
def test_repeatable_requests_reach_the_other_instance_when_one_app_is_away(
    pair: Mesh, method: str, headers: dict[str, str]
) -> None:
    pair.apps["blog-0"].stop()
    try:
        statuses = burst(1, 20, lambda: pair.request(method, "/api/posts", headers).status)
        assert statuses == {200: 20}
        assert len(pair.apps["blog-1"].seen) == 20
    finally:
        pair.apps["blog-0"].start()


def test_bar_24_an_instance_that_answers_5xx_is_left_out_and_comes_back(pair: Mesh) -> None:
    pair.apps["blog-0"].answer = lambda _: Answer(status=500)
    first = burst(1, 40, lambda: pair.request("GET", "/api/posts").status)
    assert first[500] == 5
    start = time.monotonic()
    assert burst(1, 10, lambda: pair.request("GET", "/api/posts").status) == {200: 10}
    pair.clear()
    wait_until(
        lambda: pair.request("GET", "/api/posts").status == 200 and bool(pair.apps["blog-0"].seen),
        "the instance to be back",
        EJECTION_SECONDS + 3,
    )
    assert time.monotonic() - start > EJECTION_SECONDS - 1


def test_bar_24_the_only_instance_is_never_left_out(mesh: Mesh) -> None:
    """Some answers are better than none: with one instance its own errors are shown."""
    mesh.apps["user-0"].answer = lambda _: Answer(status=500, body=b"own error")
    replies = [mesh.request("GET", "/api/users/x") for _ in range(20)]
    assert {reply.body for reply in replies} == {b"own error"}


def idle(mesh: Mesh, instance: str) -> bool:
    return mesh.counter(instance, "http.inbound.downstream_rq_active") == 0


def test_bar_19_instances_are_replaced_under_load_without_a_failure(pair: Mesh) -> None:
    """Out of the endpoints, idle, stopped, started, back: as a rolling restart does it."""
    done = threading.Event()
    statuses: Counter[int] = Counter()

    def load() -> None:
        while not done.is_set():
            method = "POST" if statuses.total() % 5 == 0 else "GET"
            statuses[pair.request(method, "/api/posts", body=b"{}").status] += 1

    workers = [threading.Thread(target=load) for _ in range(4)]
    for worker in workers:
        worker.start()
    for replica in (0, 1):
        pair.publish("blog", [1 - replica])
        time.sleep(0.5)
        name = f"blog-{replica}"
        wait_until(partial(idle, pair, name), "requests to end")
        pair.apps[name].stop()
        pair.apps[name].start()
        pair.publish("blog", [0, 1])
        time.sleep(0.3)
    done.set()
    for worker in workers:
        worker.join()
    assert set(statuses) == {200}
    assert statuses.total() > 100


def test_a_slow_app_is_given_up_on(mesh: Mesh) -> None:
    """A call between services ends after its time-out with a problem, not with silence."""
    mesh.apps["user-0"].answer = lambda _: Answer(delay=8)
    start = time.monotonic()
    host = "user.titanium.internal"
    reply = mesh.egress("auth-0", host, "POST", "/internal/credentials/verify")
    assert reply.status == 504
    assert reply.json["title"] == "Gateway Timeout"
    assert 4 < time.monotonic() - start < 7


def test_bar_27_more_than_an_app_can_take_is_answered_at_once(mesh: Mesh) -> None:
    """Beyond the breaker's bounds the answer is 503 with Retry-After, not a queue."""
    mesh.apps["blog-0"].answer = lambda _: Answer(delay=1.5)
    breakers = mesh.policy.breakers
    most = breakers.app_connections + breakers.app_pending
    replies: list[tuple[int, float]] = []
    lock = threading.Lock()

    def send() -> None:
        start = time.monotonic()
        reply = mesh.request("POST", "/api/posts", body=b"{}", timeout=30)
        with lock:
            replies.append((reply.status, time.monotonic() - start))
        if reply.status == 503:
            assert reply.headers["retry-after"] == "1"
            assert "limit" in reply.json["detail"]

    threads = [threading.Thread(target=send) for _ in range(most + 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [elapsed for status, elapsed in replies if status == 503]
    assert {status for status, _ in replies} == {200, 503}
    assert 40 <= len(refused) <= 70
