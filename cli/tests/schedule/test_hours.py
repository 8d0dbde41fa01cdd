"""When things are on: across midnight, month ends and clock changes, as AWS reads expressions."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from titanium.errors import ToolMissingError, UsageError
from titanium.main import cli
from titanium.schedule.cron import START, STOP, ZONE, parse
from titanium.schedule.hours import make_hours

pytestmark = pytest.mark.unit

SEOUL = ZoneInfo(ZONE)
OFFICE = make_hours(START, STOP, ZONE)


def at(text: str, zone: ZoneInfo = SEOUL) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def times(expression: str, after: str, count: int, zone: str = ZONE) -> list[str]:
    found = parse(expression).times(at(after, ZoneInfo(zone)), ZoneInfo(zone))
    return [one.strftime("%Y-%m-%dT%H:%M") for one in itertools.islice(found, count)]


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2027-01-25T08:59", False),  # Monday: the weekend ends at 09:00
        ("2027-01-25T09:00", True),
        ("2027-01-25T23:59", True),
        ("2027-01-26T00:00", True),  # across midnight it is still Monday's evening
        ("2027-01-26T01:59", True),
        ("2027-01-26T02:00", False),
        ("2027-01-26T08:59", False),
        ("2027-01-29T23:00", True),  # Friday night
        ("2027-01-30T01:59", True),
        ("2027-01-30T02:00", False),  # and then the weekend
        ("2027-01-31T12:00", False),
        ("2027-02-01T01:59", False),  # Monday before the first start: nobody worked on Sunday
        ("2026-12-31T23:59", True),
        ("2027-01-01T01:59", True),
    ],
)
def test_office_hours_are_weekdays_from_nine_to_two(moment: str, on: bool) -> None:
    """The evening of a day goes on after midnight, also over the end of a week, month or year."""
    switch = OFFICE.now(at(moment))
    assert switch is not None
    assert (switch.action == "start") is on


def test_a_week_has_85_hours() -> None:
    """50.6 % of 168, whenever the week begins."""
    for day in range(25, 32):
        assert OFFICE.hours_on(at(f"2027-01-{day}T05:30")) == 85
    assert OFFICE.hours_on(at("2027-01-27T13:37")) == 85


def test_switches_alternate_and_cross_a_month_and_a_leap_day() -> None:
    """February 2028 has 29 days; the 28th is a Monday."""
    found = itertools.islice(OFFICE.switches(at("2028-02-25T12:00")), 6)
    assert [(one.action, one.at.strftime("%m-%d %H:%M")) for one in found] == [
        ("stop", "02-26 02:00"),
        ("start", "02-28 09:00"),
        ("stop", "02-29 02:00"),
        ("start", "02-29 09:00"),
        ("stop", "03-01 02:00"),
        ("start", "03-01 09:00"),
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 18 L * ? *)", ["2027-01-31T18:00", "2027-02-28T18:00", "2027-03-31T18:00"]),
        ("cron(0 18 31 * ? *)", ["2027-01-31T18:00", "2027-03-31T18:00", "2027-05-31T18:00"]),
        ("cron(0 18 LW * ? *)", ["2027-01-29T18:00", "2027-02-26T18:00", "2027-03-31T18:00"]),
        ("cron(0 8 1W * ? *)", ["2027-02-01T08:00", "2027-03-01T08:00", "2027-04-01T08:00"]),
        ("cron(0 8 ? * 2#1 *)", ["2027-02-01T08:00", "2027-03-01T08:00", "2027-04-05T08:00"]),
        ("cron(0 8 ? * 6L *)", ["2027-01-29T08:00", "2027-02-26T08:00", "2027-03-26T08:00"]),
        ("cron(0/30 8 ? * FRI-SUN *)", ["2027-01-22T08:00", "2027-01-22T08:30"]),
        ("cron(15 10 ? * SUN,3 2027)", ["2027-01-24T10:15", "2027-01-26T10:15"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 30 FEB ? *)", []),
        ("cron(0 0 1 1 ? 2020-2026)", []),
        ("cron(5 4-20/8 ? JAN,FEB MON *)", ["2027-01-25T04:05", "2027-01-25T12:05"]),
    ],
)
def test_expressions_are_read_as_aws_reads_them(expression: str, expected: list[str]) -> None:
    """Weekdays count from Sunday as 1; L, W and # are understood."""
    assert times(expression, "2027-01-20T20:00", max(1, len(expected))) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 9 ? * MON-FRI *", "it has six fields"),
        ("cron(0 9 * * MON-FRI)", "it has six fields"),
        ("rate(1 day)", "it has six fields"),
        ("cron(0 9 * * MON-FRI *)", "one of day-of-month and day-of-week must be ?"),
        ("cron(0 9 ? * ? *)", "one of day-of-month and day-of-week must be ?"),
        ("cron(60 9 ? * MON *)", "minute 60 is not in 0 to 59"),
        ("cron(0 24 ? * MON *)", "hour 24 is not in 0 to 23"),
        ("cron(0 9 ? * MONDAY *)", "day-of-week MONDAY is not in 1 to 7"),
        ("cron(0 9 ? * 0 *)", "day-of-week 0 is not in 1 to 7"),
        ("cron(0 9 ? 13 MON *)", "month 13 is not in 1 to 12"),
        ("cron(0 9 32 * ? *)", "day-of-month 32 is not in 1 to 31"),
        ("cron(0 9 ? * MON#6 *)", "day-of-week 6 is not in 1 to 5"),
        ("cron(0 20-9 ? * MON *)", "hour 20-9 goes backwards"),
        ("cron(0/0 9 ? * MON *)", "minute 0 is not in 1 to 59"),
        ("cron(0, 9 ? * MON *)", "minute (empty) is not in 0 to 59"),
    ],
)
def test_a_wrong_expression_names_its_field(expression: str, message: str) -> None:
    """Before anything is looked up in AWS."""
    with pytest.raises(UsageError, match=r".") as caught:
        parse(expression)
    assert message in caught.value.message


