"""Ends the database's leader while posts are written: how long, and what was lost."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from titanium.cloud import backup, check
from titanium.cloud.kubectl import Kubectl, Say
from titanium.errors import TitaniumError, UnhealthyError

# The edge of a cluster allows a client 100 requests a minute by default.
PAUSE = 1.0
STEADY = 5
_SETTLED = 15


@dataclass(slots=True)
class Outcome:
    """Writes around a failover: `gap` is the longest time, in seconds, without a stored one."""

    stored: list[int] = field(default_factory=list)
    refused: int = 0
    gap: float = 0.0
    lost: list[int] = field(default_factory=list)


def failover(kubectl: Kubectl, site: check.Site, patience: float, say: Say) -> Outcome:
    """Delete the leader's pod after some writes and go on writing until they succeed again.

    UnhealthyError when none succeeds within `patience` seconds. Every post whose writing was
    confirmed is read back. The account and its posts are deleted at the end.
    """
    with check.account(site) as person:
        outcome = Outcome()
        _write(site, person, outcome, lambda: len(outcome.stored) >= STEADY, patience)
        leader = backup.primary(kubectl)
        kubectl.run("delete", "pod", leader, "--wait=false", "--grace-period=0", "--force")
        say(f"  {leader} deleted; writing goes on")
        before = len(outcome.stored)
        began = time.monotonic()

        def settled() -> bool:
            # The old leader may store a few more before it is gone.
            return len(outcome.stored) >= before + _SETTLED and time.monotonic() - began > STEADY

        _write(site, person, outcome, settled, patience)
        outcome.lost = [
            number
            for number in outcome.stored
            if site.ask("GET", f"/api/posts/{number}").status != check.OK
        ]
    say(
        f"  {len(outcome.stored)} posts stored, {outcome.refused} refused, "
        f"none for {outcome.gap:.1f} s"
    )
    return outcome


def require(outcome: Outcome, bound: float) -> None:
    """TitaniumError when posts are lost or writing stood still for more than `bound` seconds."""
    if outcome.lost:
        raise TitaniumError(
            f"{len(outcome.lost)} confirmed posts are gone, for example {outcome.lost[0]}",
            "Is the replication synchronous? See k8s-manifests/components/cnpg.",
        )
    if outcome.gap > bound:
        raise UnhealthyError(
            f"no post could be written for {outcome.gap:.1f} s; the bound is {bound:g} s",
            "See the database's events: kubectl get events",
        )


def _write(
    site: check.Site,
    person: check.Account,
    outcome: Outcome,
    done: Callable[[], bool],
    patience: float,
) -> None:

    last = time.monotonic()
    while not done():
        post = {"title": "Written during a failover", "content": secrets.token_hex(4)}
        number = _post(site, person, post)
        if number is None:
            outcome.refused += 1
        else:
            outcome.stored.append(number)
        now = time.monotonic()
        outcome.gap = max(outcome.gap, now - last)
        if number is not None:
            last = now
        if now - last > patience:
            raise UnhealthyError(
                f"no post could be written for {patience:g} s",
                "See the database's pods and events: kubectl get pods, kubectl get events",
            )
        time.sleep(PAUSE)


def _post(site: check.Site, person: check.Account, post: dict[str, str]) -> int | None:
    try:
        answer = site.ask("POST", "/api/posts", post, person.token)
    except UnhealthyError:
        return None
    return int(answer.json()["id"]) if answer.status == check.CREATED else None
