"""Makes the row of a category that a post needs."""

from __future__ import annotations

from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.posts import Author
from titanium_kit.database import Connection

INSERT_CATEGORY = """
INSERT INTO categories (key, name, slug, color) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"""

INSERT_AUTHOR = "INSERT INTO authors (id, username) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING"


async def ensure_category(connection: Connection, name: CategoryName) -> None:
    """Create the category unless it exists. Call it in the transaction that makes its first post:
    nobody else sees an empty category then."""
    await connection.execute(INSERT_CATEGORY, name.key, name.name, name.slug, name.color)


async def ensure_author(connection: Connection, author: Author) -> None:
    """Create the author unless known or removed."""
    await connection.execute(INSERT_AUTHOR, author.user_id, author.username)
