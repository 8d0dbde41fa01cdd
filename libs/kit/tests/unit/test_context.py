"""Request ids and trace headers: what is taken over and what is passed on."""

from __future__ import annotations

import uuid

import pytest

from titanium_kit.context import NO_REQUEST, RequestContext

pytestmark = pytest.mark.unit

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_valid_identifiers_are_taken_over_and_passed_on() -> None:
    context = RequestContext.of("abc-1", TRACE, "vendor=1")
    assert context.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert context.headers() == {
        "x-request-id": "abc-1",
        "traceparent": TRACE,
        "tracestate": "vendor=1",
    }


@pytest.mark.parametrize("wrong", ["", "é", "a b", "x" * 129, "a\x7f", "\u200b"])
def test_a_request_id_that_cannot_be_a_header_is_replaced(wrong: str) -> None:
    assert uuid.UUID(RequestContext.of(wrong, "", "").request_id)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "00-xyz",
        TRACE.upper(),
        TRACE + "0",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "é" + TRACE[1:],
    ],
)
def test_a_wrong_traceparent_is_dropped_with_its_tracestate(wrong: str) -> None:
    assert RequestContext.of("r", wrong, "vendor=1").headers() == {"x-request-id": "r"}


def test_a_wrong_tracestate_is_dropped_alone() -> None:
    headers = RequestContext.of("r", TRACE, "vendor=é").headers()
    assert headers == {"x-request-id": "r", "traceparent": TRACE}


def test_outside_of_a_request_nothing_is_passed_on() -> None:
    assert NO_REQUEST.headers() == {}
    assert NO_REQUEST.trace_id == ""
