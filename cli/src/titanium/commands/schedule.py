"""`titanium schedule`: when the platform in AWS is on, and switching it by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import click

from titanium.schedule.cron import START, STOP, YEARS, ZONE

if TYPE_CHECKING:
    from titanium.schedule.hours import Action, Hours, Switch

EPILOG = """\b
Examples:
  titanium schedule next                 the next switches; asks nobody
  titanium schedule plan                 what is tagged, its state, what EventBridge will do
  titanium schedule now stop --dry-run   what would be stopped, in which order
  titanium schedule now start            the database, then the application; waits
"""
_PATIENCE_MINUTES = 30


class Minutes(click.FloatRange):
    """A number of minutes; `nan` is in no range, but below none either."""

    name = "minutes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        minutes: float = super().convert(value, param, ctx)
        if math.isnan(minutes):
            self.fail(f"{value} is no number of minutes", param, ctx)
        return minutes


def hours_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The two expressions, their time zone and a moment in the place of now."""
    for option in (
        click.option("--start", default=START, show_default=True, metavar="CRON"),
        click.option("--stop", default=STOP, show_default=True, metavar="CRON"),
        click.option("--timezone", default=ZONE, show_default=True, metavar="NAME"),
        click.option("--at", metavar="TIME", help="As if it were TIME, such as 2027-01-29T08:00."),
    ):
        function = option(function)
    return function


def aws_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Where in AWS: region and environment."""
    for option in (
        click.option("--region", help="AWS region; default the configured one."),
        click.option("--environment", help="Value of the tag Environment; default the only one."),
    ):
        function = option(function)
    return function


@click.group(epilog=EPILOG)
def command() -> None:
    """Office hours of the platform in AWS: what is tagged is stopped at night.

    The schedules themselves are EventBridge's and come from Terraform. Only resources tagged
    Project=titanium and Schedule=office-hours are ever touched.
    """


@command.command("next", epilog=EPILOG)
@click.option("--count", type=click.IntRange(1, 100), default=4, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@hours_options
def next_(count: int, as_json: bool, **options: Any) -> None:
    """Show whether the hours are on now, and the next switches. Speaks to nobody."""
    hours = _hours(options)
    now = _moment(options["at"], hours)
    current, coming = hours.now(now), list(islice(hours.switches(now), count))
    if as_json:
        document = {
            "now": {"at": now.isoformat(), "state": _state(current)},
            "switches": [{"at": one.at.isoformat(), "action": one.action} for one in coming],
            "hours_on_in_7_days": round(hours.hours_on(now), 2),
        }
        click.echo(json.dumps(document, indent=2))
        return
    since = f" since {_written(current.at)}" if current else ""
    click.echo(f"now    {_written(now)}: {_state(current)}{since}")
    for one in coming:
        click.echo(f"{one.action:<5}  {_written(one.at)}  (in {_gap(one.at, now)})")
    if not coming:
        click.echo("no switch is to come: the expressions name past years or no day at all")


@command.command(epilog=EPILOG)
@hours_options
@aws_options
def plan(region: str | None, environment: str | None, **options: Any) -> None:
    """Show what is tagged, in which state, and what will happen to it. Changes nothing."""
    from titanium.aws import session
    from titanium.schedule import fleet, schedules

    hours = _hours(options)
    now = _moment(options["at"], hours)
    aws = session(region)
    known = schedules.read(aws)
    found = fleet.Fleet(aws, known).find(environment)
    on = hours.hours_on(now)
    click.echo(f"hours: start {hours.start.text}, stop {hours.stop.text}, {options['timezone']}")
    click.echo(f"       {_written(now)}: {_state(hours.now(now))}")
    click.echo(f"       on for {on:g} of the next 168 hours ({on / 168:.1%})")
    for one in found:
        click.echo(f"{one.tier:<12} {one!s:<44} {one.state.value:<7} {one.detail}")
    for schedule in (one for one in known if any(one.covers(each) for each in found)):
        click.echo(_schedule_line(schedule, now))
    for one in found:
        for action in schedules.uncovered(known, one):
            click.echo(f"note: no schedule will {action} {one}", err=True)


@command.command(epilog=EPILOG)
@click.argument("action", type=click.Choice(("start", "stop")))
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@click.option(
    "--timeout",
    "minutes",
    type=Minutes(0.01, 240),
    default=_PATIENCE_MINUTES,
    show_default=True,
    help="Minutes to wait for everything.",
)
@click.option("--poll", type=click.FloatRange(0.01, 60), default=5.0, hidden=True)
@aws_options
def now(
    action: str,
    dry_run: bool,
    minutes: float,
    poll: float,
    region: str | None,
    environment: str | None,
) -> None:
    """Start or stop everything that is tagged, now, and wait until it is done.

    Stop: the application, then the database. Start: the database, then the application. A tier
    begins when the one before is done. Exit status 3 when something did not follow: what is done
    and what is not is listed, and the same command goes on from there.
    """
    from titanium.aws import session
    from titanium.schedule import fleet, schedules

    wanted = cast("Action", action)
    aws = session(region)
    every = fleet.Fleet(aws, schedules.read(aws))
    found = every.find(environment)
    if dry_run:
        fleet.check(found)
        for line in fleet.steps(found, wanted):
            click.echo(line)
        return
    every.switch(found, wanted, click.echo, minutes * 60, poll)
    click.echo(f"{len(found)} resources are {'on' if action == 'start' else 'off'}")


def _hours(options: dict[str, Any]) -> Hours:
    from titanium.schedule.hours import make_hours

    return make_hours(options["start"], options["stop"], options["timezone"])


def _moment(text: str | None, hours: Hours) -> datetime:
    """Now, or the given time, in the schedule's zone."""
    from titanium.errors import UsageError

    if text is None:
        return datetime.now(UTC).astimezone(hours.zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text!r} is no time", "Such as 2027-01-29T08:00.") from None
    if moment.year not in YEARS:
        raise UsageError(
            f"--at {text!r}: schedules are for the years {YEARS[0]} to {YEARS[-1]}",
            "Such as 2027-01-29T08:00.",
        )
    if moment.tzinfo is None:
        return moment.replace(tzinfo=hours.zone)
    return moment.astimezone(hours.zone)


def _state(current: Switch | None) -> str:
    if current is None:
        return "unknown"
    return "on" if current.action == "start" else "off"


def _written(moment: datetime) -> str:
    return moment.strftime("%a %Y-%m-%d %H:%M %Z")


def _gap(later: datetime, now: datetime) -> str:
    minutes = round((later.astimezone(UTC) - now.astimezone(UTC)).total_seconds() / 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    return (f"{days} d " if days else "") + f"{hours} h {left:02} min"


def _schedule_line(schedule: Any, now: datetime) -> str:
    from titanium.schedule.cron import parse, time_zone

    coming = next(parse(schedule.expression).times(now, time_zone(schedule.zone)), None)
    when = _written(coming) if coming else "never"
    state = "next " + when if schedule.enabled else "switched off"
    return f"schedule     {schedule.group}/{schedule.name:<36} {schedule.expression}, {state}"
