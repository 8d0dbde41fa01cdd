"""Metrics, health, resources, the server's options and the helpers for tests."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from titanium_kit import migrate, openapi, resources, server
from titanium_kit.app import FastJSONResponse, build_app
from titanium_kit.metrics import HTTP_BUCKETS, Metrics
from titanium_kit.problems import Unavailable
from titanium_kit.resources import Resource, check_all, running
from titanium_kit.server import bind_options
from titanium_kit.settings import ServiceSettings, SettingsError
from titanium_kit.testing import LocalIssuer, serving
from titanium_kit.tokens import CurrentUser, TokenVerifier

pytestmark = pytest.mark.unit


class Part:
    """A resource that writes down what happens to it."""

    def __init__(self, name: str, journal: list[str], required: bool = True) -> None:
        self.name, self.required, self._journal = name, required, journal
        self.error: BaseException | None = None
        self.start_error: BaseException | None = None
        self.hangs = False

    async def start(self) -> None:
        self._journal.append(f"start {self.name}")
        if self.start_error:
            raise self.start_error

    async def stop(self) -> None:
        self._journal.append(f"stop {self.name}")

    async def check(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error


class TestMetrics:
    """What Prometheus reads."""

    def test_the_histogram_is_cumulative_and_has_opentelemetrys_bounds(self) -> None:
        metrics = Metrics("blog")
        for seconds in (0.005, 0.006, 0.3, 99.0):
            metrics.observe("/a", "GET", 200, seconds)
        families = {
            family.name: family
            for family in text_string_to_metric_families(metrics.exposition().decode())
        }
        family = families["http_server_request_duration_seconds"]
        assert family.type == "histogram"
        buckets = {
            sample.labels["le"]: sample.value
            for sample in family.samples
            if sample.name.endswith("_bucket")
        }
        assert [float(bound) for bound in buckets] == [*HTTP_BUCKETS, float("inf")]
        assert (buckets["0.005"], buckets["0.01"], buckets["0.25"]) == (1, 2, 2)
        assert (buckets["0.5"], buckets["10.0"], buckets["+Inf"]) == (3, 3, 4)
        total = next(s for s in family.samples if s.name.endswith("_sum"))
        assert total.value == pytest.approx(99.311)
        assert total.labels == {
            "service": "blog",
            "http_route": "/a",
            "http_request_method": "GET",
            "http_response_status_code": "200",
        }

    def test_two_processes_worth_of_metrics_do_not_share_a_registry(self) -> None:
        assert Metrics("a").exposition() != b""
        assert b"process_resident_memory_bytes" in Metrics("b").exposition()

    def test_figures_are_brought_up_to_date_before_a_scrape(self) -> None:
        metrics = Metrics("a")
        metrics.before_exposition(lambda: metrics.pool_gauge("used").set(3))
        expected = b'titanium_database_pool_connections{service="a",state="used"} 3.0'
        assert expected in metrics.exposition()


class TestResources:
    """Started in order, stopped in reverse, asked all at once."""

    def test_the_protocol_is_what_a_part_has(self) -> None:
        assert isinstance(Part("a", []), Resource)

    async def test_order(self) -> None:
        journal: list[str] = []
        async with running([Part("a", journal), Part("b", journal)]):
            journal.append("serve")
        assert journal == ["start a", "start b", "serve", "stop b", "stop a"]

    async def test_a_failed_start_stops_what_was_begun(self) -> None:
        journal: list[str] = []
        parts = [Part("a", journal), Part("b", journal), Part("c", journal)]
        parts[1].start_error = RuntimeError("no")
        with pytest.raises(RuntimeError, match="no"):
            async with running(parts):
                journal.append("serve")
        assert journal == ["start a", "start b", "stop b", "stop a"]

    async def test_checks_tell_each_part(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resources, "CHECK_TIMEOUT", 0.01)
        parts = [Part("fine", []), Part("broken", []), Part("slow", [], required=False)]
        parts[1].error = Unavailable("secret words")
        parts[2].hangs = True
        ready, checks = await check_all(parts)
        assert not ready
        assert checks == {
            "fine": "ok",
            "broken": "unavailable",
            "slow": "no answer within 0.01 s",
        }
        parts[1].error = None
        assert (await check_all(parts))[0], "a part that is not required may be away"
        assert await check_all([]) == (True, {})


class TestHealth:
    """Liveness and readiness over HTTP."""

    @pytest.fixture
    def parts(self) -> list[Part]:
        return [Part("postgres", []), Part("redis", [], required=False)]

    @pytest.fixture
    def app(self, parts: list[Part], settings: Callable[..., ServiceSettings]) -> FastAPI:
        return build_app(settings(), Metrics("test"), title="t", routers=[], resources=parts)

    async def test_ready(self, app: FastAPI) -> None:
        async with serving(app) as client:
            answer = await client.get("/internal/readyz")
            assert (await client.get("/internal/livez")).json() == {"status": "ok"}
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "checks": {"postgres": "ok", "redis": "ok"}}

    async def test_the_loss_of_a_required_part_is_503_and_names_it(
        self, app: FastAPI, parts: list[Part]
    ) -> None:
        parts[0].error = OSError("away")
        async with serving(app) as client:
            answer = await client.get("/internal/readyz", headers={"x-request-id": "abc"})
            assert (await client.get("/internal/livez")).status_code == 200
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "1"
        problem = answer.json()
        assert problem["detail"] == "not ready: postgres"
        assert problem["checks"] == {"postgres": "unavailable", "redis": "ok"}
        assert problem["request_id"] == "abc"

    async def test_the_loss_of_another_part_shows_and_changes_nothing(
        self, app: FastAPI, parts: list[Part]
    ) -> None:
        parts[1].error = OSError("away")
        async with serving(app) as client:
            answer = await client.get("/internal/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"]["redis"] == "unavailable"

    async def test_metrics_are_text_for_prometheus(self, app: FastAPI) -> None:
        async with serving(app) as client:
            answer = await client.get("/internal/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert list(text_string_to_metric_families(answer.text))


class TestServer:
    """Where it binds, and what it says when it cannot start."""

    @pytest.mark.parametrize(
        ("bind", "options"),
        [
            ("unix:/run/app.sock", {"uds": "/run/app.sock"}),
            ("tcp:0.0.0.0:8000", {"host": "0.0.0.0", "port": 8000}),
            ("tcp:::1:8000", {"host": "::1", "port": 8000}),
        ],
    )
    def test_bind(self, bind: str, options: dict[str, object]) -> None:
        assert bind_options(bind) == options

    @pytest.mark.parametrize(
        "bind", ["", "unix:", "tcp:8000", "tcp::8000", "tcp:h:http", "udp:h:1", "/run/app.sock"]
    )
    def test_any_other_form_is_refused(self, bind: str) -> None:
        with pytest.raises(SettingsError, match=r"BIND: .* is neither"):
            bind_options(bind)

    @pytest.mark.parametrize("main", [server.main, migrate.main, openapi.main])
    def test_a_wrong_command_line_says_how(
        self, main: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["x"])
        with pytest.raises(SystemExit, match=r"usage: python -m titanium_kit"):
            main()

    @pytest.mark.parametrize(
        ("main", "says"),
        [
            (server.main, r"a:b cannot start: BIND: 'nowhere' is neither"),
            (migrate.main, r"migration of a:b failed: a:b\.migrations is not a package"),
        ],
    )
    def test_what_is_wrong_is_said_in_one_line(
        self, main: Callable[[], None], says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["x", "a:b"])
        monkeypatch.setenv("SERVICE", "test")
        monkeypatch.setenv("BIND", "nowhere")
        monkeypatch.setenv("DATABASE_URL", "postgresql://x@/x?host=/nowhere")
        monkeypatch.setenv("ENVIRONMENT", "development")
        with pytest.raises(SystemExit, match=says):
            main()

    def test_the_openapi_document_is_printed(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["x", "fastapi:FastAPI"])
        openapi.main()
        assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.1")


class TestHelpers:
    """What the services' tests use."""

    async def test_tokens_of_the_local_issuer_are_accepted(
        self, settings: Callable[..., ServiceSettings], make_app: Callable[..., FastAPI]
    ) -> None:
        from titanium_kit.app import api_router

        router = api_router()

        @router.get("/me")
        async def me(user: CurrentUser) -> dict[str, Any]:
            return {"id": user.user_id, "name": user.username}

        app = make_app(router)
        issuer = LocalIssuer()
        app.state.verifier = TokenVerifier(settings(), issuer)
        async with serving(app) as client:
            fine = await client.get("/me", headers=issuer.bearer(7, "김하나"))
            none = await client.get("/me")
            basic = await client.get("/me", headers={"authorization": "Basic eDp5"})
            wrong = await client.get("/me", headers={"authorization": "Bearer x"})
        assert fine.json() == {"id": 7, "name": "김하나"}
        for answer in (none, basic, wrong):
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"

    def test_json_by_orjson(self) -> None:
        assert FastJSONResponse({"가": 1}).body == '{"가":1}'.encode()
