"""The demo content that ships: readable, varied, by known authors, and no real addresses."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from titanium.demo.content import load_posts, load_users, parse_post
from titanium.errors import ConfigurationError

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)
# Public documentation that the posts may point to, and names reserved for examples.
HOSTS = re.compile(
    r"^(www\.postgresql\.org|www\.envoyproxy\.io|kubernetes\.io|cheatsheetseries\.owasp\.org"
    r"|localhost|127\.0\.0\.1|(\w+\.)?example\.(org|com))$"
)


def test_there_are_about_forty_posts_by_a_handful_of_people_in_several_categories() -> None:
    posts, users = load_posts(), load_users()
    assert 35 <= len(posts) <= 45
    assert 5 <= len(users) <= 8
    assert {post.author for post in posts} == {user.username for user in users}
    assert 6 <= len({post.category for post in posts}) <= 8
    assert [post.id for post in posts] == list(range(1, len(posts) + 1))
    assert len({post.title for post in posts}) == len(posts)


def test_about_half_is_korean_and_half_english() -> None:
    languages = Counter(
        "ko" if len(re.findall("[가-힣]", post.content)) > 200 else "en" for post in load_posts()
    )
    assert abs(languages["ko"] - languages["en"]) <= 6


def test_posts_are_of_varied_length_and_of_the_past_year() -> None:
    lengths = [len(post.content.split()) for post in load_posts()]
    assert min(lengths) >= 120
    assert 350 <= max(lengths) <= 700
    days = [post.days_ago for post in load_posts()]
    assert max(days) <= 365
    assert all(post.created_at(NOW) <= NOW for post in load_posts())
    assert len({post.created_at(NOW) for post in load_posts()}) == len(days)


def test_posts_show_what_the_pages_can_show() -> None:
    text = "\n".join(post.content for post in load_posts())
    languages = set(re.findall(r"^```(\w+)$", text, re.MULTILINE))
    assert {"python", "sql", "yaml", "sh", "dockerfile", "http"} <= languages
    for mark in (r"^## ", r"^### ", r"^> ", r"^- ", r"^1\. ", r"^\|[-:| ]+\|$", r"\]\(https://"):
        assert re.search(mark, text, re.MULTILINE), mark


def test_links_lead_to_public_documentation_only() -> None:
    for post in load_posts():
        for host in re.findall(r"https?://([^/:\s)]+)", post.content):
            assert HOSTS.match(host), f"{post.id}: {host}"


def test_no_password_is_kept_with_the_content() -> None:
    assert {name for user in load_users() for name in user.__slots__} == {
        "id",
        "username",
        "display_name",
    }


@pytest.mark.parametrize(
    "text",
    ["no header", '+++\ntitle = "x"\n', "+++\ntitle = x\n+++\ntext", "+++\ntitle = 'x'\n+++\ntext"],
)
def test_a_post_of_the_wrong_form_is_refused_with_its_file(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"01-x\.md"):
        parse_post("01-x.md", text)
