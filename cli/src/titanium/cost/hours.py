"""How many hours a month a resource runs: all of them, or those of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from titanium.cost.model import HOURS_A_MONTH

HOURS_A_WEEK = Decimal(7 * 24)
TAG = "Schedule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Resources with tag `Schedule=<name>` run `hours_a_week` of 168."""

    name: str
    hours_a_week: Decimal
    words: str

    @property
    def share(self) -> Decimal:
        return self.hours_a_week / HOURS_A_WEEK

    @property
    def hours(self) -> Decimal:
        """A month: 730 x 85 / 168 = 369.3 for office hours."""
        return HOURS_A_MONTH * self.hours_a_week / HOURS_A_WEEK


# Monday to Friday from 09:00 to 02:00 the next day: 17 hours each. What terraform/modules/schedule
# does; a test compares both.
OFFICE_HOURS = Schedule(
    "office-hours", Decimal(5 * 17), "Monday to Friday from 09:00 to 02:00, Asia/Seoul"
)
SCHEDULES = {OFFICE_HOURS.name: OFFICE_HOURS}
