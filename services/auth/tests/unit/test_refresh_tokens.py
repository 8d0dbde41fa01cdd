"""The refresh token's form, and reuse or concurrency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from titanium_auth.domain.refresh import (
    HOLD_AT_MOST,
    FamilyState,
    RefreshToken,
    RefreshTokens,
    Verdict,
    judge,
)

pytestmark = pytest.mark.unit

TOKENS = RefreshTokens(b"k" * 32)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_token_reads_back() -> None:
    """What is written is read, with 256 random bits in it and the counter."""
    token = RefreshToken(TOKENS.first().secret, 70_000)
    text = TOKENS.write(token)
    assert TOKENS.read(text) == token
    assert len(token.secret) == 32
    assert len(text) == 91


def test_successor_belongs_to_the_same_family() -> None:
    """Generations share the family and differ as text."""
    first = TOKENS.first()
    assert first.successor().family == first.family
    assert TOKENS.write(first.successor()) != TOKENS.write(first)
    assert TOKENS.first().family != first.family


def test_repr_keeps_the_secret() -> None:
    """A token in a log line or a traceback gives nothing away."""
    assert repr(TOKENS.first()) == "RefreshToken(generation=0)"


def test_bar_45_forged_refresh_tokens_are_not_read() -> None:
    """Any changed character, another key, other lengths, other alphabets."""
    text = TOKENS.write(TOKENS.first())
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        assert TOKENS.read(text[:place] + other + text[place + 1 :]) is None
    assert RefreshTokens(b"x" * 32).read(text) is None
    for wrong in (
        "",
        text[:-1],
        text[:-1] + "!",
        text + "A",
        "!" * 91,
        "가" * 91,
        "\ud800" * 91,
        "A" * 91,
    ):
        assert TOKENS.read(wrong) is None


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


HELD = FamilyState(generation=5, rotated_at=NOW, answered_at=None)
ANSWERED = FamilyState(generation=5, rotated_at=NOW, answered_at=NOW + seconds(0.3))


@pytest.mark.parametrize(
    ("presented", "state", "arrived", "verdict"),
    [
        (5, ANSWERED, 9, Verdict.ROTATE),
        (7, ANSWERED, 9, Verdict.ROTATE),  # the database is older than the client
        (4, HELD, 0.1, Verdict.CONCURRENT),
        (4, HELD, 4.9, Verdict.CONCURRENT),
        (4, HELD, HOLD_AT_MOST.total_seconds(), Verdict.ROTATE),  # the winner died
        (4, ANSWERED, 0.29, Verdict.CONCURRENT),
        (4, ANSWERED, 0.3, Verdict.REUSE),
        (4, ANSWERED, 999, Verdict.REUSE),
        (3, HELD, 0.1, Verdict.REUSE),
        (0, ANSWERED, 0.1, Verdict.REUSE),
    ],
)
def test_bar_47_verdicts(
    presented: int, state: FamilyState, arrived: float, verdict: Verdict
) -> None:
    """The current token rotates; the one before is concurrent until the answer left, then reuse."""
    assert judge(presented, state, NOW + seconds(arrived)) is verdict
