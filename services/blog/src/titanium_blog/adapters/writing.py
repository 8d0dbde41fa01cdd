"""Writes. The usual ones are one statement, hence one round trip and one commit.

Rows that a new post needs are locked by the statement that inserts it (`FOR SHARE` on its author,
`FOR KEY SHARE` on its category): whoever removes one of them waits, or is waited for, and the
statement then finds nothing and inserts nothing. Locks are taken in one order, author first, then
categories by id; where that cannot be kept, a deadlock is tried again.
"""

# ruff: noqa: S608 - only constants, placeholders and numbers are put into statements

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import orjson

from titanium_blog.adapters.categories import ensure_author, ensure_category
from titanium_blog.adapters.rows import CATEGORY, WHOLE, category_of, post_of
from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.errors import AuthorRemovedError, ContendedError, KeyReusedError
from titanium_blog.domain.posts import (
    Author,
    Category,
    Draft,
    IdempotencyKey,
    Post,
    Rendered,
)
from titanium_kit.database import Connection, Database

ATTEMPTS = 5
KEY_LIFETIME = "24 hours"

_NEEDED = """
WITH a AS (SELECT id, username FROM authors WHERE id = $1 AND removed_at IS NULL FOR SHARE),
     c AS (SELECT id, name, slug, color FROM categories
            WHERE key = $2 AND EXISTS (SELECT FROM a) FOR KEY SHARE),
     p AS (INSERT INTO posts (author_id, category_id, title, content, content_html, excerpt,
                              search, render_version)
           SELECT a.id, c.id, $3, $4, $5, $6, $7::tsvector, $8 FROM a, c
           RETURNING id, created_at)"""

_CREATED = f"""
SELECT (SELECT username FROM a) AS author, p.id, p.created_at, {CATEGORY}
  FROM (SELECT) one LEFT JOIN c ON true LEFT JOIN p ON true"""

CREATE = _NEEDED + _CREATED

CREATE_ONCE = f"""{_NEEDED},
     k AS (INSERT INTO idempotency_keys
                  (author_id, key, fingerprint, post_id, post_created_at, category)
           SELECT $1, $9, $10, p.id, p.created_at, jsonb_build_object(
                  'id', c.id, 'name', c.name, 'slug', c.slug, 'color', c.color)
             FROM p, c)
{_CREATED}"""

REMOVED = "SELECT removed_at IS NOT NULL FROM authors WHERE id = $1"

KNOWN_KEY = """
SELECT k.fingerprint, k.post_id, k.post_created_at, k.category, a.username AS author
  FROM idempotency_keys k JOIN authors a ON a.id = k.author_id
 WHERE k.author_id = $1 AND k.key = $2 AND k.created_at > now() - $3::text::interval"""

FORGET_KEY = """
DELETE FROM idempotency_keys
 WHERE author_id = $1 AND key = $2 AND created_at <= now() - $3::text::interval"""

FORGET_OLD_KEYS = "DELETE FROM idempotency_keys WHERE created_at <= now() - $1::text::interval"

REPLACE = f"""
WITH c AS (SELECT id, name, slug, color FROM categories WHERE key = $3 FOR KEY SHARE)
UPDATE posts p
   SET title = $4, content = $5, content_html = $6, excerpt = $7, search = $8::tsvector,
       render_version = $9, category_id = c.id, version = p.version + 1,
       updated_at = greatest(now(), p.updated_at)
  FROM c
 WHERE p.id = $1 AND p.version = $2
RETURNING p.version, p.created_at, p.updated_at, {CATEGORY}"""

LOCK_CATEGORIES = """
SELECT FROM categories WHERE id = $1 OR key = $2 ORDER BY id FOR UPDATE"""

DELETE = """
DELETE FROM posts
 WHERE id = $2 AND author_id = $1 AND ($3::integer[] IS NULL OR version = ANY($3))"""

REMOVE_AUTHOR = """
INSERT INTO authors (id, removed_at) VALUES ($1, now())
ON CONFLICT (id) DO UPDATE SET username = NULL, removed_at = coalesce(authors.removed_at, now())"""

REMOVE_POSTS = "DELETE FROM posts WHERE author_id = $1"
REMOVE_KEYS = "DELETE FROM idempotency_keys WHERE author_id = $1"

RETRIED = (asyncpg.DeadlockDetectedError, asyncpg.ForeignKeyViolationError)


