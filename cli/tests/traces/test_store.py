"""The store keeps the newest traces within its bounds and finds them again."""

from __future__ import annotations

import threading
import tracemalloc

import pytest

from cli.tests.traces.support import START, TRACE, span
from titanium.traces import TraceStore
from titanium.traces.store import MOST_SPANS

pytestmark = pytest.mark.unit


def key(number: int) -> str:
    return f"{number:032x}"


def test_spans_of_one_trace_come_together_in_any_order() -> None:
    traces = TraceStore()
    traces.add([span(2, 1, 1, 3, service="user")])
    traces.add([span(1, 0, 0, 4, service="gateway")])
    trace = traces.get(TRACE)
    assert trace is not None
    assert [one.span_id[-1] for one in trace.spans] == ["1", "2"]
    (summary,) = traces.list()
    assert (summary.name, summary.service, summary.spans) == ("span 1", "gateway", 2)
    assert (summary.services, summary.duration_ms) == (("gateway", "user"), 4.0)
    assert summary.start == START / 1e9
    assert traces.get(key(9)) is None
    assert traces.services() == {"gateway", "user"}


def test_a_span_that_is_sent_twice_counts_once() -> None:
    traces = TraceStore()
    traces.add([span(1)])
    size = traces.size
    traces.add([span(1, end=5)])
    assert traces.size == size
    assert traces.list()[0].duration_ms == 5


def test_lists_are_filtered_newest_first_and_bounded() -> None:
    traces = TraceStore()
    for number in range(1, 6):
        service = "blog" if number % 2 else "auth"
        status = "error" if number == 3 else "unset"
        traces.add(
            [span(1, 0, number * 10, number * 11, service, status, key(number))]  # type: ignore[arg-type]
        )
    traces.add([span(1, 0, 0, 1, "user", trace=key(6), http__status_code="503")])

    def found(**filters: object) -> list[int]:
        return [int(one.trace_id, 16) for one in traces.list(**filters)]  # type: ignore[arg-type]

    assert found() == [5, 4, 3, 2, 1, 6]
    assert found(limit=2) == [5, 4]
    assert found(service="auth") == [4, 2]
    assert found(min_ms=4) == [5, 4]
    assert found(error_only=True) == [3, 6]


def test_the_trace_that_was_quiet_longest_goes_first() -> None:
    traces = TraceStore(max_traces=3)
    traces.add([span(1, trace=key(1))])
    traces.add([span(1, trace=key(2))])
    traces.add([span(2, trace=key(1))])  # the first one goes on
    traces.add([span(1, trace=key(3)), span(1, trace=key(4))])
    assert traces.get(key(2)) is None
    assert all(traces.get(key(number)) for number in (1, 3, 4))


def test_memory_is_bounded_by_bytes() -> None:
    traces = TraceStore(max_traces=10_000, max_bytes=2 * 1024 * 1024)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(3000):
        text = f"{number}" * 500
        traces.add([span(n, trace=key(number), text=text + str(n)) for n in range(1, 4)])
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert traces.size <= 2 * 1024 * 1024
    assert after - before < 4 * 1024 * 1024
    assert traces.get(key(2999)) is not None


def test_one_trace_without_end_is_cut_and_says_so() -> None:
    traces = TraceStore()
    traces.add([span(n) for n in range(1, MOST_SPANS + 11)])
    trace = traces.get(TRACE)
    assert trace is not None
    assert (len(trace.spans), trace.dropped) == (MOST_SPANS, 10)
    small = TraceStore(max_bytes=10_000)
    small.add([span(1, text="x" * 9000)])
    assert small.list() == []


def test_threads_may_add_and_read_at_the_same_time() -> None:
    traces = TraceStore(max_traces=20)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for number in range(200):
                traces.add([span(1, trace=key(seed * 1000 + number + 1))])
                traces.list()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(traces.list()) == 20
