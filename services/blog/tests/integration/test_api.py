"""The public contract of the API, on a real database."""

from __future__ import annotations

import re

import pytest

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_a_new_post_is_answered_whole(blog: BlogUnderTest) -> None:
    response = await blog.post("안녕 <b>", "**bold** 한국어", category_name="Travel")
    assert response.status_code == 201
    post = response.json()
    assert set(post) == {
        *("id", "title", "content", "content_html", "excerpt", "author", "category"),
        *("created_at", "updated_at"),
    }
    assert post["title"] == "안녕 <b>"
    assert post["content_html"] == "<p><strong>bold</strong> 한국어</p>\n"
    assert post["author"] == "soyeon"
    assert set(post["category"]) == {"id", "name", "slug", "color"}
    assert post["category"]["name"] == "Travel"
    assert TIME.fullmatch(post["created_at"])
    assert post["updated_at"] == post["created_at"]
    assert response.headers["location"] == f"/api/posts/{post['id']}"
    assert response.headers["etag"] == '"1"'
    read = await blog.client.get(response.headers["location"])
    assert read.json() == post
    assert read.headers["etag"] == '"1"'


async def test_a_list_is_a_bare_array_newest_first(blog: BlogUnderTest) -> None:
    posts = [await blog.created(f"Post {number}") for number in range(3)]
    response = await blog.client.get("/api/posts")
    listed = response.json()
    assert [post["id"] for post in listed] == [post["id"] for post in reversed(posts)]
    assert set(listed[0]) == set(posts[0]) - {"content", "content_html"}
    assert "link" not in response.headers


async def test_pages_follow_each_other_by_link(blog: BlogUnderTest) -> None:
    ids = [(await blog.created(f"Post {number}"))["id"] for number in range(5)]
    seen: list[int] = []
    address = "/api/posts?limit=2&author=SOYEON"
    for expected in (2, 2, 1):
        response = await blog.client.get(address)
        assert len(response.json()) == expected
        seen += [post["id"] for post in response.json()]
        await blog.created("Newer")
        if expected == 2:
            match = re.fullmatch(r'<(/api/posts\?\S+)>; rel="next"', response.headers["link"])
            assert match
            address = match[1]
            assert "author=SOYEON" in address
    assert seen == ids[::-1]
    assert "link" not in response.headers


async def test_offset_skips_posts_within_a_bound(blog: BlogUnderTest) -> None:
    ids = [(await blog.created())["id"] for _ in range(3)]
    response = await blog.client.get("/api/posts?limit=1&offset=1")
    assert [post["id"] for post in response.json()] == [ids[1]]
    assert "offset" not in response.headers["link"]
    assert (await blog.client.get("/api/posts?offset=10000")).json() == []
    assert (await blog.client.get("/api/posts?offset=10001")).status_code == 422


async def test_lists_are_filtered_by_category_and_author(blog: BlogUnderTest) -> None:
    food = await blog.created("Food", category_name="먹을 것")
    mine = await blog.created("Travel", category_name="Travel C++")
    await blog.created("His", category_name="Travel C++", user_id=2, username="Tom")

    async def titles(**filters: str) -> list[str]:
        response = await blog.client.get("/api/posts", params=filters)
        return [post["title"] for post in response.json()]

    assert await titles(category=mine["category"]["slug"]) == ["His", "Travel"]
    assert await titles(category="travel c++") == ["His", "Travel"]
    assert await titles(category=food["category"]["slug"]) == ["Food"]
    assert await titles(category="먹을 것") == ["Food"]
    assert await titles(author="tom") == ["His"]
    assert await titles(author="soyeon", category="travel c++") == ["Travel"]
    assert await titles(author="soyeon", category="travel c++", q="content") == ["Travel"]
    assert await titles(category="nothing") == []
    assert await titles(author="nobody") == []
    assert await titles(category="", author="", q="") == ["His", "Travel", "Food"]


