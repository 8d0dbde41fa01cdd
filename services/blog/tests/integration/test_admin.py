"""`python -m titanium_blog.admin`."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from services.blog.tests.support import BlogUnderTest
from titanium_blog import admin

pytestmark = pytest.mark.integration


def row(legacy_id: Any = 41, **members: Any) -> dict[str, Any]:
    return {
        "source": "sqlite-v1",
        "legacy_id": legacy_id,
        "author_id": 7,
        "author": "minji",
        "title": "Old post",
        "content": "Written **long** ago",
        "created_at": "2019-05-06T07:08:09",
        "updated_at": "2020-01-01T00:00:00.5+09:00",
        **members,
    }


async def run(blog: BlogUnderTest, *rows: Any) -> list[dict[str, Any]]:
    lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in rows]
    target = io.BytesIO()
    await admin.import_posts(blog.settings, io.BytesIO(b"\n".join(lines)), target)
    return [json.loads(line) for line in target.getvalue().splitlines()]


async def test_an_old_post_keeps_its_id_times_and_author(blog: BlogUnderTest) -> None:
    (result,) = await run(blog, row())
    assert result == {"legacy_id": 41, "id": 41, "status": "created", "reason": None}
    post = (await blog.client.get("/api/posts/41")).json()
    assert post["author"] == "minji"
    assert post["content_html"] == "<p>Written <strong>long</strong> ago</p>\n"
    assert post["created_at"] == "2019-05-06T07:08:09.000000Z"
    assert post["updated_at"] == "2019-12-31T15:00:00.500000Z"
    assert post["category"]["name"] == "General"
    owner = blog.bearer(7, "minji")
    changed = await blog.client.patch("/api/posts/41", json={"title": "x"}, headers=owner)
    assert changed.status_code == 200


async def test_new_posts_get_ids_above_imported_ones(blog: BlogUnderTest) -> None:
    await run(blog, row(41))
    assert (await blog.created())["id"] == 42


async def test_an_import_may_be_repeated(blog: BlogUnderTest) -> None:
    await run(blog, row())
    (again,) = await run(blog, row(title="Changed since"))
    assert again == {"legacy_id": 41, "id": 41, "status": "existing", "reason": None}
    await blog.client.delete("/api/posts/41", headers=blog.bearer(7, "minji"))
    (again,) = await run(blog, row())
    assert again["status"] == "existing"
    assert (await blog.client.get("/api/posts/41")).status_code == 404


async def test_a_taken_or_unusable_id_is_replaced(blog: BlogUnderTest) -> None:
    mine = await blog.created()
    results = await run(
        blog,
        row(mine["id"]),
        row("text"),
        row(2**62, source="demo"),
        row(mine["id"], source="demo"),
    )
    assert {result["status"] for result in results} == {"created"}
    ids = [result["id"] for result in results]
    assert len({mine["id"], *ids}) == 5
    assert max(ids) < 100


async def test_two_imports_at_once_make_each_post_once(blog: BlogUnderTest) -> None:
    rows = [row(number, category_name=f"c{number % 3}") for number in range(1, 16)]
    results = await asyncio.gather(run(blog, *rows), run(blog, *reversed(rows)))
    statuses = [result["status"] for half in results for result in half]
    assert sorted(statuses) == ["created"] * 15 + ["existing"] * 15
    assert len(await blog.sql("SELECT FROM posts")) == 15


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"nope", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"a": 1, "a": 2}', "more than once"),
        (b"[]", "dictionary"),
        (b'"' + b"x" * admin.MOST_LINE + b'"', "longer than"),
        (row(title=""), "title"),
        (row(content="x\x00"), "NUL"),
        (row(content="x" * 100_001), "100000"),
        (row(author=""), "author"),
        (row(author_id=0), "author_id"),
        (row(created_at="yesterday"), "created_at"),
        (row(legacy_id=None), "legacy_id"),
        (row(legacy_id=True), "legacy_id"),
        (row(created_at="0001-01-01T00:00:00+14:00"), "1970"),
        (row(updated_at="9999-12-31T23:59:59.999999Z"), "2999"),
    ],
)
async def test_a_bad_row_is_reported_and_the_others_are_kept(
    blog: BlogUnderTest, bad: Any, reason: str
) -> None:
    results = await run(blog, row(1), bad, b"", row(2))
    assert [result["status"] for result in results] == ["created", "rejected", "created"]
    assert reason in results[1]["reason"]


async def test_a_removed_author_gets_no_posts_back(blog: BlogUnderTest) -> None:
    await blog.client.delete("/internal/authors/7")
    (result,) = await run(blog, row())
    assert result["status"] == "rejected"
    assert "deleted" in result["reason"]


async def test_the_extremes_of_time_are_kept(blog: BlogUnderTest) -> None:
    last, first = "2999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00+14:00"
    await run(blog, row(1, created_at=last, updated_at=last), row(2, created_at=first))
    pages = []
    address = "/api/posts?limit=1"
    while address:
        response = await blog.client.get(address)
        pages += [post["id"] for post in response.json()]
        address = response.headers.get("link", "").partition(">")[0].lstrip("<")
    assert pages == [1, 2]


def test_the_command_line_imports_standard_input(
    blog_environment: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Any
) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "titanium_blog.admin", "import"],
        input=json.dumps(row()).encode(),
        capture_output=True,
        env=blog_environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "created"


def test_the_command_line_makes_many_posts(
    blog_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in blog_environment.items():
        monkeypatch.setenv(name, value)
    admin.main(["bulk", "50"])


def test_errors_of_the_command_line_are_one_line(
    blog_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in blog_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@/x?host=/nowhere")
    with pytest.raises(SystemExit) as refused:
        admin.main(["bulk", "5"])
    assert "titanium_blog.admin: the database" in str(refused.value.code)
    monkeypatch.setenv("ENVIRONMENT", "neither")
    with pytest.raises(SystemExit) as refused:
        admin.main(["bulk", "5"])
    assert "ENVIRONMENT" in str(refused.value.code)
    with pytest.raises(SystemExit):
        admin.main(["bulk", "0"])


@pytest.fixture
async def blog_environment(blog: BlogUnderTest) -> dict[str, str]:
    """Variables for a process that administers this blog."""
    return {
        "SERVICE": "blog",
        "ENVIRONMENT": "development",
        "DATABASE_URL": blog.settings.database_url,
        "DATABASE_PASSWORD": blog.settings.database_password.get_secret_value(),
    }
