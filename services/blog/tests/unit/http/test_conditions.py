"""If-Match and Link."""

from datetime import UTC, datetime

import pytest

from titanium_blog.domain.cursor import Cursor
from titanium_blog.http.conditions import next_link, wanted_versions

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "versions"),
    [
        (None, None),
        ("*", None),
        (' "3" ', (3,)),
        ('"3", "14"', (3, 14)),
        ('W/"3"', ()),
        ("3", ()),
        ('"0"', ()),
        ('"x"', ()),
        ('"99999999999999999999"', ()),
        ("", ()),
    ],
)
def test_if_match_compares_strongly(value: str | None, versions: tuple[int, ...] | None) -> None:
    assert wanted_versions(value) == versions


def test_the_next_page_keeps_filters_and_drops_the_old_place() -> None:
    cursor = Cursor(datetime(2026, 1, 1, tzinfo=UTC), 5)
    link = next_link("/api/posts", [("q", "검색 &"), ("cursor", "x"), ("offset", "5")], cursor)
    assert link == f"/api/posts?q=%EA%B2%80%EC%83%89+%26&cursor={cursor.encode()}"
