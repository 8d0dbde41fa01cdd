"""Fragments of SQL that several statements share, and records as values."""

# ruff: noqa: S608 - only constants, placeholders and numbers are put into statements

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from titanium_blog.domain.posts import Category, Post

CATEGORY = "c.id AS category_id, c.name AS category_name, c.slug AS category_slug, c.color"

WHOLE = f"""
SELECT p.id, p.author_id, a.username AS author, p.title, p.content, p.content_html, p.excerpt,
       p.version, p.created_at, p.updated_at, {CATEGORY}
  FROM posts p
  JOIN authors a ON a.id = p.author_id
  JOIN categories c ON c.id = p.category_id
 WHERE p.id = $1"""


def category_of(row: Mapping[str, Any]) -> Category:
    """The category in a row that has the columns of `CATEGORY`."""
    return Category(row["category_id"], row["category_name"], row["category_slug"], row["color"])


def post_of(row: Mapping[str, Any]) -> Post:
    """The post in a row of `WHOLE`."""
    return Post(
        id=row["id"],
        author_id=row["author_id"],
        author=row["author"],
        title=row["title"],
        content=row["content"],
        content_html=row["content_html"],
        excerpt=row["excerpt"],
        category=category_of(row),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
