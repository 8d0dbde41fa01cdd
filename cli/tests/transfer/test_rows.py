"""From a stored row to what the services take."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from titanium.transfer.rows import RowError, folded, moment, post_row, user_row
from titanium.transfer.sqlite_file import Value

pytestmark = pytest.mark.unit

FALLBACK = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def post(**changes: Value) -> dict[str, Value]:
    row: dict[str, Value] = {"id": 1, "title": b"t", "content": b"c", "author": b"kim"}
    return {**row, **changes}


def user(**changes: Value) -> dict[str, Value]:
    row: dict[str, Value] = {
        "id": 1,
        "username": b"kim",
        "password_hash": b"scrypt:x",
        "email": b"k@x.org",
    }
    return {**row, **changes}


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        (b"2023-04-05 06:07:08", "2023-04-05T06:07:08+00:00"),
        (b"2023-04-05 06:07:08.123456", "2023-04-05T06:07:08.123456+00:00"),
        (b"2023-04-05T06:07:08Z", "2023-04-05T06:07:08+00:00"),
        (b"2023-04-05 15:07:08+09:00", "2023-04-05T06:07:08+00:00"),
        (b"2023-04-05T15:07:08.5+0900", "2023-04-05T06:07:08.500000+00:00"),
        (b"2023-04-05 06:07", "2023-04-05T06:07:00+00:00"),
        (b"2023-04-05", "2023-04-05T00:00:00+00:00"),
        (1_680_674_828, "2023-04-05T06:07:08+00:00"),
        (1_680_674_828.5, "2023-04-05T06:07:08.500000+00:00"),
    ],
)
def test_every_form_of_time_that_sqlite_programs_write_is_understood(
    stored: Value, meant: str
) -> None:
    found = moment({"at": stored}, "at")
    assert found is not None
    assert found.isoformat() == meant


@pytest.mark.parametrize(
    "stored", [b"yesterday", b"2023-13-01", -5, 10**12, float("nan"), b"0001-01-01T00:00:00+09:00"]
)
def test_what_is_no_time_is_refused_with_the_column(stored: Value) -> None:
    with pytest.raises(RowError, match="created_at: "):
        moment({"created_at": stored}, "created_at")


def test_missing_times_are_the_other_one_or_the_fallback() -> None:
    assert post_row(post(), FALLBACK)["created_at"] == FALLBACK.isoformat()
    updated = post_row(post(created_at=None, updated_at=b"2023-01-01"), FALLBACK)
    assert updated["created_at"] == updated["updated_at"] == "2023-01-01T00:00:00+00:00"


def test_an_update_before_the_creation_becomes_the_creation() -> None:
    row = post_row(post(created_at=b"2023-01-02", updated_at=b"2023-01-01"), FALLBACK)
    assert row["updated_at"] == row["created_at"] == "2023-01-02T00:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": b""}, "title: is empty"),
        ({"title": None}, "title: is empty"),
        ({"title": b" \n"}, "title: is empty"),
        ({"content": b"a\x00b"}, "content: has a NUL"),
        ({"content": b"ab\xff"}, "content: byte 2 is not UTF-8"),
        ({"title": b"\xed\xa0\x80"}, "title: byte 0 is not UTF-8"),
        ({"id": None}, "id: "),
        ({"id": 0}, "id: "),
        ({"id": b"abc"}, "id: "),
        ({"id": 1.5}, "id: "),
    ],
)
def test_a_bad_post_is_refused_with_the_column(changes: dict[str, Value], reason: str) -> None:
    with pytest.raises(RowError) as raised:
        post_row(post(**changes), FALLBACK)
    assert str(raised.value).startswith(reason)


def test_texts_are_not_changed_but_for_the_space_around_a_title() -> None:
    row = post_row(post(title=b" t ", content="  줄\r\n\t🙂 ".encode()), FALLBACK)
    assert (row["title"], row["content"]) == ("t", "  줄\r\n\t🙂 ")
    assert post_row(post(title=2024), FALLBACK)["title"] == "2024"


def test_an_account_without_address_gets_one_that_nothing_is_delivered_to() -> None:
    assert user_row(user(email=None))["email"] == "user-1@first-version.invalid"
    assert user_row(user(email=b" a@b.org "))["email"] == "a@b.org"


@pytest.mark.parametrize("column", ["username", "password_hash"])
def test_an_account_needs_name_and_password_hash(column: str) -> None:
    with pytest.raises(RowError, match=f"{column}: is empty"):
        user_row(user(**{column: None}))


def test_names_that_differ_in_case_or_composition_are_the_same() -> None:
    assert folded("Kim") == folded("kIM")
    assert folded("한") == folded("\u1112\u1161\u11ab")