async def test_a_post_is_changed_by_its_author(blog: BlogUnderTest) -> None:
    post = await blog.created("Old", "old", category_name="Travel")
    address = f"/api/posts/{post['id']}"
    response = await blog.client.patch(address, json={"title": "New"}, headers=blog.bearer())
    changed = response.json()
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    assert (changed["title"], changed["content"]) == ("New", "old")
    assert changed["category"] == post["category"]
    assert changed["created_at"] == post["created_at"]
    assert changed["updated_at"] > post["updated_at"]
    response = await blog.client.patch(
        address, json={"content": "*new*", "category_name": None}, headers=blog.bearer()
    )
    assert response.json()["content_html"] == "<p><em>new</em></p>\n"
    assert response.json()["category"]["name"] == "General"
    assert (await blog.client.get(address)).json() == response.json()
    assert (await blog.client.get("/api/posts?q=new")).json()[0]["id"] == post["id"]
    assert (await blog.client.get("/api/posts?q=old")).json() == []


async def test_a_patch_of_nothing_changes_nothing(blog: BlogUnderTest) -> None:
    post = await blog.created()
    response = await blog.client.patch(
        f"/api/posts/{post['id']}", json={"category_id": 5}, headers=blog.bearer()
    )
    assert (response.status_code, response.json()) == (200, post)


async def test_a_stale_if_match_is_412_and_changes_nothing(blog: BlogUnderTest) -> None:
    post = await blog.created()
    address = f"/api/posts/{post['id']}"
    first = {**blog.bearer(), "If-Match": '"1"'}
    assert (await blog.client.patch(address, json={"title": "A"}, headers=first)).status_code == 200
    response = await blog.client.patch(address, json={"title": "B"}, headers=first)
    assert response.status_code == 412
    assert (await blog.client.delete(address, headers=first)).status_code == 412
    assert (await blog.client.get(address)).json()["title"] == "A"
    current = {**blog.bearer(), "If-Match": '"1", "2"'}
    assert (await blog.client.delete(address, headers=current)).status_code == 204


async def test_a_current_if_none_match_is_304_without_body(blog: BlogUnderTest) -> None:
    post = await blog.created()
    for address in (f"/api/posts/{post['id']}", "/api/posts", "/api/categories", "/blog/"):
        first = await blog.client.get(address)
        for _ in range(2):
            headers = {"If-None-Match": f'"x", W/{first.headers["etag"]}'}
            again = await blog.client.get(address, headers=headers)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
        other = await blog.client.get(address, headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)


async def test_a_deleted_post_is_gone(blog: BlogUnderTest) -> None:
    post = await blog.created()
    address = f"/api/posts/{post['id']}"
    assert (await blog.client.get(address)).status_code == 200
    response = await blog.client.delete(address, headers=blog.bearer())
    assert (response.status_code, response.content) == (204, b"")
    assert (await blog.client.get(address)).status_code == 404
    assert (await blog.client.delete(address, headers=blog.bearer())).status_code == 404
    assert (await blog.client.get("/api/posts")).json() == []


@pytest.mark.parametrize(
    "address", ["/api/posts", "/api/posts/1", "/api/categories", "/blog/", "/blog/posts/1"]
)
async def test_head_is_get_without_the_body(blog: BlogUnderTest, address: str) -> None:
    await blog.created()
    head = await blog.client.head(address)
    got = await blog.client.get(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers


async def test_bar_13_a_repeated_request_with_a_key_makes_one_post(blog: BlogUnderTest) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await blog.post("t", "c", headers=key, category_name="Travel")
    await blog.client.patch(
        first.headers["location"], json={"title": "changed"}, headers=blog.bearer()
    )
    again = await blog.post("t", "c", headers=key, category_name="Travel", category_id=3)
    assert (again.status_code, again.content) == (201, first.content)
    for name in ("location", "etag"):
        assert again.headers[name] == first.headers[name]
    assert len((await blog.client.get("/api/posts")).json()) == 1


async def test_bar_13_the_same_key_with_another_body_is_422(blog: BlogUnderTest) -> None:
    key = {"Idempotency-Key": "k-1"}
    await blog.post("t", "c", headers=key)
    for other in (("u", "c"), ("t", "d")):
        assert (await blog.post(*other, headers=key)).status_code == 422
    assert (await blog.post("t", "c", headers=key, category_name="x")).status_code == 422
    theirs = await blog.post("t", "c", headers=key, user_id=2, username="tom")
    assert (theirs.status_code, theirs.json()["author"]) == (201, "tom")
    assert len((await blog.client.get("/api/posts")).json()) == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "a b", "\u00e9"])
