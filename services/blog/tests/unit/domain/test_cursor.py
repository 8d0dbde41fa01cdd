"""Cursors: any text of the right form is a place."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanium_blog.domain.cursor import PATTERN, Cursor

pytestmark = pytest.mark.unit

moments = st.datetimes(timezones=st.just(UTC))


@given(moments, st.integers(1, 2**63 - 1), st.integers(0, 2**31 - 1))
def test_a_cursor_survives_the_journey(moment: datetime, post_id: int, rank: int) -> None:
    cursor = Cursor(moment, post_id, rank)
    text = cursor.encode()
    assert re.fullmatch(PATTERN, text)
    assert Cursor.decode(text) == cursor


@given(st.from_regex(PATTERN, fullmatch=True).filter(lambda text: not text.endswith("\n")))
def test_every_well_formed_text_is_a_place_that_the_database_knows(text: str) -> None:
    cursor = Cursor.decode(text)
    assert 0 <= cursor.id < 2**63
    assert -(2**31) <= cursor.rank < 2**31
    assert cursor.created_at.tzinfo is UTC
