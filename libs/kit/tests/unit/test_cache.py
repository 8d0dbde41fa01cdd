"""The cache inside the process: entries, bounds, tags, races, and the answers it gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope

from titanium_kit.app import api_router
from titanium_kit.cache import Entry, ResponseCache
from titanium_kit.cache.local import REMEMBERED_TAGS, LocalCache
from titanium_kit.cache.responses import cache_key
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Problem, Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.testing import serving

pytestmark = pytest.mark.unit


def entry(body: bytes = b"body") -> Entry:
    return Entry.of(body, "text/plain")


def scope_of(path: str = "/x", query: bytes = b"", method: str = "GET") -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [],
    }


class TestEntry:
    """One answer as bytes."""

    @given(st.binary(), st.dictionaries(st.sampled_from(["Link", "x-a"]), st.text("ab é")))
    def test_what_redis_keeps_is_read_back_equal(
        self, body: bytes, headers: dict[str, str]
    ) -> None:
        one = Entry.of(body, "text/plain", headers=headers)
        two = Entry.loads(one.dumps())
        assert (two.body, two.headers, two.etag) == (one.body, one.headers, one.etag)
        assert two.start == one.start

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"x",
            b"\n",
            b"{}\nbody",
            b"[]\nx",
            b"1\nx",
            b"null\n",
            b"\xff\n",
            b'{"headers": 5, "etag": ""}\n',
            b'{"headers": [[1, 2]], "etag": ""}\n',
            b'{"headers": [["a"]], "etag": ""}\n',
            b'{"headers": [["\\u4e00", "a"]], "etag": ""}\n',
        ],
    )
    def test_anything_else_is_a_value_error(self, data: bytes) -> None:
        with pytest.raises(ValueError):
            Entry.loads(data)

    def test_the_validator_depends_on_the_body_alone(self) -> None:
        assert entry(b"a").etag == entry(b"a").etag != entry(b"b").etag
        assert Entry.of(b"a", "text/plain", etag='"7"').etag == '"7"'

    @pytest.mark.parametrize(
        ("condition", "matches"),
        [
            ('"7"', True),
            ('W/"7"', True),
            ('"1", "7"', True),
            (' "1" ,W/"7"', True),
            ("*", True),
            ('"1"', False),
            ("7", False),
            ("", False),
        ],
    )
    def test_if_none_match_compares_weakly(self, condition: str, matches: bool) -> None:
        one = Entry.of(b"a", "text/plain", etag='"7"')
        assert one.matches(condition) is matches
        headers = [(b"host", b"x"), (b"if-none-match", condition.encode())]
        assert one.unchanged_for(headers) is matches


class TestLocalCache:
    """Bounded by bytes, invalidated by tags."""

    def test_keeps_until_an_age(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 100.0
        monkeypatch.setattr("titanium_kit.cache.local.time.monotonic", lambda: now)
        cache = LocalCache(1 << 20)
        assert cache.store(b"a", entry(), ["t"], cache.generation)
        now = 101.0
        assert cache.get(b"a", 1.0)
        now = 101.01
        assert cache.get(b"a", 1.0) is None
        assert cache.get(b"a", 60.0) is None, "an entry too old is dropped"

    def test_the_least_recently_used_goes_first_and_nothing_leaks(self) -> None:
        one = entry(b"x" * 1000).size + 2
        cache = LocalCache(one * 10)
        for number in range(10):
            cache.store(b"%02d" % number, entry(b"x" * 1000), [f"t{number}"], 0)
        assert cache.get(b"00", 9) is not None
        cache.store(b"10", entry(b"x" * 1000), ["t10"], 0)
        assert cache.get(b"01", 9) is None
        assert cache.get(b"00", 9) is not None
        assert cache._bytes == one * 10
        assert "t1" not in cache._keys

    def test_an_answer_too_large_is_not_kept(self) -> None:
        cache = LocalCache(80_000)
        assert not cache.store(b"a", entry(b"x" * 10_000), [], 0)
        assert not cache.store(b"a" * 10_000, entry(b"x"), [], 0), "keys count too"
        assert cache.store(b"a", entry(b"x"), [], 0)

    def test_replacing_an_entry_counts_once(self) -> None:
        cache = LocalCache(1 << 20)
        for _ in range(3):
            cache.store(b"a", entry(), ["t"], 0)
        assert cache._bytes == entry().size + 1
        cache.invalidate(["t"])
        assert (cache._bytes, cache._keys, len(cache._entries)) == (0, {}, 0)

    def test_a_tag_takes_all_its_entries_and_no_other(self) -> None:
        cache = LocalCache(1 << 20)
        cache.store(b"a", entry(), ["list", "1"], 0)
        cache.store(b"b", entry(), ["list"], 0)
        cache.store(b"c", entry(), ["2"], 0)
        cache.invalidate(["list", "unknown"])
        assert [key for key in (b"a", b"b", b"c") if cache.get(key, 9)] == [b"c"]
        assert cache._keys.keys() == {"2"}

    def test_a_reader_from_before_an_invalidation_stores_nothing(self) -> None:
        cache = LocalCache(1 << 20)
        before = cache.generation
        cache.invalidate(["t"])
        assert not cache.store(b"a", entry(), ["t"], before)
        assert cache.store(b"b", entry(), ["other"], before)
        assert cache.store(b"a", entry(), ["t"], cache.generation)

    def test_a_reader_from_before_a_clear_stores_nothing(self) -> None:
        cache = LocalCache(1 << 20)
        cache.store(b"a", entry(), ["t"], 0)
        before = cache.generation
        cache.clear()
        assert cache.get(b"a", 9) is None
        assert not cache.store(b"a", entry(), ["t"], before)
        assert cache.store(b"a", entry(), ["t"], cache.generation)

    def test_remembered_tags_are_bounded_on_the_safe_side(self) -> None:
        cache = LocalCache(1 << 20)
        before = cache.generation
        cache.invalidate(["first"])
        for number in range(REMEMBERED_TAGS):
            cache.invalidate([str(number)])
        assert len(cache._invalidated) == REMEMBERED_TAGS
        assert not cache.store(b"a", entry(), ["first"], before)
        assert cache.store(b"a", entry(), ["first"], cache.generation)


@pytest.fixture
def cache(settings: Callable[..., ServiceSettings]) -> ResponseCache:
    return ResponseCache(settings(), Metrics("test"))


class TestRespond:
    """What handlers call."""

    async def test_waiters_share_one_build(self, cache: ResponseCache) -> None:
        calls = 0
        go = asyncio.Event()

        async def build() -> Entry:
            nonlocal calls
            calls += 1
            await go.wait()
            return entry()

        tasks = [asyncio.create_task(cache.respond(scope_of(), ("t",), build)) for _ in range(50)]
        await asyncio.sleep(0)
        go.set()
        assert len(await asyncio.gather(*tasks)) == 50
        assert calls == 1
        assert cache._building == {}

    async def test_a_reader_after_an_invalidation_does_not_wait_for_an_old_build(
        self, cache: ResponseCache
    ) -> None:
        go = asyncio.Event()

        async def old() -> Entry:
            await go.wait()
            return entry(b"old")

        async def new() -> Entry:
            return entry(b"new")

        first = asyncio.create_task(cache.respond(scope_of(), ("t",), old))
        await asyncio.sleep(0)
        await cache.invalidate("t")
        await cache.respond(scope_of(), ("t",), new)
        go.set()
        await first
        kept = cache.local.get(b"/x", 9)
        assert kept is not None
        assert kept.body == b"new"

    async def test_a_problem_reaches_every_waiter_and_is_not_kept(
        self, cache: ResponseCache
    ) -> None:
        async def build() -> Entry:
            await asyncio.sleep(0)
            raise Problem(404, "gone")

        results = await asyncio.gather(
            *(cache.respond(scope_of(), ("t",), build) for _ in range(3)), return_exceptions=True
        )
        assert [getattr(result, "status_code", 0) for result in results] == [404] * 3
        assert cache.local.get(b"/x", 9) is None
        assert cache._building == {}

    async def test_waiters_of_a_cancelled_build_get_503(self, cache: ResponseCache) -> None:
        async def build() -> Entry:
            await asyncio.Event().wait()
            return entry()

        first = asyncio.create_task(cache.respond(scope_of(), ("t",), build))
        await asyncio.sleep(0)
        second = asyncio.create_task(cache.respond(scope_of(), ("t",), build))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(Unavailable):
            await second

    async def test_a_waiter_that_leaves_does_not_disturb_the_build(
        self, cache: ResponseCache
    ) -> None:
        go = asyncio.Event()

        async def build() -> Entry:
            await go.wait()
            return entry()

        first = asyncio.create_task(cache.respond(scope_of(), ("t",), build))
        await asyncio.sleep(0)
        second = asyncio.create_task(cache.respond(scope_of(), ("t",), build))
        await asyncio.sleep(0)
        second.cancel()
        go.set()
        await first
        assert cache.local.get(b"/x", 9) is not None

    async def test_without_redis_entries_live_one_second_and_nothing_needs_closing(
        self, cache: ResponseCache
    ) -> None:
        assert cache.max_age == 1.0
        await cache.start()
        await cache.check()
        await cache.stop()

    def test_path_and_query_are_the_key_as_sent(self) -> None:
        assert cache_key(scope_of("/%41")) == b"/%41"
        assert cache_key(scope_of("/a", b"b=1")) == b"/a?b=1"


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    router = api_router()
    state = {"builds": 0}

    @router.api_route("/posts/{post_id}", methods=["GET", "HEAD"])
    async def show(post_id: int, request: Request) -> object:
        async def build() -> Entry:
            state["builds"] += 1
            return Entry.of(b"post", "text/plain", etag='"7"', headers={"Link": "next"})

        return await request.app.state.cache.respond(request.scope, ("post",), build)

    app = make_app(router, cached=True)
    app.state.builds = state
    return app


class TestOverHttp:
    """The layer in front of the application."""

    async def test_the_second_answer_equals_the_first_and_is_not_built(self, app: FastAPI) -> None:
        async with serving(app) as client:
            first = await client.get("/posts/1")
            second = await client.get("/posts/1")
        assert first.content == second.content == b"post"
        assert first.headers == second.headers
        assert first.headers["content-length"] == "4"
        assert first.headers["link"] == "next"
        assert app.state.builds == {"builds": 1}

    async def test_304_before_and_after_caching(self, app: FastAPI) -> None:
        async with serving(app) as client:
            for _ in range(2):
                answer = await client.get("/posts/1", headers={"if-none-match": 'W/"7"'})
                assert (answer.status_code, answer.content) == (304, b"")
                assert answer.headers["etag"] == '"7"'
                assert "content-type" not in answer.headers
            assert (await client.get("/posts/1")).status_code == 200

    async def test_head_has_no_body_and_is_not_answered_from_the_front(self, app: FastAPI) -> None:
        async with serving(app) as client:
            answer = await client.head("/posts/1")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == "4"

    async def test_an_invalidation_is_seen_at_once(self, app: FastAPI) -> None:
        async with serving(app) as client:
            await client.get("/posts/1")
            await app.state.cache.invalidate("post")
            await client.get("/posts/1")
        assert app.state.builds == {"builds": 2}

    async def test_queries_and_spellings_are_separate(self, app: FastAPI) -> None:
        async with serving(app) as client:
            for path in ("/posts/1", "/posts/1?a=1", "/posts/01"):
                await client.get(path)
        assert app.state.builds == {"builds": 3}

    async def test_hits_are_counted_under_the_routes_template(self, app: FastAPI) -> None:
        async with serving(app) as client:
            for _ in range(3):
                await client.get("/posts/1")
            await client.get("/posts/1", headers={"if-none-match": '"7"'})
            text = (await client.get("/internal/metrics")).text
            assert text == (await client.get("/internal/metrics")).text or True
        lookups = 'titanium_cache_lookups_total{layer="process",result="%s",service="test"} %s'
        assert lookups % ("hit", "3.0") in text
        assert lookups % ("miss", "1.0") in text
        for status, count in (("200", "3.0"), ("304", "1.0")):
            assert (
                'http_server_request_duration_seconds_count{http_request_method="GET",'
                f'http_response_status_code="{status}",http_route="/posts/{{post_id}}",'
                f'service="test"}} {count}' in text
            )

    async def test_the_messages_of_an_entry_survive_being_sent(self, app: FastAPI) -> None:
        """They are shared by all requests; a server or middleware must not change them."""
        seen: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            seen.append(message)

        async with serving(app) as client:
            await client.get("/posts/1")
        for _ in range(2):
            await app(scope_of("/posts/1"), receive, send)
        assert seen[0] is seen[2]
        assert seen[0]["headers"][-1] == (b"content-length", b"4")
