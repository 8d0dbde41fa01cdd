"""Every scheduled resource of one environment, and switching all of it in a safe order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from titanium.aws import speaking_to_aws
from titanium.errors import TitaniumError, UnhealthyError, UsageError
from titanium.schedule.groups import NodeGroups, ScalingGroups, size_to_start
from titanium.schedule.hours import Action
from titanium.schedule.machines import Databases, Instances
from titanium.schedule.resources import START_ORDER, STOP_ORDER, Kind, Resource, State, Tier
from titanium.schedule.schedules import Schedule, node_group_sizes

if TYPE_CHECKING:
    import boto3

Say = Callable[[str], None]
POLL_SECONDS = 5.0
_REMIND_SECONDS = 60.0
# The cluster's autoscaler may ask for a node once more while nodes drain.
_REPEATS = 3
_DONE = {"start": "started", "stop": "stopped"}


class Fleet:
    """The tagged resources that this session's account and region have."""

    def __init__(self, session: boto3.Session, schedules: Sequence[Schedule]) -> None:
        with speaking_to_aws():
            kinds: tuple[Kind, ...] = (
                Instances(session),
                Databases(session),
                NodeGroups(session, node_group_sizes(schedules)),
                ScalingGroups(session),
            )
        self._kinds = {kind.name: kind for kind in kinds}

    def find(self, environment: str | None) -> list[Resource]:
        """Tagged resources of `environment`, or of the only one; UsageError when unclear."""
        with speaking_to_aws():
            found = [one for kind in self._kinds.values() for one in kind.find()]
        environments = sorted({one.environment for one in found})
        if environment is not None:
            found = [one for one in found if one.environment == environment]
        elif len(environments) > 1:
            named = ", ".join(name or "(none)" for name in environments)
            raise UsageError(
                f"tagged resources belong to several environments: {named}",
                "Give one with --environment. Nothing was changed.",
            )
        if not found:
            other = f"; there is {', '.join(environments)}" if environments else ""
            raise UsageError(
                f"no resource is tagged Project=titanium and Schedule=office-hours{other}",
                "Check the region, the account and --environment.",
            )
        return sorted(found, key=lambda one: (STOP_ORDER.index(one.tier), one.kind, one.name))

    def switch(
        self, found: Sequence[Resource], action: Action, say: Say, within: float, poll: float
    ) -> None:
        """Start or stop all of `found`, one tier after the other, and wait for each tier.

        The next tier is left alone unless the one before is done. UnhealthyError says what is
        done, what is not and what was not begun.
        """
        check(found)
        end = time.monotonic() + within
        done: list[Resource] = []
        for tier in order(action):
            members = [one for one in found if one.tier == tier]
            if not members:
                continue
            say(f"{tier}:")
            failed = self._switch_tier(members, action, say, end, poll)
            done += [one for one in members if str(one) not in failed]
            if failed:
                raise _incomplete(found, done, failed, action)

    def _switch_tier(
        self, members: Sequence[Resource], action: Action, say: Say, end: float, poll: float
    ) -> dict[str, str]:
        """Switch a tier; the names of what is not done, each with its reason."""
        wanted = State.ON if action == "start" else State.OFF
        failed: dict[str, str] = {}
        waiting: dict[str, Resource] = {str(one): one for one in members}
        asked = dict.fromkeys(waiting, 0)
        began, reminded = time.monotonic(), time.monotonic()
        while waiting:
            for name, before in list(waiting.items()):
                try:
                    now = self._advance(before, wanted, action, asked, say)
                except TitaniumError as error:
                    failed[name] = error.message
                    say(f"  {name}: {error.message}")
                    now = None
                if now is None:
                    del waiting[name]
                elif now.state is wanted:
                    took = f" after {time.monotonic() - began:.0f} s" if asked[name] else " already"
                    say(f"  {_DONE[action]}{took}: {name}")
                    del waiting[name]
                else:
                    waiting[name] = now
            if waiting and time.monotonic() > end:
                return failed | {name: f"is {one.detail}" for name, one in waiting.items()}
            if waiting:
                if time.monotonic() - reminded > _REMIND_SECONDS:
                    reminded = time.monotonic()
                    say(
                        "  waiting for "
                        + ", ".join(f"{n} ({r.detail})" for n, r in waiting.items())
                    )
                time.sleep(poll)
        return failed

    def _advance(
        self, before: Resource, wanted: State, action: Action, asked: dict[str, int], say: Say
    ) -> Resource:
        """Look at it again and ask AWS where it is still on the other side."""
        kind, name = self._kinds[before.kind], str(before)
        with speaking_to_aws():
            now = kind.look(before)
        if now.state is State.FAILED:
            raise UnhealthyError(f"it is {now.detail}")
        turns = now.turnable and asked[name] == 0 and (wanted is State.OFF or now.size is not None)
        if now.state is wanted or (now.state is State.MOVING and not turns):
            return now
        if asked[name] >= _REPEATS:
            raise UnhealthyError(f"it is {now.detail} again after {asked[name]} attempts")
        say(f"  {action}: {name}" + (" once more" if asked[name] else ""))
        with speaking_to_aws():
            (kind.start if action == "start" else kind.stop)(now)
            asked[name] += 1
            return kind.look(now)


def order(action: Action) -> tuple[Tier, ...]:
    return START_ORDER if action == "start" else STOP_ORDER


def check(found: Sequence[Resource]) -> None:
    """Refuse before anything is changed: what is broken, and a group that could not come back."""
    for one in found:
        if one.state is State.FAILED:
            raise UnhealthyError(
                f"{one} is {one.detail}: nothing was changed", "Repair it or take its tag away."
            )
        if one.kind in (NodeGroups.name, ScalingGroups.name):
            size_to_start(one)


def steps(found: Sequence[Resource], action: Action) -> list[str]:
    """What `switch` would do, in its order."""
    wanted = State.ON if action == "start" else State.OFF
    lines = []
    for tier in order(action):
        for one in (one for one in found if one.tier == tier):
            if one.state is wanted:
                what = f"leave as it is: {one} ({one.detail})"
            elif action == "start" and one.size:
                what = f"start: {one} with {one.size.desired} nodes"
            else:
                what = f"{action}: {one} ({one.detail})"
            lines.append(f"{tier}: {what}")
    return lines


def _incomplete(
    found: Sequence[Resource], done: Sequence[Resource], failed: Mapping[str, str], action: Action
) -> UnhealthyError:
    known = {str(one) for one in done}
    rest = [str(one) for one in found if str(one) not in known and str(one) not in failed]
    details = [f"{_DONE[action]}: {one}" for one in done]
    details += [f"not {_DONE[action]}: {name}: {why}" for name, why in failed.items()]
    details += [f"not begun: {name}" for name in rest]
    return UnhealthyError(
        f"{len(failed)} of {len(found)} resources did not {action}",
        f"Run it again when that is repaired: titanium schedule now {action}",
        tuple(details),
    )
