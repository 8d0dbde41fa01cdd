"""Sliding windows of failed logins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from titanium_auth.domain.throttle import ACCOUNT, ADDRESS, Attempt, Standing

pytestmark = pytest.mark.unit

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=value) for value in seconds]


def test_bar_43_limits_are_ten_in_15_minutes_and_a_hundred_an_hour() -> None:
    """The figures of the bar."""
    assert (ACCOUNT.limit, ACCOUNT.length) == (10, timedelta(minutes=15))
    assert (ADDRESS.limit, ADDRESS.length) == (100, timedelta(hours=1))


def test_nine_failures_leave_one_more_try() -> None:
    """The tenth is heard."""
    assert ACCOUNT.wait(ago(*range(9)), NOW) == 0


def test_ten_failures_wait_for_the_oldest_to_leave() -> None:
    """Retry-After is the moment when the tenth-last failure is 15 minutes old."""
    assert ACCOUNT.wait(ago(800, *range(9)), NOW) == 100
    assert ACCOUNT.wait(ago(899.5, *range(9)), NOW) == 1
    assert ACCOUNT.wait(ago(900, *range(9)), NOW) == 0


def test_window_forgets_what_is_too_old_and_too_much() -> None:
    """At most `limit` moments are kept, the newest."""
    assert ACCOUNT.recent(ago(901, 3, 2, 1), NOW) == ago(3, 2, 1)
    assert len(ACCOUNT.recent(ago(*range(40)), NOW)) == 10


def test_full_address_stops_strangers_but_not_known_accounts() -> None:
    """Honest users behind a bad neighbour's address go on."""
    full = ago(*range(100))
    assert Standing((), full, known=False, now=NOW).wait() == 3600 - 99
    assert Standing((), full, known=True, now=NOW).wait() == 0


def test_full_account_stops_known_addresses_too() -> None:
    """Having logged in from here before is no way around the account's limit."""
    assert Standing(ago(*range(10)), (), known=True, now=NOW).wait() == 900 - 9


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Alice", "192.0.2.1"), ("alice ", "192.0.2.1")),
        (("ａlice", "192.0.2.1"), ("ALICE", "::ffff:192.0.2.1")),
        (("alice", "2001:db8:1:2::1"), ("alice", "2001:db8:1:2:ffff::9")),
    ],
)
def test_spellings_of_one_attempt_are_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Case, compatibility forms, IPv4 in IPv6, and addresses of one /64 network."""
    assert Attempt.of(*one) == Attempt.of(*other)


def test_other_networks_and_odd_addresses_stay_apart() -> None:
    """Another /64 is another customer; what is no address is taken as it is, bounded."""
    assert Attempt.of("a", "2001:db8:1:2::1") != Attempt.of("a", "2001:db8:1:3::1")
    assert Attempt.of("a", "x" * 500).network == "x" * 64