class SqlPostStore:
    """Implements `PostStore` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, author: Author, draft: Draft, rendered: Rendered, key: IdempotencyKey | None
    ) -> Post:
        """See `PostStore.create`."""
        arguments = _arguments(author, draft, rendered, key)
        sql = CREATE_ONCE if key else CREATE
        async with self._database.connection() as connection:
            row: asyncpg.Record | None = await self._try(connection, sql, arguments)
            for _ in range(ATTEMPTS):
                if row and row["id"] is not None:
                    made = category_of(row), row["id"], row["created_at"], row["author"]
                    return _new_post(author, draft, rendered, *made)
                if key:
                    known = await self._known(connection, author, key)
                    if known:
                        return _repeated(author, draft, rendered, known)
                row = await self._create_with_needs(connection, author, draft, sql, arguments)
        raise ContendedError

    async def _try(
        self, connection: Connection, sql: str, arguments: list[Any]
    ) -> asyncpg.Record | None:
        """The statement's row; None when another transaction was in the way.

        That is a key used at the same moment, or an id that an import took from the sequence.
        """
        try:
            return await connection.fetchrow(sql, *arguments)
        except (asyncpg.UniqueViolationError, *RETRIED):
            return None

    async def _create_with_needs(
        self,
        connection: Connection,
        author: Author,
        draft: Draft,
        sql: str,
        arguments: list[Any],
    ) -> asyncpg.Record | None:
        """As `_try`, after making the author's and the category's rows if they are missing."""
        await ensure_author(connection, author)
        if await connection.fetchval(REMOVED, author.user_id):
            raise AuthorRemovedError
        try:
            async with connection.transaction():
                await ensure_category(connection, draft.category)
                return await connection.fetchrow(sql, *arguments)
        except (asyncpg.UniqueViolationError, *RETRIED):
            return None

    async def _known(
        self, connection: Connection, author: Author, key: IdempotencyKey
    ) -> asyncpg.Record | None:
        await connection.execute(FORGET_KEY, author.user_id, key.key, KEY_LIFETIME)
        known = await connection.fetchrow(KNOWN_KEY, author.user_id, key.key, KEY_LIFETIME)
        if known and known["fingerprint"] != key.fingerprint:
            raise KeyReusedError
        return known

    async def find(self, post_id: int) -> Post | None:
        """See `PostStore.find`."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(WHOLE, post_id)
        return post_of(row) if row else None

    async def replace(self, seen: Post, draft: Draft, rendered: Rendered) -> Post | None:
        """See `PostStore.replace`."""
        arguments = [seen.id, seen.version, draft.category.key, draft.title, draft.content]
        arguments += [rendered.html, rendered.excerpt, rendered.search, rendered.version]
        async with self._database.connection() as connection:
            if draft.category.key == CategoryName(seen.category.name).key:
                row = await self._try(connection, REPLACE, arguments)
            else:
                row = await self._move(connection, seen, draft.category, arguments)
        if row is None:
            return None
        return Post(
            id=seen.id,
            author_id=seen.author_id,
            author=seen.author,
            title=draft.title,
            content=draft.content,
            content_html=rendered.html,
            excerpt=rendered.excerpt,
            category=category_of(row),
            version=row["version"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )

    async def _move(
        self, connection: Connection, seen: Post, category: CategoryName, arguments: list[Any]
    ) -> asyncpg.Record | None:
        """As `REPLACE` with another category, whose row may have to be made first."""
        try:
            async with _committed_if_useful(connection) as found:
                await ensure_category(connection, category)
                await connection.execute(LOCK_CATEGORIES, seen.category.id, category.key)
                found.append(await connection.fetchrow(REPLACE, *arguments))
        except RETRIED:
            return None
        return found[0]

    async def delete(self, author_id: int, post_id: int, versions: tuple[int, ...] | None) -> bool:
        """See `PostStore.delete`."""
        wanted = list(versions) if versions is not None else None
        async with self._database.connection() as connection:
            try:
                status: str = await connection.execute(DELETE, author_id, post_id, wanted)
            except RETRIED:
                return False
        return status == "DELETE 1"

    async def remove_author(self, author_id: int) -> None:
        """See `PostStore.remove_author`. The first statement waits for posts under way."""
        async with self._database.connection() as connection:
            for _ in range(ATTEMPTS):
                with suppress(asyncpg.DeadlockDetectedError):
                    async with connection.transaction():
                        for statement in (REMOVE_AUTHOR, REMOVE_POSTS, REMOVE_KEYS):
                            await connection.execute(statement, author_id)
                    return
        raise ContendedError

    async def forget_old_keys(self) -> None:
        """Delete idempotency keys older than 24 hours."""
        async with self._database.connection() as connection:
            await connection.execute(FORGET_OLD_KEYS, KEY_LIFETIME)


@asynccontextmanager
async def _committed_if_useful(
    connection: Connection,
) -> AsyncIterator[list[asyncpg.Record | None]]:
    """A transaction that is rolled back unless the block puts a row into the list."""
    found: list[asyncpg.Record | None] = []
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield found
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.commit() if any(found) else transaction.rollback())


def _arguments(
    author: Author, draft: Draft, rendered: Rendered, key: IdempotencyKey | None
) -> list[Any]:
    arguments: list[Any] = [author.user_id, draft.category.key, draft.title, draft.content]
    arguments += [rendered.html, rendered.excerpt, rendered.search, rendered.version]
    return [*arguments, key.key, key.fingerprint] if key else arguments


def _new_post(
    author: Author,
    draft: Draft,
    rendered: Rendered,
    category: Category,
    post_id: int,
    created_at: Any,
    username: str,
) -> Post:
    return Post(
        id=post_id,
        author_id=author.user_id,
        author=username,
        title=draft.title,
        content=draft.content,
        content_html=rendered.html,
        excerpt=rendered.excerpt,
        category=category,
        version=1,
        created_at=created_at,
        updated_at=created_at,
    )


def _repeated(author: Author, draft: Draft, rendered: Rendered, known: Mapping[str, Any]) -> Post:
    """The post as it was answered first: the request is the same, only this much was stored."""
    category = Category(**orjson.loads(known["category"]))
    made = category, known["post_id"], known["post_created_at"], known["author"]
    return _new_post(author, draft, rendered, *made)
