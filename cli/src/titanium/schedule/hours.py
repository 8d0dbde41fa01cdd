"""When things are on: the switches of two expressions, and the share of a week."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from titanium.errors import UsageError
from titanium.schedule.cron import Cron, parse, time_zone

Action = Literal["start", "stop"]
HOURS_OF_A_WEEK = 168
# A schedule whose last switch is longer ago says nothing about now.
_LOOK_BACK = timedelta(days=400)


@dataclass(frozen=True)
class Switch:
    """At `at` (in the schedule's zone) things are to start or to stop."""

    at: datetime
    action: Action


@dataclass(frozen=True)
class Hours:
    """A pair of expressions in one time zone."""

    start: Cron
    stop: Cron
    zone: tzinfo

    def switches(self, after: datetime) -> Iterator[Switch]:
        """Every switch after the aware moment `after`, soonest first; may end."""
        starts = (Switch(at, "start") for at in self.start.times(after, self.zone))
        stops = (Switch(at, "stop") for at in self.stop.times(after, self.zone))
        waiting: dict[Action, Switch | None] = {
            "start": next(starts, None),
            "stop": next(stops, None),
        }
        while ready := [one for one in waiting.values() if one is not None]:
            # In UTC: on the night of a clock change local times are not in order.
            first = min(ready, key=lambda one: one.at.astimezone(UTC))
            yield first
            waiting[first.action] = next(starts if first.action == "start" else stops, None)

    def now(self, moment: datetime) -> Switch | None:
        """The switch that `moment` is after: what it says holds. None when there was none yet."""
        found = None
        moment = moment.astimezone(UTC)
        # Near first: the last switch is mostly some hours ago.
        for back in (timedelta(days=4), timedelta(days=40), _LOOK_BACK):
            for one in self.switches(moment - back):
                if one.at > moment:
                    break
                found = one
            if found is not None:
                break
        return found

    def hours_on(self, week_of: datetime) -> float:
        """Hours that are on in the seven days after `week_of`."""
        week_of = week_of.astimezone(UTC)  # hours that pass, not what clocks show
        end = week_of + timedelta(hours=HOURS_OF_A_WEEK)
        last = self.now(week_of)
        on, since, total = last is not None and last.action == "start", week_of, timedelta()
        for one in itertools.takewhile(lambda one: one.at < end, self.switches(week_of)):
            if on:
                total += one.at.astimezone(UTC) - since.astimezone(UTC)
            on, since = one.action == "start", one.at
        if on:
            total += end.astimezone(UTC) - since.astimezone(UTC)
        return total / timedelta(hours=1)


def make_hours(start: str, stop: str, zone: str) -> Hours:
    """The schedule of two expressions; UsageError when one is wrong or both say the same."""
    hours = Hours(parse(start), parse(stop), time_zone(zone))
    if hours.start == hours.stop:
        raise UsageError(
            f"start and stop are at the same times: {start}", "Give another time to one of them."
        )
    return hours
