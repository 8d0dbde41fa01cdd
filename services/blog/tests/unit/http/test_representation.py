"""JSON of posts."""

from datetime import UTC, datetime

import pytest

from titanium_blog.http.representation import timestamp

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 9, tzinfo=UTC), "2026-01-31T09:00:00.000000Z"),
        (datetime(1, 1, 1, 0, 0, 0, 5, tzinfo=UTC), "0001-01-01T00:00:00.000005Z"),
    ],
)
def test_times_always_have_one_form(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text
