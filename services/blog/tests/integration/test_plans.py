"""What lists cost: by index, and no more for many posts than for few."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.blog.tests.support import BlogUnderTest
from titanium_blog.adapters import browsing
from titanium_blog.adapters.bulk import insert_many
from titanium_blog.adapters.reading import BY_TIME, BY_WORD, COMMON, matching, newest, sample
from titanium_blog.adapters.rows import WHOLE
from titanium_blog.domain.cursor import Cursor
from titanium_blog.domain.listing import Listing
from titanium_blog.settings import Settings
from titanium_kit.migrate import migrate

pytestmark = pytest.mark.integration

POSTS = 6_000
MIDDLE = Cursor(datetime(2100, 1, 1, tzinfo=UTC), 5)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]


async def explain(
    connection: Any, sql: str, arguments: list[Any], *, settings: str = "SELECT"
) -> list[dict[str, Any]]:
    """The nodes of the plan that reads `posts`, as executed."""
    async with connection.transaction():
        await connection.execute(settings)
        text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    found = nodes(json.loads(text)[0]["Plan"])
    return [node for node in found if node.get("Relation Name") == "posts"]


async def connect(settings: Settings) -> Any:
    return await asyncpg.connect(
        settings.database_url, password=settings.database_password.get_secret_value()
    )


@pytest.fixture(scope="module")
def blog_settings(postgres: Any) -> Settings:
    """Settings of a blog with thousands of posts, which the tests only read."""

    async def made() -> Settings:
        database = await postgres.create_database()
        settings = Settings(service="blog", environment="development", **database.environment())
        await migrate(settings, "titanium_blog")
        connection = await connect(settings)
        await insert_many(connection, POSTS)
        await connection.execute("VACUUM (ANALYZE) posts")
        await connection.close()
        return settings

    return asyncio.run(made())


@pytest.fixture
async def connection(blog_settings: Settings) -> AsyncIterator[Any]:
    """A connection to the database with thousands of posts."""
    made = await connect(blog_settings)
    yield made
    await made.close()


LISTS = {
    "first page": (Listing(), "posts_by_time"),
    "later page": (Listing(cursor=MIDDLE), "posts_by_time"),
    "category": (Listing(category="bulk-3"), "posts_by_category"),
    "category, later": (Listing(category="Bulk 3", cursor=MIDDLE), "posts_by_category"),
    "author": (Listing(author="bulk-7"), "posts_by_author"),
    "author, later": (Listing(author="BULK-7", cursor=MIDDLE), "posts_by_author"),
}


async def test_a_page_reads_its_own_posts_and_no_others(connection: Any) -> None:
    """With the first plans of a prepared statement and with its generic one."""
    for name, (listing, index) in LISTS.items():
        statement = newest(listing)
        for mode in ("force_custom_plan", "force_generic_plan"):
            (node,) = await explain(
                connection,
                statement.sql,
                statement.arguments,
                settings=f"SET LOCAL plan_cache_mode = {mode}",
            )
            assert node["Node Type"] in ("Index Scan", "Index Only Scan"), name
            assert node["Index Name"] == index, name
            assert node["Actual Rows"] == listing.limit + 1, name
            assert node.get("Rows Removed by Filter", 0) == 0, name


async def test_a_page_of_the_last_posts_reads_no_others(connection: Any) -> None:
    row = await connection.fetchrow(
        "SELECT created_at, id FROM posts ORDER BY created_at, id OFFSET 3 LIMIT 1"
    )
    statement = newest(Listing(cursor=Cursor(row["created_at"], row["id"])))
    (node,) = await explain(connection, statement.sql, statement.arguments)
    assert (node["Node Type"], node["Actual Rows"]) == ("Index Scan", 3)


async def test_a_post_is_one_read_by_primary_key(connection: Any) -> None:
    post_id = await connection.fetchval("SELECT max(id) FROM posts")
    (node,) = await explain(connection, WHOLE, [post_id])
    assert (node["Node Type"], node["Index Name"]) == ("Index Scan", "posts_pkey")


async def test_a_rare_word_is_found_by_the_word_index(connection: Any) -> None:
    word = "'number4321':*"
    recent, statement = sample(Listing(), word), matching(Listing(q="number4321"), word)
    assert await connection.fetchval(recent.sql, *recent.arguments) < COMMON
    found = await explain(connection, statement.sql, statement.arguments, settings=BY_WORD)
    assert [node["Node Type"] for node in found if node["Actual Rows"] > 1] == []
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]


async def test_a_common_word_reads_a_bounded_number_of_posts(connection: Any) -> None:
    recent, statement = sample(Listing(), "'bulk':*"), matching(Listing(q="bulk"), "'bulk':*")
    assert await connection.fetchval(recent.sql, *recent.arguments) >= COMMON
    found = await explain(connection, statement.sql, statement.arguments, settings=BY_TIME)
    assert max(node["Actual Rows"] for node in found) <= 500
    assert {node.get("Index Name") for node in found} == {"posts_by_time", "posts_pkey"}


async def test_what_only_pages_ask_reads_a_bounded_number_of_posts(connection: Any) -> None:
    category, post_id = await connection.fetchrow("SELECT category_id, id FROM posts LIMIT 1")
    for name, (sql, arguments, most) in {
        "related": (browsing.LIKE, [category, post_id, "'bulk' | 'babel' | 'cedan'"], 80),
        "profile": (browsing.PROFILE, ["BULK-7"], 1001),
        "beginnings": (browsing.BEGINNINGS, [[post_id]], 1),
        "bodies": (browsing.BODIES, [[post_id]], 1),
    }.items():
        for mode in ("force_custom_plan", "force_generic_plan"):
            settings = f"SET LOCAL plan_cache_mode = {mode}"
            found = await explain(connection, sql, arguments, settings=settings)
            assert found, name
            assert "Seq Scan" not in {node["Node Type"] for node in found}, name
            assert max(node["Actual Rows"] for node in found) <= most, name


async def test_bulk_posts_can_be_read_searched_and_counted(blog: BlogUnderTest) -> None:
    listed = (await blog.client.get("/api/posts?limit=1")).json()
    assert listed[0]["title"] == f"Bulk post {POSTS}"
    found = (await blog.client.get("/api/posts?q=number4321")).json()
    assert [post["title"] for post in found] == ["Bulk post 4321"]
    counts = (await blog.client.get("/api/categories")).json()
    assert sum(category["post_count"] for category in counts) == POSTS
