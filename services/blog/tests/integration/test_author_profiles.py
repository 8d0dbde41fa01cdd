"""An author's page shows what the user service tells everybody, and is whole without it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from services.blog.tests.payloads import PAYLOADS
from services.blog.tests.support import BlogUnderTest
from titanium_blog.adapters import people
from titanium_blog.main import create_app
from titanium_blog.settings import Settings
from titanium_kit.testing import LocalIssuer, listening, serving

pytestmark = pytest.mark.integration

PAGE = "/blog/authors/soyeon"
LINKED = re.compile(r'<script type="application/ld\+json">(.*?)</script>')
OTHER_LANGUAGE = {"cookie": "lang=ko", "accept-language": "ko"}


class UserService:
    """What the blog's egress leads to: one profile, or trouble."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.delay = 0.0
        self.profile: dict[str, Any] = {
            "id": 1,
            "username": "soyeon",
            "display_name": "So-yeon Kim",
            "bio": "Writes at night.\nSleeps by day.",
            "created_at": "2024-02-29T10:00:00Z",
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        self.asked.append(f"{scope['method']} {host}{scope['raw_path'].decode()}")
        await asyncio.sleep(self.delay)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        body = json.dumps(self.profile if self.status == 200 else {"status": self.status})
        await send({"type": "http.response.body", "body": body.encode()})


@pytest.fixture
async def users(tmp_path: Path) -> AsyncIterator[UserService]:
    service = UserService()
    async with listening(service, tmp_path / "egress.sock"):
        yield service


@pytest.fixture
async def blog(blog_settings: Settings, tmp_path: Path) -> AsyncIterator[BlogUnderTest]:
    settings = blog_settings.model_copy(update={"egress": f"unix:{tmp_path}/egress.sock"})
    issuer = LocalIssuer()
    app = create_app(settings, issuer)
    async with serving(app) as client:
        blog = BlogUnderTest(app, client, issuer, settings)
        await blog.created("One")
        yield blog


async def test_the_profile_is_shown(blog: BlogUnderTest, users: UserService) -> None:
    page = (await blog.client.get("/blog/authors/SOYEON")).text
    assert '<h1 lang="en">So-yeon Kim</h1>' in page
    assert "<span>soyeon</span>" in page
    assert "Member since 29 February 2024" in page
    assert ">Writes at night.\nSleeps by day.</p>" in page
    found = LINKED.search(page)
    assert found
    person = json.loads(found[1])["mainEntity"]
    assert (person["@type"], person["name"]) == ("Person", "So-yeon Kim")
    assert person["alternateName"] == "soyeon"
    assert users.asked == ["GET user.titanium.internal/api/users/soyeon"]


async def test_names_that_are_not_ascii_are_asked_for(
    blog: BlogUnderTest, users: UserService
) -> None:
    await blog.created("Other", user_id=2, username="민서")
    assert (await blog.client.get("/blog/authors/민서")).status_code == 200
    assert users.asked == ["GET user.titanium.internal/api/users/%EB%AF%BC%EC%84%9C"]


async def test_empty_texts_leave_the_username(blog: BlogUnderTest, users: UserService) -> None:
    users.profile |= {"display_name": "", "bio": " \n"}
    page = (await blog.client.get(PAGE)).text
    assert "<h1>soyeon</h1>" in page
    assert "Member since" in page
    assert 'class="bio"' not in page


async def test_both_texts_are_escaped(blog: BlogUnderTest, users: UserService) -> None:
    hostile = "".join(PAYLOADS)[:5000]
    users.profile |= {"display_name": "<b onclick=x()>&\"' </script>", "bio": f"<p>{hostile}"}
    page = (await blog.client.get(PAGE)).text
    assert "<b onclick" not in page
    assert "&lt;b onclick=x()&gt;&amp;&#34;&#39; &lt;/script&gt;</h1>" in page
    bio = page.partition('<p class="bio" lang="')[2].partition("</p>")[0].partition(">")[2]
    assert bio.startswith("&lt;p&gt;")
    assert "<" not in bio
    found = LINKED.search(page)
    assert found
    assert json.loads(found[1])["mainEntity"]["name"] == "<b onclick=x()>&\"' </script>"


async def test_a_page_needs_no_profile(blog: BlogUnderTest, users: UserService) -> None:
    for number, status in enumerate((401, 403, 404, 429, 500, 503), 1):
        users.status = status
        answer = await blog.client.get(f"{PAGE}?{number}")
        assert answer.status_code == 200, status
        assert "<h1>soyeon</h1>" in answer.text, status
        assert "Member since" not in answer.text, status
        assert len(users.asked) == number


async def test_another_document_is_no_profile(blog: BlogUnderTest, users: UserService) -> None:
    whole = users.profile
    for number, wrong in enumerate(
        ({"display_name": None}, {"bio": "x" * 20_000}, {"created_at": "yesterday"}, None), 1
    ):
        users.profile = {} if wrong is None else {**whole, **wrong}
        answer = await blog.client.get(f"{PAGE}?{number}")
        assert answer.status_code == 200, wrong
        assert "<h1>soyeon</h1>" in answer.text, wrong
        assert len(users.asked) == number


async def test_without_the_user_service_there_is_a_page(blog: BlogUnderTest) -> None:
    """No fixture `users`: nobody listens at the egress socket."""
    answer = await blog.client.get(PAGE)
    assert answer.status_code == 200
    assert "<h1>soyeon</h1>" in answer.text


async def test_a_slow_user_service_is_not_waited_for(
    blog: BlogUnderTest, users: UserService
) -> None:
    users.delay = 5
    began = time.monotonic()
    answer = await blog.client.get(PAGE)
    assert answer.status_code == 200
    assert "Member since" not in answer.text
    assert time.monotonic() - began < people.WAIT + 1


async def test_absence_is_not_remembered(blog: BlogUnderTest, users: UserService) -> None:
    """The next page that is built asks again."""
    users.status = 404
    assert "Member since" not in (await blog.client.get(PAGE)).text
    users.status = 200
    assert "Member since" in (await blog.client.get(f"{PAGE}?again")).text


async def test_readers_at_once_cause_one_call(blog: BlogUnderTest, users: UserService) -> None:
    users.delay = 0.1
    pages = await asyncio.gather(
        *(blog.client.get(f"{PAGE}?n={n}") for n in range(4)),
        *(blog.client.get("/blog/authors/SoYeon", headers=OTHER_LANGUAGE) for _ in range(2)),
    )
    assert all("So-yeon Kim</h1>" in page.text for page in pages)
    assert len(users.asked) == 1


async def test_an_edit_shows_soon(
    blog: BlogUnderTest, users: UserService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute is what a writer is promised at most; the page is kept for less than that."""
    assert people.KEPT + people.SHOWN + people.WAIT < 30
    assert people.MISSED < people.SHOWN
    assert "So-yeon Kim" in (await blog.client.get(PAGE)).text
    users.profile["display_name"] = "Kim So-yeon"
    assert "So-yeon Kim" in (await blog.client.get(PAGE)).text
    monkeypatch.setattr(people, "KEPT", 0.2)
    await asyncio.sleep(1.1)  # pages are kept for a second without Redis
    assert "Kim So-yeon" in (await blog.client.get(PAGE)).text


async def test_memory_is_bounded(
    blog: BlogUnderTest, users: UserService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who were looked at last are kept."""
    monkeypatch.setattr(people, "PEOPLE", 2)
    known = blog.app.state.blog.people
    for name in ("one", "two", "one", "three", "one"):
        assert await known.find(name)
    assert len(users.asked) == 3
    assert await known.find("two")
    assert len(users.asked) == 4
