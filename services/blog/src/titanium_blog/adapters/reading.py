"""Reads: single posts, lists by index, ranked search, categories."""

# ruff: noqa: S608 - only constants, placeholders and numbers are put into statements

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from titanium_blog.adapters.rows import CATEGORY, WHOLE, post_of
from titanium_blog.domain import search
from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.cursor import Cursor
from titanium_blog.domain.listing import Listing
from titanium_blog.domain.posts import Post
from titanium_kit.database import Database

CANDIDATES = 500
"""Search ranks the newest posts that match, at most this many."""

SAMPLE = 400
COMMON = 20
"""A query that matches `COMMON` of the `SAMPLE` newest posts is common: see `_search`."""

CATEGORIES = """
SELECT c.id, c.name, c.slug, c.color, n.posts::bigint AS post_count
  FROM categories c
  JOIN (SELECT category_id, sum(posts) AS posts FROM category_counts GROUP BY 1) n
    ON n.category_id = c.id
 WHERE n.posts > 0
 ORDER BY n.posts DESC, c.name
 LIMIT 1000"""

SUMMARY = f"p.id, p.title, p.excerpt, a.username AS author, {CATEGORY}, p.created_at, p.updated_at"
JOINS = "JOIN authors a ON a.id = p.author_id JOIN categories c ON c.id = p.category_id"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: rows with the columns of `SUMMARY`, and where the next page starts."""

    rows: list[asyncpg.Record]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its arguments."""

    sql: str
    arguments: list[Any]


class _Arguments(list[Any]):
    def add(self, value: Any) -> str:
        """The placeholder of one more argument."""
        self.append(value)
        return f"${len(self)}"


def _filters(listing: Listing, arguments: _Arguments) -> list[str]:
    """Conditions on posts. The subqueries run once and leave a constant to the index."""
    conditions = []
    if listing.category is not None:
        name = CategoryName.of(listing.category)
        key, slug = arguments.add(name.key), arguments.add(name.name.casefold())
        conditions.append(
            f"category_id = (SELECT id FROM categories WHERE slug = {slug} OR key = {key}"
            f" ORDER BY slug = {slug} DESC LIMIT 1)"
        )
    if listing.author is not None:
        author = arguments.add(listing.author)
        conditions.append(
            f"author_id = (SELECT id FROM authors WHERE lower(username) = lower({author}::text)"
            " AND removed_at IS NULL ORDER BY id DESC LIMIT 1)"
        )
    return conditions


def _where(conditions: list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _window(listing: Listing, arguments: _Arguments) -> str:
    """One row more than the page tells whether there is a next page.

    LIMIT is written out, and OFFSET only where there is one: the planner of a prepared statement
    knows nothing of parameters, and would not see that a page is small.
    """
    offset = f" OFFSET {arguments.add(listing.offset)}" if listing.offset else ""
    return f"LIMIT {listing.limit + 1:d}{offset}"


def newest(listing: Listing) -> Statement:
    """The newest posts, by an index that has their order already."""
    arguments = _Arguments()
    conditions = _filters(listing, arguments)
    if listing.cursor is not None:
        moment, last = arguments.add(listing.cursor.created_at), arguments.add(listing.cursor.id)
        conditions.append(f"(created_at, id) < ({moment}, {last})")
    sql = f"""
SELECT {SUMMARY}, 0 AS rank
  FROM (SELECT id, title, excerpt, author_id, category_id, created_at, updated_at
          FROM posts {_where(conditions)}
         ORDER BY created_at DESC, id DESC {_window(listing, arguments)}) p {JOINS}
 ORDER BY p.created_at DESC, p.id DESC"""
    return Statement(sql, arguments)


def sample(listing: Listing, query: str) -> Statement:
    """How many of the newest posts match `query`: a few milliseconds at most."""
    arguments = _Arguments()
    wanted = f"{arguments.add(query)}::tsquery"
    sql = f"""
SELECT count(*) FILTER (WHERE search @@ {wanted})
  FROM (SELECT search FROM posts {_where(_filters(listing, arguments))}
         ORDER BY created_at DESC, id DESC LIMIT {SAMPLE}) recent"""
    return Statement(sql, arguments)


def matching(listing: Listing, query: str) -> Statement:
    """The posts that match `query`, best first, newer ones first among equals."""
    arguments = _Arguments()
    wanted = f"{arguments.add(query)}::tsquery"
    conditions = [f"search @@ {wanted}", *_filters(listing, arguments)]
    after = ""
    if listing.cursor is not None:
        place = listing.cursor
        marks = [arguments.add(value) for value in (place.rank, place.created_at, place.id)]
        after = f"WHERE (rank, created_at, id) < ({', '.join(marks)})"
    sql = f"""
WITH candidates AS MATERIALIZED (
  SELECT id, created_at, (ts_rank(search, {wanted}, 1) * 1000000)::integer AS rank
    FROM (SELECT id, created_at, search FROM posts {_where(conditions)}
           ORDER BY created_at DESC, id DESC LIMIT {CANDIDATES}) found)
SELECT {SUMMARY}, best.rank
  FROM (SELECT * FROM candidates {after}
         ORDER BY rank DESC, created_at DESC, id DESC {_window(listing, arguments)}) best
  JOIN posts p ON p.id = best.id {JOINS}
 ORDER BY best.rank DESC, p.created_at DESC, p.id DESC"""
    return Statement(sql, arguments)


_ALWAYS = "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_custom_plan"
BY_TIME = f"{_ALWAYS}; SET LOCAL enable_bitmapscan = off"
BY_WORD = f"{_ALWAYS}; SET LOCAL enable_indexscan = off"


class PostReader:
    """What readers ask for. Every method raises `Unavailable` without a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, post_id: int) -> Post | None:
        """The whole post, or None."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(WHOLE, post_id)
        return post_of(row) if row else None

    async def page(self, listing: Listing) -> Page:
        """One page of posts; an unknown category or author has none."""
        if listing.q is not None and listing.q.strip():
            rows = await self._search(listing, listing.q)
        else:
            statement = newest(listing)
            async with self._database.connection() as connection:
                rows = await connection.fetch(statement.sql, *statement.arguments)
        if len(rows) <= listing.limit:
            return Page(rows, None)
        rows = rows[: listing.limit]
        last = rows[-1]
        return Page(rows, Cursor(last["created_at"], last["id"], last["rank"]))

    async def has(self, category: str) -> bool:
        """Whether a post is of the category, which is a slug or a name."""
        return bool((await self.page(Listing(limit=1, category=category))).rows)

    async def _search(self, listing: Listing, text: str) -> list[asyncpg.Record]:
        query = search.query(text)
        if query is None:
            return []
        recent, statement = sample(listing, query), matching(listing, query)
        async with self._database.transaction() as connection:
            # For common words the index by time finds enough at once; for rare ones it would read
            # every post, and the index of words finds the few. The planner's statistics do not
            # tell the frequency of a prefix, so it is looked at, and the other index forbidden.
            common = await connection.fetchval(recent.sql, *recent.arguments) >= COMMON
            await connection.execute(BY_TIME if common else BY_WORD)
            rows: list[asyncpg.Record] = await connection.fetch(statement.sql, *statement.arguments)
        return rows

    async def categories(self) -> list[asyncpg.Record]:
        """Categories with posts, the largest first: id, name, slug, color, post_count."""
        async with self._database.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(CATEGORIES)
        return rows
