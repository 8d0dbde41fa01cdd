"""Posts as values, and the interfaces that the use cases need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from titanium_blog.domain.categories import CategoryName


@dataclass(frozen=True, slots=True)
class Author:
    """The caller: `user_id` is internal, `username` is what readers see."""

    user_id: int
    username: str


@dataclass(frozen=True, slots=True)
class Category:
    """A category as readers see it; `color` is `#rrggbb`."""

    id: int
    name: str
    slug: str
    color: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person wrote: `content` is Markdown; no category means the default one."""

    title: str
    content: str
    category: CategoryName

    def fingerprint(self) -> bytes:
        """32 bytes that differ when anything in the draft does."""
        parts = (self.title, self.content, self.category.name)
        digest = hashlib.sha256()
        for part in parts:
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a PATCH changes; None leaves a member as it is."""

    title: str | None = None
    content: str | None = None
    category: CategoryName | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is to change."""
        return self.title is None and self.content is None and self.category is None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is computed from a draft when it is written.

    `html` is sanitized, `search` is the text form of a tsvector, `version` tells which release of
    the renderer made them.
    """

    html: str
    excerpt: str
    search: str
    version: int


@dataclass(frozen=True, slots=True)
class Post:
    """A whole post. `version` counts its changes from 1."""

    id: int
    author_id: int
    author: str
    title: str
    content: str
    content_html: str
    excerpt: str
    category: Category
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key that a client chose for one request, and that request's fingerprint."""

    key: str
    fingerprint: bytes


class PostStore(Protocol):
    """Durable posts. Every method is one transaction; a raised error means that nothing changed,
    except `Unavailable` (the outcome is not known)."""

    async def create(
        self, author: Author, draft: Draft, rendered: Rendered, key: IdempotencyKey | None
    ) -> Post:
        """The new post, or with a key that was used for the same request the one made then.

        Raises `AuthorRemovedError`, `KeyReusedError`, `ContendedError`.
        """

    async def find(self, post_id: int) -> Post | None:
        """The post, or None."""

    async def replace(self, seen: Post, draft: Draft, rendered: Rendered) -> Post | None:
        """Write `draft` over the post as it was `seen`; None when it has changed since."""

    async def delete(self, author_id: int, post_id: int, versions: tuple[int, ...] | None) -> bool:
        """Delete the author's post if it has one of `versions` (None: any); tells whether."""

    async def remove_author(self, author_id: int) -> None:
        """Delete the author's posts and refuse new ones for ever; repeatable."""


class Renderer(Protocol):
    """Turns a draft into what is stored beside it."""

    async def render(self, title: str, content: str) -> Rendered:
        """Raises `TooComplexError`."""


class Invalidator(Protocol):
    """Forgets cached answers."""

    async def invalidate(self, *tags: str) -> None:
        """Forget every answer with one of `tags`; called after the commit."""
