"""Names of what cached answers depend on."""

from __future__ import annotations

POSTS = "posts"
"""Every list and search."""

CATEGORIES = "categories"
"""Categories and their counts."""

EVERY_POST = "every-post"
"""Each single post: dropped together when many change at once."""

EVERYTHING = (POSTS, CATEGORIES, EVERY_POST)


def post(post_id: int) -> str:
    """One post."""
    return f"post:{post_id}"
