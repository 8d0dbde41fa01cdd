"""Full-text search in Korean and English."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.blog.tests.support import BlogUnderTest

pytestmark = pytest.mark.integration


async def found(blog: BlogUnderTest, q: str, **filters: str | int) -> list[str]:
    response = await blog.client.get("/api/posts", params={"q": q, **filters})
    assert response.status_code == 200, response.text
    return [post["title"] for post in response.json()]


@pytest.fixture
async def library(blog: BlogUnderTest) -> BlogUnderTest:
    texts = [
        ("PostgreSQL 전문 검색 만들기", "한국어 형태소 분석 없이 두 글자씩 나눕니다."),
        ("여행 이야기", "부산에서 검색한 맛집과 café 를 다녀왔습니다."),
        ("Searching in Postgres", "How full-text search ranks documents, with **GIN** indexes."),
        ("Gardening", "Tomatoes need sun. Search your soil for stones."),
    ]
    for title, content in texts:
        await blog.created(title, content)
    return blog


@pytest.mark.parametrize(
    ("q", "titles"),
    [
        ("검색", {"PostgreSQL 전문 검색 만들기", "여행 이야기"}),
        ("형태소", {"PostgreSQL 전문 검색 만들기"}),
        ("만", {"PostgreSQL 전문 검색 만들기"}),
        ("검색 맛집", {"여행 이야기"}),
        ("맛집이", set()),
        ("search", {"Searching in Postgres", "Gardening"}),
        ("SEARCH GIN", {"Searching in Postgres"}),
        ("postgr", {"PostgreSQL 전문 검색 만들기", "Searching in Postgres"}),
        ("cafe", {"여행 이야기"}),
        ("ＣＡＦÉ", {"여행 이야기"}),
        ("tomatoes sun", {"Gardening"}),
        ("nothing like this", set()),
        ("!!!", set()),
    ],
)
async def test_every_word_or_its_beginning_must_be_there(
    library: BlogUnderTest, q: str, titles: set[str]
) -> None:
    assert set(await found(library, q)) == titles


async def test_a_title_ranks_above_a_content(library: BlogUnderTest) -> None:
    assert await found(library, "search") == ["Searching in Postgres", "Gardening"]
    assert await found(library, "검색") == ["PostgreSQL 전문 검색 만들기", "여행 이야기"]


async def test_pages_of_results_follow_each_other_without_gap(blog: BlogUnderTest) -> None:
    for number in range(7):
        await blog.created(
            f"word {number}" if number % 3 else f"plain {number}", "word " * (number + 1)
        )
    whole = await found(blog, "word")
    assert len(whole) == 7
    pages: list[str] = []
    address = "/api/posts?q=word&limit=2"
    while address:
        response = await blog.client.get(address)
        pages += [post["title"] for post in response.json()]
        address = response.headers.get("link", "").partition(">")[0].lstrip("<")
    assert pages == whole
    assert await found(blog, "word", offset=4) == whole[4:]


async def test_search_follows_changes(blog: BlogUnderTest) -> None:
    post = await blog.created("alpha", "one")
    assert await found(blog, "alpha") == ["alpha"]
    address = f"/api/posts/{post['id']}"
    await blog.client.patch(address, json={"title": "beta"}, headers=blog.bearer())
    assert await found(blog, "alpha") == []
    assert await found(blog, "beta one") == ["beta"]
    await blog.client.delete(address, headers=blog.bearer())
    assert await found(blog, "beta") == []


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200)
    | st.text("&|!():*'\"\\<-> a한", max_size=50)
)
def test_no_input_is_a_syntax_error(text: str) -> None:
    from titanium_blog.domain import search

    query = search.query(text)
    QUERIES.append(query or "'x'")


QUERIES: list[str] = []


async def test_postgresql_reads_every_query_and_vector_that_is_made(blog: BlogUnderTest) -> None:
    """The queries come from the test above; the vectors are of the same texts."""
    test_no_input_is_a_syntax_error()
    for query in QUERIES:
        await blog.sql("SELECT $1::text::tsquery", query)
    hostile = ["'\\ :*&|!() <->", "한" * 300, "a" * 5000, "İıſK ŉ ǰ", "\U0001d400\U00020000"]
    for text in hostile:
        await blog.created(text[:200], text)
        assert len(await found(blog, text[:200])) <= 5
