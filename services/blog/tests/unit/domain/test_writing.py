"""The use cases, on a store in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.errors import (
    ContendedError,
    NotTheAuthorError,
    PostNotFoundError,
    StaleVersionError,
)
from titanium_blog.domain.posts import (
    Author,
    Category,
    Changes,
    Draft,
    IdempotencyKey,
    Invalidator,
    Post,
    PostStore,
    Rendered,
    Renderer,
)
from titanium_blog.domain.writing import Writer

pytestmark = pytest.mark.unit

SOYEON, TOM = Author(1, "soyeon"), Author(2, "tom")
DRAFT = Draft("Title", "Content", CategoryName.of("Travel"))


class FakeStore(PostStore):
    """Posts in a dictionary; `interference` changes of others happen before our own."""

    def __init__(self) -> None:
        self.posts: dict[int, Post] = {}
        self.keys: dict[str, IdempotencyKey] = {}
        self.interference = 0

    async def create(
        self, author: Author, draft: Draft, rendered: Rendered, key: IdempotencyKey | None
    ) -> Post:
        if key:
            self.keys[key.key] = key
        now = datetime.now(UTC)
        category = Category(1, draft.category.name, draft.category.slug, draft.category.color)
        post = Post(
            id=len(self.posts) + 1,
            author_id=author.user_id,
            author=author.username,
            title=draft.title,
            content=draft.content,
            content_html=rendered.html,
            excerpt=rendered.excerpt,
            category=category,
            version=1,
            created_at=now,
            updated_at=now,
        )
        self.posts[post.id] = post
        return post

    async def find(self, post_id: int) -> Post | None:
        return self.posts.get(post_id)

    async def replace(self, seen: Post, draft: Draft, rendered: Rendered) -> Post | None:
        self._interfere(seen.id)
        if self.posts[seen.id].version != seen.version:
            return None
        self.posts[seen.id] = replace(
            seen,
            title=draft.title,
            content=draft.content,
            content_html=rendered.html,
            category=replace(seen.category, name=draft.category.name),
            version=seen.version + 1,
        )
        return self.posts[seen.id]

    async def delete(self, author_id: int, post_id: int, versions: tuple[int, ...] | None) -> bool:
        post = self.posts.get(post_id)
        self._interfere(post_id)
        wanted = post and post.author_id == author_id
        if not wanted or (versions is not None and post and post.version not in versions):
            return False
        if self.posts[post_id].version != (post.version if post else 0):
            return False
        del self.posts[post_id]
        return True

    async def remove_author(self, author_id: int) -> None:
        self.posts = {i: p for i, p in self.posts.items() if p.author_id != author_id}

    def _interfere(self, post_id: int) -> None:
        if self.interference and post_id in self.posts:
            self.interference -= 1
            post = self.posts[post_id]
            self.posts[post_id] = replace(post, version=post.version + 1, content="theirs")


class FakeRenderer(Renderer):
    async def render(self, title: str, content: str) -> Rendered:
        return Rendered(f"<p>{content}</p>", content, title, 1)


class FakeInvalidator(Invalidator):
    def __init__(self) -> None:
        self.tags: list[set[str]] = []

    async def invalidate(self, *tags: str) -> None:
        self.tags.append(set(tags))


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def cache() -> FakeInvalidator:
    return FakeInvalidator()


@pytest.fixture
def writer(store: FakeStore, cache: FakeInvalidator) -> Writer:
    return Writer(store, FakeRenderer(), cache)


async def test_a_new_post_is_rendered_and_lists_are_forgotten(
    writer: Writer, cache: FakeInvalidator
) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    assert (post.author, post.content_html) == ("soyeon", "<p>Content</p>")
    assert cache.tags == [{"posts", "categories"}]


async def test_a_key_is_stored_with_what_makes_the_request_the_same(
    writer: Writer, store: FakeStore
) -> None:
    await writer.create(SOYEON, DRAFT, "key")
    assert store.keys["key"].fingerprint == DRAFT.fingerprint()
    others = [replace(DRAFT, title="Title2"), replace(DRAFT, content="Titl")]
    others += [replace(DRAFT, category=CategoryName.of("Food"))]
    assert DRAFT.fingerprint() not in {other.fingerprint() for other in others}


async def test_a_change_leaves_other_members_alone(writer: Writer, cache: FakeInvalidator) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    changed = await writer.change(SOYEON, post.id, Changes(title="New"), None)
    assert (changed.title, changed.content, changed.version) == ("New", "Content", 2)
    assert changed.category.name == "Travel"
    assert cache.tags[-1] == {"posts", "post:1"}


async def test_a_new_category_forgets_the_categories(
    writer: Writer, cache: FakeInvalidator
) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    await writer.change(SOYEON, post.id, Changes(category=CategoryName.of("Food")), None)
    assert cache.tags[-1] == {"posts", "post:1", "categories"}


async def test_a_change_of_nothing_changes_nothing(writer: Writer, cache: FakeInvalidator) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    assert await writer.change(SOYEON, post.id, Changes(), (1,)) == post
    assert len(cache.tags) == 1


async def test_a_change_between_reading_and_writing_is_not_lost(
    writer: Writer, store: FakeStore
) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    store.interference = 1
    changed = await writer.change(SOYEON, post.id, Changes(title="Mine"), None)
    assert (changed.title, changed.content) == ("Mine", "theirs")


async def test_a_condition_is_checked_again_after_a_change_of_others(
    writer: Writer, store: FakeStore
) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    store.interference = 1
    with pytest.raises(StaleVersionError):
        await writer.change(SOYEON, post.id, Changes(title="Mine"), (1,))
    assert store.posts[1].title == "Title"


async def test_endless_interference_ends_with_an_error(writer: Writer, store: FakeStore) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    store.interference = 1000
    with pytest.raises(ContendedError):
        await writer.change(SOYEON, post.id, Changes(title="Mine"), None)
    with pytest.raises(ContendedError):
        await writer.delete(SOYEON, post.id, None)


async def test_only_the_author_may_write(writer: Writer, store: FakeStore) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    with pytest.raises(NotTheAuthorError):
        await writer.change(TOM, post.id, Changes(title="Mine"), None)
    with pytest.raises(NotTheAuthorError):
        await writer.delete(TOM, post.id, None)
    assert store.posts[1] == post


async def test_what_does_not_exist_cannot_be_written(writer: Writer) -> None:
    with pytest.raises(PostNotFoundError):
        await writer.change(SOYEON, 9, Changes(title="Mine"), None)
    with pytest.raises(PostNotFoundError):
        await writer.delete(SOYEON, 9, None)


async def test_a_deleted_post_is_forgotten_everywhere(
    writer: Writer, store: FakeStore, cache: FakeInvalidator
) -> None:
    post = await writer.create(SOYEON, DRAFT, None)
    with pytest.raises(StaleVersionError):
        await writer.delete(SOYEON, post.id, (2,))
    await writer.delete(SOYEON, post.id, (1,))
    assert store.posts == {}
    assert cache.tags[-1] == {"posts", "categories", "post:1"}


async def test_an_author_who_left_is_forgotten_everywhere(
    writer: Writer, store: FakeStore, cache: FakeInvalidator
) -> None:
    await writer.create(SOYEON, DRAFT, None)
    await writer.create(TOM, DRAFT, None)
    await writer.remove_author(1)
    assert [post.author for post in store.posts.values()] == ["tom"]
    assert cache.tags[-1] == {"posts", "categories", "every-post"}
