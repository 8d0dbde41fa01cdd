"""How many hours a month a resource runs: all of them, or those of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from titanium.cost.model import HOURS_A_MONTH
from titanium.schedule.cron import START, STOP, ZONE, parse
from titanium.schedule.hours import HOURS_OF_A_WEEK, Hours
from titanium.schedule.resources import SCHEDULE_TAG

TAG, _OFFICE = SCHEDULE_TAG


@dataclass(frozen=True, slots=True)
class Schedule:
    """Resources with tag `Schedule=<name>` run `hours_a_week` of 168."""

    name: str
    hours_a_week: Decimal
    words: str

    @property
    def share(self) -> Decimal:
        return self.hours_a_week / HOURS_OF_A_WEEK

    @property
    def hours(self) -> Decimal:
        """A month: 730 x 85 / 168 = 369.3 for office hours."""
        return HOURS_A_MONTH * self.hours_a_week / HOURS_OF_A_WEEK


def _hours_of_a_week(start: str, stop: str) -> Decimal:
    """Of any week: the expressions name weekdays, and in Seoul no clock is ever changed."""
    # In UTC, for machines without time zones: the length of a week is the same.
    hours = Hours(parse(start), parse(stop), UTC)
    return Decimal(str(hours.hours_on(datetime(2027, 1, 4, tzinfo=UTC))))


OFFICE_HOURS = Schedule(
    _OFFICE,
    _hours_of_a_week(START, STOP),
    f"Monday to Friday from 09:00 to 02:00, {ZONE}",
)
SCHEDULES = {OFFICE_HOURS.name: OFFICE_HOURS}