def test_a_time_that_clocks_skip_does_not_fire_and_one_that_they_repeat_fires_once() -> None:
    """As EventBridge does it. Seoul has no such nights; Berlin has two a year."""
    spring = times("cron(30 2 ? * * *)", "2027-03-27T12:00", 2, "Europe/Berlin")
    assert spring == ["2027-03-29T02:30", "2027-03-30T02:30"]
    autumn = times("cron(30 2 ? * * *)", "2027-10-30T12:00", 2, "Europe/Berlin")
    assert autumn == ["2027-10-31T02:30", "2027-11-01T02:30"]


def test_hours_are_those_that_pass_when_clocks_change() -> None:
    """From 22:00 to 06:00 are seven hours in the night of spring, nine in autumn's."""
    night = make_hours("cron(0 22 ? * SAT *)", "cron(0 6 ? * SUN *)", "Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    assert night.hours_on(at("2027-03-27T12:00", zone)) == 7
    assert night.hours_on(at("2027-10-30T12:00", zone)) == 9
    assert night.hours_on(at("2027-06-05T12:00", zone)) == 8


def test_next_says_what_holds_and_what_comes() -> None:
    """In the schedule's zone, whatever zone the question is in."""
    arguments = ["schedule", "next", "--at", "2027-01-29T15:30:00+00:00", "--count", "2"]
    shown = CliRunner().invoke(cli, arguments).output.splitlines()
    assert shown == [
        "now    Sat 2027-01-30 00:30 KST: on since Fri 2027-01-29 09:00 KST",
        "stop   Sat 2027-01-30 02:00 KST  (in 1 h 30 min)",
        "start  Mon 2027-02-01 09:00 KST  (in 2 d 8 h 30 min)",
    ]
    document = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).output)
    assert document["now"]["state"] == "on"
    assert document["hours_on_in_7_days"] == 85
    assert [one["action"] for one in document["switches"]] == ["stop", "start"]


def test_expressions_without_a_coming_day_are_said() -> None:
    """Nothing to come is an answer, not an endless search."""
    past = ["--start", "cron(0 9 ? * MON 2020)", "--stop", "cron(0 9 30 2 ? *)"]
    result = CliRunner().invoke(cli, ["schedule", "next", *past])
    assert "no switch is to come" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timezone", "Asia/Soul"], "there is no time zone 'Asia/Soul'"),
        (["--timezone", "../etc/passwd"], "there is no time zone '../etc/passwd'"),
        (["--at", "tomorrow"], "--at 'tomorrow' is no time"),
        (["--stop", START], "start and stop are at the same times"),
        (["--stop", "cron(00 09 ? JAN-DEC 2-6 *)"], "start and stop are at the same times"),
        (["--start", f"cron(0 9 {'1' * 5000} * ? *)"], "is not in 1 to 31"),
        (["--at", "0001-01-01"], "schedules are for the years 1970 to 2199"),
        (["--at", "9999-12-31T23:59"], "schedules are for the years 1970 to 2199"),
    ],
)
def test_wrong_options_are_one_line(arguments: list[str], message: str) -> None:
    """With exit status 2."""
    result = CliRunner().invoke(cli, ["schedule", "next", *arguments])
    assert isinstance(result.exception, UsageError)
    assert message in result.exception.message


def test_a_machine_without_time_zones_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Minimal images have none; the name is not what is wrong then."""
    monkeypatch.setattr("titanium.schedule.cron.available_timezones", set)
    result = CliRunner().invoke(cli, ["schedule", "next", "--timezone", "Asia/Nowhere"])
    assert isinstance(result.exception, ToolMissingError)
    assert result.exception.message == "this machine has no time zones"


def test_utc_and_local_moments_agree() -> None:
    """The same moment, asked in two zones."""
    local = at("2027-01-26T01:30")
    assert OFFICE.now(local) == OFFICE.now(local.astimezone(UTC))
