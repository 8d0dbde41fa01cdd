"""Brings in posts that were written elsewhere: each once, with its times and if possible its id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from titanium_blog.adapters.categories import ensure_author, ensure_category
from titanium_blog.adapters.markdown import render
from titanium_blog.adapters.writing import REMOVED
from titanium_blog.domain.errors import AuthorRemovedError, ContendedError
from titanium_blog.domain.posts import Author, Draft
from titanium_kit.database import Connection

ATTEMPTS = 5
HIGHEST_KEPT_ID = 10**12
"""A higher one would leave too few for new posts, or ids that JavaScript cannot hold."""

KNOWN = "SELECT post_id FROM imported_posts WHERE source = $1 AND legacy_id = $2"

COLUMNS = """author_id, category_id, title, content, content_html, excerpt, search, render_version,
             created_at, updated_at"""
VALUES = """$1, (SELECT id FROM categories WHERE key = $2), $3, $4, $5, $6, $7::tsvector, $8, $9,
            $10"""
INSERT = f"INSERT INTO posts ({COLUMNS}) VALUES ({VALUES}) RETURNING id"  # noqa: S608 - constants
INSERT_AS = f"""
INSERT INTO posts ({COLUMNS}, id) VALUES ({VALUES}, $11) ON CONFLICT (id) DO NOTHING
RETURNING id"""  # noqa: S608 - constants

REMEMBER = "INSERT INTO imported_posts (source, legacy_id, post_id) VALUES ($1, $2, $3)"
RAISE_IDS = "SELECT raise_post_ids($1)"


@dataclass(frozen=True, slots=True)
class OldPost:
    """A post of another system: `source` names it, `legacy_id` is its id there."""

    source: str
    legacy_id: int | str
    author: Author
    draft: Draft
    created_at: datetime
    updated_at: datetime


async def import_post(connection: Connection, post: OldPost) -> tuple[int, bool]:
    """(the post's id here, whether it was made now), in one transaction.

    Raises `AuthorRemovedError`, `TooComplexError`, `ContendedError`.
    """
    for _ in range(ATTEMPTS):
        try:
            async with connection.transaction():
                known = await connection.fetchval(KNOWN, post.source, str(post.legacy_id))
                if known is not None:
                    return known, False
                return await _insert(connection, post), True
        except (
            asyncpg.UniqueViolationError,
            asyncpg.NotNullViolationError,  # the category went away between two statements
            asyncpg.ForeignKeyViolationError,
            asyncpg.DeadlockDetectedError,
        ):
            continue
    raise ContendedError


async def _insert(connection: Connection, post: OldPost) -> int:
    await ensure_author(connection, post.author)
    if await connection.fetchval(REMOVED, post.author.user_id):
        raise AuthorRemovedError
    await ensure_category(connection, post.draft.category)
    draft = post.draft
    rendered = render(draft.title, draft.content)
    row = (
        post.author.user_id,
        draft.category.key,
        draft.title,
        draft.content,
        rendered.html,
        rendered.excerpt,
        rendered.search,
        rendered.version,
        post.created_at,
        post.updated_at,
    )
    post_id: int | None = None
    if isinstance(post.legacy_id, int) and 0 < post.legacy_id <= HIGHEST_KEPT_ID:
        post_id = await connection.fetchval(INSERT_AS, *row, post.legacy_id)
        if post_id is not None:
            await connection.execute(RAISE_IDS, post_id)
    if post_id is None:
        post_id = await connection.fetchval(INSERT, *row)
    await connection.execute(REMEMBER, post.source, str(post.legacy_id), post_id)
    if post_id is None:
        raise AssertionError("INSERT ... RETURNING gave no row")
    return post_id
