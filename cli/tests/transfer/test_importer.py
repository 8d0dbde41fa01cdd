"""What an import does with good and bad rows, and with a second run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.tests.transfer.support import FakePlatform, MakeLegacy
from titanium.transfer.importer import Import
from titanium.transfer.report import Report, write_rejected
from titanium.transfer.sqlite_file import open_legacy

pytestmark = pytest.mark.unit

HASH = "scrypt:32768:8:1$salt$" + "0" * 128
AT = "2023-04-05 06:07:08"


def run(path: Path, platform: FakePlatform | None) -> Report:
    with open_legacy(path) as legacy:
        return Import(legacy, platform, lambda _stage, _done, _total: None).run()


def reasons(report: Report) -> list[tuple[str, str, str]]:
    return [(item.table, item.label, item.reason) for item in report.rejected]


def test_users_and_posts_arrive_and_are_read_back(make_legacy: MakeLegacy) -> None:
    path = make_legacy(
        [(1, "kim", "kim@example.org", HASH), (2, "이영희", "lee@example.org", HASH)],
        [(10, "제목", "# 내용\n<b>", "이영희", AT, None), (11, "b", "c", "kim", None, None)],
    )
    platform = FakePlatform()
    report = run(path, platform)
    assert (report.users.created, report.posts.created, report.verified) == (2, 2, 2)
    assert not report.rejected
    assert not report.mismatches
    stored = {post["title"]: post for post in platform.posts.values()}
    assert stored["제목"]["author_id"] == platform.users["이영희"]["id"]
    assert stored["제목"]["created_at"] == "2023-04-05T06:07:08+00:00"
    assert platform.users["kim"]["password_hash"] == HASH


def test_a_second_run_changes_nothing_and_takes_what_is_new(make_legacy: MakeLegacy) -> None:
    make_legacy([(1, "kim", "kim@example.org", HASH)], [(1, "a", "b", "kim", AT, AT)])
    platform = FakePlatform()
    run(make_legacy([], []), platform)
    before = dict(platform.posts)
    again = run(make_legacy([], []), platform)
    assert (again.users.existing, again.posts.existing, again.verified) == (1, 1, 1)
    assert platform.posts == before
    more = run(make_legacy([], [(2, "c", "d", "kim", AT, AT)]), platform)
    assert (more.posts.existing, more.posts.created) == (1, 1)


@pytest.mark.parametrize("platform", [FakePlatform(), None])
def test_a_row_that_no_service_would_read_does_not_stop_the_others(
    make_legacy: MakeLegacy, platform: FakePlatform | None
) -> None:
    """A service ends an import at a line of more than 2 MiB."""
    posts = [(1, "t", "x" * 3_000_000, "kim", AT, AT), (2, "t", "c", "kim", AT, AT)]
    report = run(make_legacy([(1, "kim", "k@example.org", HASH)], posts), platform)
    assert [item.label for item in report.rejected] == ["1"]
    assert "too large" in report.rejected[0].reason
    assert report.posts.created + report.posts.ready == 1


def test_bad_rows_are_reported_and_the_others_arrive(make_legacy: MakeLegacy) -> None:
    users = [
        (1, "kim", "k@example.org", HASH),
        (2, "two words", "t@example.org", HASH),
        (3, "lee", "l@example.org", None),
    ]
    posts = [
        (1, "fine", "text", "kim", AT, AT),
        (2, "", "text", "kim", AT, AT),
        (3, "x" * 201, "text", "kim", AT, AT),
        (4, "t", "a\x00b", "kim", AT, AT),
        (5, b"\xff\xfe", "text", "kim", AT, AT),
        (6, "t", "c", "kim", "never", AT),
        (7, "t", "c", "two words", AT, AT),
        (8, "t", "c", None, AT, AT),
        (1, "twice", "text", "kim", AT, AT),
        (None, "t", "c", "kim", AT, AT),
    ]
    path = make_legacy(users, posts)
    platform = FakePlatform()
    report = run(path, platform)
    assert [post["title"] for post in platform.posts.values()] == ["fine"]
    found = {(table, label): reason for table, label, reason in reasons(report)}
    assert found["users", "2"] == "username: wrong form"
    assert found["users", "3"] == "password_hash: is empty"
    assert found["posts", "2"] == "title: is empty"
    assert found["posts", "3"] == "title: too long"
    assert found["posts", "4"].startswith("content: has a NUL")
    assert found["posts", "5"] == "title: byte 0 is not UTF-8"
    assert found["posts", "6"] == "created_at: 'never' is not a time"
    assert found["posts", "7"] == "author: no account for 'two words': username: wrong form"
    assert found["posts", "8"] == "author: is empty"
    assert found["posts", "1"] == "id: an earlier row has the same"
    assert found["posts", "None"] == "id: not a positive whole number"
    assert report.posts.read == report.posts.created + report.posts.rejected == 10
    assert not report.mismatches


def test_of_names_that_differ_in_case_the_first_is_moved_and_no_post_changes_hands(
    make_legacy: MakeLegacy,
) -> None:
    path = make_legacy(
        [(1, "Kim", "same@example.org", HASH), (2, "kim", "same@example.org", HASH)],
        [(1, "of the first", "c", "Kim", AT, AT), (2, "of the second", "c", "kim", AT, AT)],
    )
    platform = FakePlatform()
    report = run(path, platform)
    assert [post["title"] for post in platform.posts.values()] == ["of the first"]
    assert reasons(report) == [
        ("users", "2", "username: differs only in case from 'Kim' in an earlier row"),
        ("posts", "2", "author: the account of 'kim' was rejected, see there"),
    ]


def test_an_author_written_in_another_case_is_the_same_person(make_legacy: MakeLegacy) -> None:
    path = make_legacy([(1, "Kim", "k@example.org", HASH)], [(1, "t", "c", "KIM", AT, AT)])
    platform = FakePlatform()
    assert run(path, platform).verified == 1
    assert next(iter(platform.posts.values()))["author"] == "Kim"


def test_posts_without_author_account_keep_their_name_under_an_account_nobody_can_use(
    make_legacy: MakeLegacy,
) -> None:
    path = make_legacy([], [(1, "t", "c", "gone", AT, AT), (2, "u", "c", "Gone", AT, AT)])
    platform = FakePlatform()
    report = run(path, platform)
    assert report.placeholders == ["gone"]
    assert report.verified == 2
    account = platform.users["gone"]
    assert len(account["password"]) >= 32
    assert account["email"].endswith("@first-version.invalid")
    again = run(path, platform)
    assert (again.posts.existing, len(platform.users)) == (2, 1)


def test_a_name_that_somebody_took_on_the_platform_gets_no_foreign_posts(
    make_legacy: MakeLegacy,
) -> None:
    platform = FakePlatform()
    platform.users["gone"] = {"id": 5, "username": "gone", "email": "other@example.org"}
    report = run(make_legacy([], [(1, "t", "c", "gone", AT, AT)]), platform)
    assert not platform.posts
    assert reasons(report) == [
        ("posts", "1", "author: no account for 'gone': the username is taken")
    ]


def test_a_post_that_was_changed_here_since_is_kept_and_said(make_legacy: MakeLegacy) -> None:
    path = make_legacy([(1, "kim", "k@example.org", HASH)], [(7, "t", "c", "kim", AT, AT)])
    platform = FakePlatform()
    run(path, platform)
    next(iter(platform.posts.values()))["content"] = "better"
    report = run(path, platform)
    assert report.kept == [7]
    assert not report.mismatches
    platform.posts.clear()
    assert run(path, platform).kept == [7]


def test_content_that_does_not_arrive_as_it_was_is_a_mismatch(make_legacy: MakeLegacy) -> None:
    platform = FakePlatform()
    platform.damage = "!"
    path = make_legacy([(1, "kim", "k@example.org", HASH)], [(7, "t", "c", "kim", AT, AT)])
    assert run(path, platform).mismatches == ["post 7 differs when read back"]


def test_a_dry_run_reports_the_same_about_the_file(make_legacy: MakeLegacy) -> None:
    path = make_legacy(
        [(1, "kim", "k@example.org", HASH), (2, "KIM", "k@example.org", HASH)],
        [(1, "t", "c", "kim", AT, AT), (2, " ", "c", "kim", AT, AT), (3, "t", "c", "x", AT, AT)],
    )
    report = run(path, None)
    assert (report.users.ready, report.users.rejected) == (1, 1)
    assert (report.posts.ready, report.posts.rejected) == (2, 1)
    assert report.placeholders == ["x"]
    assert not report.mismatches


def test_rejected_rows_are_written_whole_and_only_for_their_owner(
    make_legacy: MakeLegacy, tmp_path: Path
) -> None:
    path = make_legacy([(1, "kim", None, None)], [(2, b"\xff", "글", "kim", None, None)])
    report = run(path, None)
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    written = write_rejected(report, path, moment, tmp_path)
    assert written.name == "import-rejected-20260102T030405.json"
    assert written.stat().st_mode & 0o777 == 0o600
    body = json.loads(written.read_text("utf-8"))
    assert body["rejected"][0]["row"]["username"] == "kim"
    post = body["rejected"][1]
    assert post["row"]["title"] == {"base64": "/w=="}
    assert post["row"]["content"] == "글"
    assert post["reason"] == "title: byte 0 is not UTF-8"
