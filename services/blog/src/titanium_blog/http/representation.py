"""From rows to JSON bytes. Times are RFC 3339 in UTC, always with microseconds and Z."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from titanium_blog.domain.posts import Post


def timestamp(moment: datetime) -> str:
    """`2026-01-31T09:00:00.000000Z` of a time in UTC."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def post_etag(version: int) -> str:
    """The validator of a post is its version."""
    return f'"{version}"'


def whole_post(post: Post) -> bytes:
    """One post with its content."""
    category = post.category
    return orjson.dumps(
        {
            "id": post.id,
            "title": post.title,
            "content": post.content,
            "content_html": post.content_html,
            "excerpt": post.excerpt,
            "author": post.author,
            "category": {
                "id": category.id,
                "name": category.name,
                "slug": category.slug,
                "color": category.color,
            },
            "created_at": timestamp(post.created_at),
            "updated_at": timestamp(post.updated_at),
        }
    )


def summaries(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A list of posts without their content."""
    return orjson.dumps(
        [
            {
                "id": row["id"],
                "title": row["title"],
                "excerpt": row["excerpt"],
                "author": row["author"],
                "category": {
                    "id": row["category_id"],
                    "name": row["category_name"],
                    "slug": row["category_slug"],
                    "color": row["color"],
                },
                "created_at": timestamp(row["created_at"]),
                "updated_at": timestamp(row["updated_at"]),
            }
            for row in rows
        ]
    )


def categories(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """All categories with the number of their posts."""
    return orjson.dumps([dict(row) for row in rows])
