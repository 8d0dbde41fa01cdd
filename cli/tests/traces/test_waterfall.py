"""A waterfall shows every span once, in a place that makes sense, whatever arrived."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.tests.traces.support import TRACE, span
from titanium.traces import Row, Span, Trace, times_by_service, waterfall

pytestmark = pytest.mark.unit


def rows(*spans: Span) -> list[Row]:
    ordered = sorted(spans, key=lambda one: (one.start_ns, -one.end_ns))
    return waterfall(Trace(TRACE, tuple(ordered)))


def shape(found: list[Row]) -> list[tuple[int, int]]:
    return [(int(row.span.span_id, 16), row.depth) for row in found]


def test_children_come_below_their_parents_by_time() -> None:
    found = rows(
        span(1, 0, 0, 100, "gateway"),
        span(3, 1, 60, 90, "blog"),
        span(2, 1, 10, 50, "blog"),
        span(4, 2, 20, 30, "user"),
    )
    assert shape(found) == [(1, 0), (2, 1), (4, 2), (3, 1)]
    assert [(row.offset_ms, row.duration_ms) for row in found] == [
        *((0, 100), (10, 40), (20, 10), (60, 30))
    ]
    assert [row.self_ms for row in found] == [30, 30, 10, 30]
    assert [row.children for row in found] == [2, 1, 0, 0]


def test_the_critical_path_is_what_the_answer_waited_for() -> None:
    found = rows(
        span(1, 0, 0, 100, "gateway"),
        span(2, 1, 10, 95, "blog"),
        span(3, 2, 20, 90, "user"),
        span(4, 2, 20, 40, "redis"),  # at the same time as 3, and sooner done
    )
    assert {int(row.span.span_id, 16): row.critical_ms for row in found} == {
        1: 15,
        2: 15,
        3: 70,
        4: 0,
    }
    assert [row.critical for row in found] == [True, True, True, False]
    assert times_by_service(found) == {"user": 70, "gateway": 15, "blog": 15, "redis": 0}


def test_spans_without_their_caller_are_shown_and_marked() -> None:
    found = rows(span(2, 99, 10, 20), span(3, 2, 12, 15), span(1, 0, 0, 50))
    assert shape(found) == [(1, 0), (2, 0), (3, 1)]
    assert [row.orphan for row in found] == [False, True, False]


def test_the_first_span_of_a_trace_that_began_outside_is_no_orphan() -> None:
    found = rows(span(2, 99, 0, 9), span(3, 2, 1, 2), span(4, 98, 5, 6))
    assert shape(found) == [(2, 0), (3, 1), (4, 0)]
    assert [row.orphan for row in found] == [False, False, True]


def test_cycles_are_cut() -> None:
    found = rows(span(1, 3), span(2, 1), span(3, 2), span(4, 4))
    assert sorted(number for number, _ in shape(found)) == [1, 2, 3, 4]
    assert any(row.orphan for row in found)


def test_a_clock_that_is_wrong_is_corrected_and_said() -> None:
    found = rows(
        span(1, 0, 0, 100, "gateway"),
        span(2, 1, -500, -440, "blog"),
        span(3, 2, -490, -480, "blog"),
    )
    assert shape(found) == [(1, 0), (2, 1), (3, 2)]
    assert [row.offset_ms for row in found] == [0, 20, 30]
    assert [row.shift_ms for row in found] == [0, 520, 520]


def test_work_that_goes_on_after_the_answer_is_not_moved() -> None:
    found = rows(span(1, 0, 0, 10, "gateway"), span(2, 1, 5, 50, "blog"))
    assert [row.shift_ms for row in found] == [0, 0]
    assert found[0].critical_ms == 5


def test_errors_are_marked() -> None:
    spans = [
        span(1, status="error"),
        span(2, http__status_code="503"),
        span(3, http__response__status_code=500),
        span(4, http__status_code="404"),
        span(5, http__status_code="none"),
        span(6, http__status_code=float("inf")),
    ]
    assert [row.error for row in rows(*spans)] == [True, True, True, False, False, False]


def test_a_long_chain_is_no_problem() -> None:
    found = rows(*(span(n, n - 1, n / 10, 1000 - n / 10) for n in range(1, 2001)))
    assert found[-1].depth == 1999


@given(
    st.lists(
        st.tuples(
            st.integers(0, 8),
            st.integers(-50, 50),
            st.integers(0, 60),
            st.sampled_from(["gateway", "blog", "user"]),
        ),
        max_size=8,
    )
)
def test_any_spans_make_a_waterfall(drawn: list[tuple[int, int, int, str]]) -> None:
    spans = [
        span(number + 1, parent, start, start + length, service)
        for number, (parent, start, length, service) in enumerate(drawn)
    ]
    found = rows(*spans)
    assert sorted(row.span.span_id for row in found) == [one.span_id for one in spans]
    assert all(row.offset_ms >= 0 and row.self_ms >= 0 and row.critical_ms >= 0 for row in found)
    if found:
        longest = max(row.duration_ms for row in found if row.depth == 0)
        assert sum(row.critical_ms for row in found) == pytest.approx(longest)
