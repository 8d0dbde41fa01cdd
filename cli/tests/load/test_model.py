"""Durations, thresholds, and what the load process says to the one that watches."""

from __future__ import annotations

import pytest

from cli.tests.load.support import row, summary
from titanium.errors import UsageError
from titanium.load.model import (
    Checks,
    Order,
    Progress,
    Summary,
    Thresholds,
    decode,
    encode,
    judge,
    parse_duration,
)

pytestmark = pytest.mark.unit


def missed(found: Summary, thresholds: Thresholds | None = None) -> list[str]:
    return [one.title for one in judge(found, thresholds or Thresholds()) if not one.met]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("45", 45), ("2m", 120), ("1h30m", 5400), ("1h1m1s", 3661), ("24h", 86_400)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-5s", "5x", "s", "1.5s", "25h", "9" * 40, "٣s", "m"])
def test_a_wrong_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="expected a time from 1s to 24h") as caught:
        parse_duration(text)
    assert "--duration 30s" in caught.value.hint


def test_a_run_below_its_bounds_keeps_every_threshold() -> None:
    assert missed(summary()) == []


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (summary(row(p95=500)), "95th percentile"),
        (summary(row(failures=10)), "failed requests"),
        (summary(held=99, failed=1), "checks"),
    ],
)
def test_a_bound_that_is_reached_is_missed(found: Summary, title: str) -> None:
    assert missed(found) == [title]


def test_no_failure_at_all_keeps_even_a_bound_of_zero() -> None:
    assert missed(summary(), Thresholds(error_percent=0)) == []
    assert missed(summary(row(failures=1)), Thresholds(error_percent=0)) == ["failed requests"]


def test_a_run_without_answers_keeps_no_threshold() -> None:
    nothing = Summary(row(requests=0, p95=0), 1.0, 1)
    assert len(missed(nothing)) == len(judge(nothing, Thresholds())) == 3


def test_messages_survive_their_way_between_the_processes() -> None:
    for message in (summary(), Progress("running", 1.5, 3, 40, 1, 2, 17.0)):
        assert decode(encode(message)) == message
    order = Order("mixed", "http://127.0.0.1:1", 3, 90.0, 30.0, report="/r.html")
    assert Order.decode(order.encode()) == order


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"other":{}}', '{"summary":{}}', "a log line"])
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        decode(line)


def test_checks_are_counted_by_name() -> None:
    checks = Checks()
    for held in (True, True, False):
        checks.add("b", held=held)
    checks.add("a", held=False)
    assert [(one.name, one.passed, one.failed) for one in checks.result()] == [
        ("a", 0, 1),
        ("b", 2, 1),
    ]
    checks.clear()
    assert checks.result() == ()
