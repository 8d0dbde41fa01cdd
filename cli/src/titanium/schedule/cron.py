"""EventBridge's cron expressions: six fields, read as AWS does, in a time zone.

Times that a clock change skips do not fire; times that it repeats fire once, the first time.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from titanium.errors import ToolMissingError, UsageError

START = "cron(0 9 ? * MON-FRI *)"
STOP = "cron(0 2 ? * TUE-SAT *)"
ZONE = "Asia/Seoul"
YEARS = range(1970, 2200)  # AWS knows no others
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# AWS counts 1 to 7 from Sunday.
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS_OF_A_WEEK = 7
# Leap years and "the fifth Monday of February" come round within it.
_YEARS_AHEAD = 40


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _WEEKDAYS),
    _Field("year", YEARS[0], YEARS[-1]),
)


@dataclass(frozen=True)
class Cron:
    """A parsed expression; `times` says when it fires."""

    text: str = field(compare=False)
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    def times(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        """When it fires after the aware moment `after`, in `zone`, soonest first; may end."""
        day = after.astimezone(zone).date()
        after = after.astimezone(UTC)  # two times of one zone compare by their clocks
        last = min(day.year + _YEARS_AHEAD, max(self.years))
        while day.year <= last:
            if day.month not in self.months or day.year not in self.years:
                day = _first_of_next_month(day)
                continue
            if self._fires_on(day):
                yield from (one for one in self._moments(day, zone) if one > after)
            day += timedelta(days=1)

    def _moments(self, day: date, zone: tzinfo) -> list[datetime]:
        moments = []
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                # A time that does not exist comes back from UTC as another one.
                if local.astimezone(UTC).astimezone(zone).replace(fold=0) == local:
                    moments.append(local)
        return sorted(moments, key=lambda moment: moment.astimezone(UTC))

    def _fires_on(self, day: date) -> bool:
        if self.days != "?":
            return _day_of_month_fits(self.days, day)
        return _weekday_fits(self.weekdays, day)


def parse(text: str) -> Cron:
    """`cron(0 9 ? * MON-FRI *)`; UsageError names the field that is wrong."""
    found = re.fullmatch(r"cron\((.*)\)", text.strip())
    parts = found[1].upper().split() if found else []
    if len(parts) != len(_FIELDS):
        raise UsageError(
            f"{text!r} is no cron expression of EventBridge: it has six fields",
            f"Such as {START}: minute hour day-of-month month day-of-week year.",
        )
    if (parts[2] == "?") == (parts[4] == "?"):
        raise UsageError(
            f"{text!r}: one of day-of-month and day-of-week must be ?, and one not",
            f"Such as {START}.",
        )
    try:
        minutes, hours, months, years = (
            _values(_FIELDS[index], parts[index]) for index in (0, 1, 3, 5)
        )
        _check_days(parts[2], parts[4])
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}", f"Such as {START}.") from None
    return Cron(
        text.strip(),
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        _spelt(_FIELDS[2], parts[2]),
        frozenset(months),
        _spelt(_FIELDS[4], parts[4]),
        frozenset(years),
    )


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone `name`; UsageError when there is none, ToolMissingError without any."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if not available_timezones():
            raise ToolMissingError(
                "this machine has no time zones", "Install the package tzdata."
            ) from None
        raise UsageError(f"there is no time zone {name!r}", f"Such as {ZONE}.") from None


def _values(field: _Field, text: str) -> set[int]:
    """Every number that `*`, `5`, `MON-FRI`, `0/15`, `1-9/2` or a list of them stands for."""
    values: set[int] = set()
    for part in text.split(","):
        base, slash, step_text = part.partition("/")
        step = _number(field, step_text, 1, field.high) if slash else 1
        if base == "*":
            low, high = field.low, field.high
        elif "-" in base:
            first, _, second = base.partition("-")
            low, high = _number(field, first), _number(field, second)
        else:
            low = _number(field, base)
            high = field.high if slash else low
        # SAT-MON goes over the end of the week.
        if low > high and field.words:
            values.update(range(low, field.high + 1, step))
            low = field.low
        if low > high:
            raise ValueError(f"{field.name} {part} goes backwards")
        values.update(range(low, high + 1, step))
    return values


def _spelt(field: _Field, text: str) -> str:
    """Days in one spelling: `MON-FRI` as `2,3,4,5,6`; what a month or a week decides stays."""
    if text == "?" or re.search(r"L|W|#", text.replace("WED", "")):
        return text
    return ",".join(str(value) for value in sorted(_values(field, text)))


def _number(field: _Field, text: str, low: int | None = None, high: int | None = None) -> int:
    low, high = field.low if low is None else low, field.high if high is None else high
    if text in field.words:
        return field.words.index(text) + field.low
    # Longer ones are out of range, and Python reads none of more than 4,300 digits.
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not digits or not low <= int(text) <= high:
        raise ValueError(f"{field.name} {text or '(empty)'} is not in {low} to {high}")
    return int(text)


def _check_days(days: str, weekdays: str) -> None:
    if days not in ("?", "L", "LW"):
        if days.endswith("W"):
            _number(_FIELDS[2], days[:-1])
        else:
            _values(_FIELDS[2], days)
    if weekdays == "?":
        return
    if "#" in weekdays:
        day, _, which = weekdays.partition("#")
        _number(_FIELDS[4], day)
        _number(_FIELDS[4], which, 1, 5)
    elif weekdays != "L":
        _values(_FIELDS[4], weekdays.removesuffix("L"))


def _day_of_month_fits(text: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if text == "L":
        return day.day == last
    if text.endswith("W"):
        wanted = last if text == "LW" else int(text[:-1])
        return wanted <= last and day.day == _nearest_weekday(day, wanted, last)
    return day.day in _values(_FIELDS[2], text)


def _nearest_weekday(day: date, wanted: int, last: int) -> int:
    """The day of the month, Monday to Friday, that is nearest to `wanted` in the same month."""
    weekday = day.replace(day=wanted).weekday()
    if weekday == calendar.SATURDAY:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == calendar.SUNDAY:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _weekday_fits(text: str, day: date) -> bool:
    number = (day.weekday() + 1) % _DAYS_OF_A_WEEK + 1
    if "#" in text:
        wanted, _, which = text.partition("#")
        nth = (day.day - 1) // _DAYS_OF_A_WEEK + 1
        return number == _number(_FIELDS[4], wanted) and nth == int(which)
    if text == "L":
        return number == _DAYS_OF_A_WEEK
    if text.endswith("L"):
        last = calendar.monthrange(day.year, day.month)[1]
        return number in _values(_FIELDS[4], text[:-1]) and day.day > last - _DAYS_OF_A_WEEK
    return number in _values(_FIELDS[4], text)


def _first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
