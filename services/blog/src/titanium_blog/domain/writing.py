"""The use cases that change something."""

from __future__ import annotations

from dataclasses import dataclass

from titanium_blog.domain import tags
from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.errors import (
    ContendedError,
    NotTheAuthorError,
    PostNotFoundError,
    StaleVersionError,
)
from titanium_blog.domain.posts import (
    Author,
    Changes,
    Draft,
    IdempotencyKey,
    Invalidator,
    Post,
    PostStore,
    Renderer,
)

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Writer:
    """Creates, changes and deletes posts; forgets cached answers after each commit.

    `versions` are those of an If-Match header; None means that the caller set no condition.
    """

    store: PostStore
    renderer: Renderer
    cache: Invalidator

    async def create(self, author: Author, draft: Draft, key: str | None) -> Post:
        """Publish `draft`. With a `key` the same request is carried out once in 24 hours."""
        rendered = await self.renderer.render(draft.title, draft.content)
        once = IdempotencyKey(key, draft.fingerprint()) if key is not None else None
        post = await self.store.create(author, draft, rendered, once)
        await self.cache.invalidate(tags.POSTS, tags.CATEGORIES)
        return post

    async def change(
        self, author: Author, post_id: int, changes: Changes, versions: tuple[int, ...] | None
    ) -> Post:
        """Apply `changes` to the newest version; members that are not named stay as they are."""
        for _ in range(ATTEMPTS):
            seen = await self._writable(author, post_id, versions)
            if changes.empty:
                return seen
            draft = Draft(
                title=changes.title if changes.title is not None else seen.title,
                content=changes.content if changes.content is not None else seen.content,
                category=changes.category or CategoryName(seen.category.name),
            )
            rendered = await self.renderer.render(draft.title, draft.content)
            post = await self.store.replace(seen, draft, rendered)
            if post is not None:
                names = [tags.POSTS, tags.post(post_id)]
                if changes.category is not None:
                    names.append(tags.CATEGORIES)
                await self.cache.invalidate(*names)
                return post
        raise ContendedError

    async def delete(self, author: Author, post_id: int, versions: tuple[int, ...] | None) -> None:
        """Delete the author's own post."""
        for _ in range(ATTEMPTS):
            if await self.store.delete(author.user_id, post_id, versions):
                await self.cache.invalidate(tags.POSTS, tags.CATEGORIES, tags.post(post_id))
                return
            await self._writable(author, post_id, versions)
        raise ContendedError

    async def remove_author(self, user_id: int) -> None:
        """Delete all posts of an account that was deleted; repeatable."""
        await self.store.remove_author(user_id)
        await self.cache.invalidate(*tags.EVERYTHING)

    async def _writable(
        self, author: Author, post_id: int, versions: tuple[int, ...] | None
    ) -> Post:
        post = await self.store.find(post_id)
        if post is None:
            raise PostNotFoundError(post_id)
        if post.author_id != author.user_id:
            raise NotTheAuthorError
        if versions is not None and post.version not in versions:
            raise StaleVersionError
        return post
