"""Sessions are signatures, guesses are bounded."""

from __future__ import annotations

import pytest

from cli.tests.console.support import TOKEN
from titanium.console.sessions import GUESSES, LIFETIME, Sessions, Throttle

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_outlives_the_console_but_not_its_time_nor_the_token() -> None:
    """Nothing is kept: another console with the same token knows it."""
    clock = Clock()
    session = Sessions(TOKEN, clock).open()
    assert Sessions(TOKEN, clock).holds(session)
    assert not Sessions("n" * 43, clock).holds(session)
    clock.now += LIFETIME - 1
    assert Sessions(TOKEN, clock).holds(session)
    clock.now += 1
    assert not Sessions(TOKEN, clock).holds(session)


@pytest.mark.parametrize("value", ["", ".", "..", "x", "1.a.b", "\ud800", "é.é.é", TOKEN])
def test_what_is_no_session_is_refused(value: str) -> None:
    """Whatever a cookie holds."""
    assert not Sessions(TOKEN).holds(value)


def test_only_the_token_is_the_token() -> None:
    """Not a part of it, nor more."""
    sessions = Sessions(TOKEN)
    assert sessions.is_token(TOKEN)
    for wrong in ("", TOKEN[:-1], TOKEN + "o", TOKEN.upper(), "\ud800"):
        assert not sessions.is_token(wrong)


def test_guesses_are_bounded_for_a_time() -> None:
    """Ten at once, then one in six seconds."""
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(GUESSES):
        assert throttle.wait() == 0
        throttle.wrong()
    assert throttle.wait() == pytest.approx(6)
    clock.now += 6
    assert throttle.wait() == 0
    throttle.wrong()
    assert throttle.wait() > 0
    clock.now += 3600
    for _ in range(GUESSES):
        assert throttle.wait() == 0
        throttle.wrong()
    assert throttle.wait() > 0
