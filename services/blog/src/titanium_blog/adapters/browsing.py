"""What only the web pages ask for: authors, neighbours of a post, beginnings, addresses.

Every statement reads a bounded number of rows by an index.
"""

# ruff: noqa: S608 - only constants, placeholders and numbers are put into statements

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from titanium_blog.adapters.reading import JOINS, SUMMARY
from titanium_blog.domain.posts import Post
from titanium_blog.domain.search import IS_CJK, lexemes
from titanium_kit.database import Database

NEIGHBOURS = 40
"""Posts that are compared: the newest of the category, and the newest of all."""
RELATED = 3
TERMS = 32
SHORTEST = 4
"""Shorter words, which are in every text, tell nothing about likeness."""

COUNTED = 1000
BEGINNING = 6000
FEED_BODY = 60_000
ADDRESSES = 10_000

LIKE = f"""
WITH near AS (
  (SELECT id FROM posts WHERE category_id = $1
    ORDER BY created_at DESC, id DESC LIMIT {NEIGHBOURS})
  UNION
  (SELECT id FROM posts ORDER BY created_at DESC, id DESC LIMIT {NEIGHBOURS}))
SELECT {SUMMARY}
  FROM (SELECT id, created_at,
               ts_rank(search, $3::tsquery, 1) + CASE category_id WHEN $1 THEN 0.01 ELSE 0 END
                 AS rank
          FROM posts WHERE id IN (SELECT id FROM near) AND id <> $2
         ORDER BY rank DESC, created_at DESC, id DESC LIMIT {RELATED}) best
  JOIN posts p ON p.id = best.id {JOINS}
 ORDER BY best.rank DESC, p.created_at DESC, p.id DESC"""

PROFILE = f"""
SELECT a.username,
       (SELECT count(*) FROM (SELECT FROM posts WHERE author_id = a.id LIMIT {COUNTED + 1}) few)
         AS posts,
       (SELECT created_at FROM posts WHERE author_id = a.id ORDER BY created_at, id LIMIT 1)
         AS since,
       ARRAY(SELECT ROW(c.name, c.slug, c.color, n.posts)
               FROM (SELECT category_id, count(*) AS posts
                       FROM (SELECT category_id FROM posts WHERE author_id = a.id
                              ORDER BY created_at DESC, id DESC LIMIT {COUNTED}) newest
                      GROUP BY 1) n
               JOIN categories c ON c.id = n.category_id
              ORDER BY n.posts DESC, c.name LIMIT 8) AS categories
  FROM authors a
 WHERE lower(a.username) = lower($1::text) AND a.removed_at IS NULL
 ORDER BY a.id DESC LIMIT 1"""

BEGINNINGS = f"SELECT id, left(content_html, {BEGINNING}) AS text FROM posts WHERE id = ANY($1)"

BODIES = f"""
SELECT id, content_html FROM posts
 WHERE id = ANY($1) AND char_length(content_html) <= {FEED_BODY}"""

EVERY = f"""
SELECT id, updated_at FROM posts ORDER BY created_at DESC, id DESC LIMIT {ADDRESSES}"""


@dataclass(frozen=True, slots=True)
class Profile:
    """An author as readers see one. `posts` is at most 1001: "more than a thousand" then.

    `categories` are (name, slug, color, posts), those with most posts first.
    """

    username: str
    posts: int
    since: datetime | None
    categories: Sequence[tuple[str, str, str, int]]


def likeness(post: Post) -> str:
    """A tsquery with the telling words of the title and the beginning, any of which may match."""
    words = dict.fromkeys(
        word
        for word in lexemes(f"{post.title} {post.excerpt}")
        if (len(word) == 2 if IS_CJK.match(word) else len(word) >= SHORTEST)
    )
    return " | ".join(f"'{word}'" for word in list(words)[:TERMS])


class PageReader:
    """Reads for pages. Every method raises `Unavailable` without a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def related(self, post: Post) -> list[asyncpg.Record]:
        """Three posts like this one, with the columns of `SUMMARY`."""
        arguments = (post.category.id, post.id, likeness(post))
        async with self._database.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(LIKE, *arguments)
        return rows

    async def profile(self, username: str) -> Profile | None:
        """The author of that name, in any case; None for people who never wrote."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(PROFILE, username)
        return Profile(**row) if row else None

    async def beginnings(self, ids: Sequence[int]) -> dict[int, str]:
        """The first 6,000 characters of the HTML of posts, perhaps cut inside of a tag."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(BEGINNINGS, ids)
        return {row["id"]: row["text"] for row in rows}

    async def bodies(self, ids: Sequence[int]) -> dict[int, str]:
        """The HTML of posts that are not very long."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(BODIES, ids)
        return {row["id"]: row["content_html"] for row in rows}

    async def addresses(self) -> list[asyncpg.Record]:
        """(id, updated_at) of the 10,000 newest posts."""
        async with self._database.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(EVERY)
        return rows
