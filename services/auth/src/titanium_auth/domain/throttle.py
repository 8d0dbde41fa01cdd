"""When a login is not even tried: sliding windows over the times of failed logins.

- At most `ACCOUNT.limit` failures per submitted name, whether the account exists or not.
- At most `ADDRESS.limit` failures per client address. Past it only accounts that have logged in
  from that address before go on, so that one bad neighbour does not lock an office out.

A success clears nothing: an attacker must not get ten new guesses each time the owner logs in.
Guesses made in parallel are checked again when their outcome is known: a failure beyond the limit
is answered like a refusal (so is a right password then), and its outcome stays unknown.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

REMEMBER_ADDRESS = timedelta(days=90)
"""How long an account counts as known at an address after a login from it."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` moments in any span of `length`."""

    limit: int
    length: timedelta

    def recent(self, moments: Sequence[datetime], now: datetime) -> list[datetime]:
        """The moments that still count, oldest first, at most `limit` of them."""
        return sorted(moment for moment in moments if moment > now - self.length)[-self.limit :]

    def wait(self, moments: Sequence[datetime], now: datetime) -> int:
        """Whole seconds until one more moment fits; 0 when it does now."""
        recent = self.recent(moments, now)
        if len(recent) < self.limit:
            return 0
        return max(1, math.ceil((recent[0] + self.length - now).total_seconds()))


ACCOUNT = Window(10, timedelta(minutes=15))
ADDRESS = Window(100, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to log in, as submitted: normalized name and client network."""

    name: str
    network: str

    @classmethod
    def of(cls, username: str, address: str) -> Attempt:
        """Spellings of one name, and the addresses of one IPv6 customer (/64), count as one."""
        name = unicodedata.normalize("NFKC", username).strip().casefold()
        return cls(name, _network(address))


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return str(parsed)


@dataclass(frozen=True, slots=True)
class Standing:
    """The failures behind an attempt at the database's time `now`.

    `known`: the account has logged in from this address before.
    """

    account: Sequence[datetime]
    address: Sequence[datetime]
    known: bool
    now: datetime

    def wait(self) -> int:
        """Whole seconds until the attempt would be heard; 0 when it is heard now."""
        by_account = ACCOUNT.wait(self.account, self.now)
        by_address = 0 if self.known else ADDRESS.wait(self.address, self.now)
        return max(by_account, by_address)