async def test_bar_54_a_key_is_bounded(blog: BlogUnderTest, key: str) -> None:
    response = await blog.client.post(
        "/api/posts",
        json={"title": "t", "content": "c"},
        headers=[
            (b"authorization", blog.bearer()["Authorization"].encode()),
            (b"idempotency-key", key.encode()),
        ],
    )
    assert response.status_code == 422


async def test_categories_are_counted_and_the_largest_comes_first(blog: BlogUnderTest) -> None:
    assert (await blog.client.get("/api/categories")).json() == []
    await blog.created(category_name="Travel")
    for name in ("여행", "여행 ", "FOOD", "food", "Ｆｏｏｄ"):
        await blog.created(category_name=name)
    categories = (await blog.client.get("/api/categories")).json()
    assert [(c["name"], c["post_count"]) for c in categories] == [
        ("FOOD", 3),
        ("여행", 2),
        ("Travel", 1),
    ]
    assert set(categories[0]) == {"id", "name", "slug", "color", "post_count"}
    assert re.fullmatch("#[0-9a-f]{6}", categories[0]["color"])


async def test_an_empty_category_disappears_and_comes_back_the_same(blog: BlogUnderTest) -> None:
    post = await blog.created(category_name="Travel")
    address = f"/api/posts/{post['id']}"
    await blog.client.patch(address, json={"category_name": "Food"}, headers=blog.bearer())
    assert [c["name"] for c in (await blog.client.get("/api/categories")).json()] == ["Food"]
    await blog.client.delete(address, headers=blog.bearer())
    assert (await blog.client.get("/api/categories")).json() == []
    assert await blog.sql("SELECT FROM categories") == []
    assert await blog.sql("SELECT FROM category_counts") == []
    again = await blog.created(category_name="travel")
    for member in ("slug", "color"):
        assert again["category"][member] == post["category"][member]


async def test_removing_an_author_removes_the_posts_and_keeps_them_out(
    blog: BlogUnderTest,
) -> None:
    mine = await blog.created("Mine", category_name="Travel", headers={"Idempotency-Key": "k"})
    await blog.created("His", user_id=2, username="tom")
    assert (await blog.client.get(f"/api/posts/{mine['id']}")).status_code == 200
    for _ in range(2):
        response = await blog.client.delete("/internal/authors/1")
        assert (response.status_code, response.content) == (204, b"")
    assert (await blog.client.get(f"/api/posts/{mine['id']}")).status_code == 404
    assert [p["title"] for p in (await blog.client.get("/api/posts")).json()] == ["His"]
    assert [c["name"] for c in (await blog.client.get("/api/categories")).json()] == ["General"]
    refused = await blog.post("More", headers={"Idempotency-Key": "k"})
    assert refused.status_code == 403
    assert await blog.sql("SELECT username FROM authors WHERE id = 1") == [(None,)]
    assert await blog.sql("SELECT FROM idempotency_keys") == []


async def test_an_author_who_never_wrote_is_kept_out_too(blog: BlogUnderTest) -> None:
    assert (await blog.client.delete("/internal/authors/9")).status_code == 204
    assert (await blog.post(user_id=9, username="nine")).status_code == 403
    assert (await blog.client.delete("/internal/authors/0")).status_code == 422


async def test_a_markdown_that_is_too_complex_is_422(blog: BlogUnderTest) -> None:
    wide = "|a" * 3_000 + "\n" + "|:-:" * 3_000 + "\n" + "|a\n" * 20_000
    response = await blog.post("t", wide)
    assert response.status_code == 422
    assert "content" in response.json()["detail"]
