"""What several people do at the same moment."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from services.blog.tests.support import BlogUnderTest
from titanium_blog.adapters.janitor import Janitor
from titanium_blog.adapters.writing import KEY_LIFETIME

pytestmark = pytest.mark.integration


async def consistent(blog: BlogUnderTest) -> bool:
    """Whether every category has posts, and is counted right."""
    wrong = await blog.sql(
        """
        SELECT c.id FROM categories c
          LEFT JOIN (SELECT category_id, count(*) AS n FROM posts GROUP BY 1) p
            ON p.category_id = c.id
          LEFT JOIN (SELECT category_id, sum(posts) AS n FROM category_counts GROUP BY 1) k
            ON k.category_id = c.id
         WHERE p.n IS NULL OR k.n IS NULL OR p.n <> k.n"""
    )
    return not wrong


async def test_bar_13_concurrent_duplicates_with_a_key_make_one_post(blog: BlogUnderTest) -> None:
    responses = await asyncio.gather(
        *(blog.post("t", "c", headers={"Idempotency-Key": "k"}) for _ in range(20))
    )
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert len(await blog.sql("SELECT FROM posts")) == 1


async def test_concurrent_first_posts_of_a_new_category_and_author(blog: BlogUnderTest) -> None:
    posts = await asyncio.gather(
        *(blog.created(str(n), category_name=f"New {n % 2}") for n in range(20))
    )
    assert len({post["category"]["id"] for post in posts}) == 2
    assert await consistent(blog)


async def test_concurrent_changes_with_if_match_let_one_win(blog: BlogUnderTest) -> None:
    post = await blog.created()
    headers = {**blog.bearer(), "If-Match": '"1"'}
    responses = await asyncio.gather(
        *(
            blog.client.patch(f"/api/posts/{post['id']}", json={"title": f"{n}"}, headers=headers)
            for n in range(10)
        )
    )
    assert Counter(response.status_code for response in responses) == {200: 1, 412: 9}


async def test_concurrent_changes_of_different_members_are_all_kept(blog: BlogUnderTest) -> None:
    post = await blog.created("old", "old")
    address = f"/api/posts/{post['id']}"
    changes = [{"title": "new"}, {"content": "new"}, {"category_name": "new"}]
    responses = await asyncio.gather(
        *(blog.client.patch(address, json=change, headers=blog.bearer()) for change in changes)
    )
    assert {response.status_code for response in responses} == {200}
    now = (await blog.client.get(address)).json()
    assert (now["title"], now["content"], now["category"]["name"]) == ("new", "new", "new")


async def test_categories_stay_right_while_posts_come_go_and_move(blog: BlogUnderTest) -> None:
    """No 5xx, no category without posts, no wrong count."""
    names = ["one", "two", "three"]
    statuses: Counter[int] = Counter()

    async def busy(worker: int) -> None:
        for turn in range(12):
            post = (await blog.post(f"{turn}", category_name=names[(worker + turn) % 3])).json()
            address = f"/api/posts/{post['id']}"
            move = {"category_name": names[(worker + turn + 1 + worker % 2) % 3]}
            moved = await blog.client.patch(address, json=move, headers=blog.bearer())
            gone = await blog.client.delete(address, headers=blog.bearer())
            statuses.update((moved.status_code, gone.status_code))

    await asyncio.gather(*(busy(worker) for worker in range(6)))
    assert statuses == {200: 72, 204: 72}
    assert await consistent(blog)
    assert await blog.sql("SELECT FROM categories") == []


async def test_no_post_outlives_the_removal_of_its_author(blog: BlogUnderTest) -> None:
    async def write(number: int) -> int:
        await asyncio.sleep(number * 0.003)
        return (await blog.post(f"{number}")).status_code

    writes = asyncio.gather(*(write(number) for number in range(40)))
    await asyncio.sleep(0.06)
    assert (await blog.client.delete("/internal/authors/1")).status_code == 204
    assert set(await writes) <= {201, 403}
    assert await blog.sql("SELECT FROM posts") == []
    assert await blog.sql("SELECT FROM categories") == []


async def test_an_id_taken_by_an_import_is_skipped(blog: BlogUnderTest) -> None:
    post = await blog.created()
    await blog.sql(
        """
        INSERT INTO posts (id, author_id, category_id, title, content, content_html, excerpt,
                           search, render_version)
        SELECT id + 1, author_id, category_id, title, content, content_html, excerpt, search, 1
          FROM posts"""
    )
    assert (await blog.created())["id"] > post["id"] + 1


async def test_an_expired_key_is_forgotten(blog: BlogUnderTest) -> None:
    key = {"Idempotency-Key": "k"}
    first = (await blog.post("t", "c", headers=key)).json()
    await blog.sql(
        "UPDATE idempotency_keys SET created_at = now() - $1::text::interval", KEY_LIFETIME
    )
    second = await blog.post("other", "c", headers=key)
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]


async def test_the_sweep_forgets_expired_keys_alone(blog: BlogUnderTest) -> None:
    for name in ("old", "new"):
        await blog.post("t", "c", headers={"Idempotency-Key": name})
    await blog.sql(
        "UPDATE idempotency_keys SET created_at = now() - $1::text::interval WHERE key = 'old'",
        KEY_LIFETIME,
    )
    store = blog.app.state.blog.writer.store
    await store.forget_old_keys()
    assert await blog.sql("SELECT key FROM idempotency_keys") == [("new",)]


async def test_the_janitor_sweeps_until_it_is_stopped_and_survives_a_lost_database(
    blog: BlogUnderTest,
) -> None:
    await blog.post("t", "c", headers={"Idempotency-Key": "old"})
    janitor = Janitor(blog.app.state.blog.writer.store, every=0.01)
    await janitor.start()
    await janitor.check()
    await asyncio.sleep(0.1)
    await blog.sql(
        "UPDATE idempotency_keys SET created_at = now() - $1::text::interval", KEY_LIFETIME
    )
    for _ in range(200):
        await asyncio.sleep(0.02)
        if not await blog.sql("SELECT FROM idempotency_keys"):
            break
    assert await blog.sql("SELECT FROM idempotency_keys") == []
    await blog.app.state.blog.reader._database.stop()
    await asyncio.sleep(0.1)
    await janitor.stop()
