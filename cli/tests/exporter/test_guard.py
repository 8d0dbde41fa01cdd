"""Who may scrape, and which names exist: the application itself, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from cli.tests.exporter.support import STATUS, process
from titanium.exporter.app import create_app
from titanium.layout import Home, Ports
from titanium.supervise.protocol import PlatformStatus

pytestmark = pytest.mark.unit

TOKEN = {"Authorization": "Bearer t0ken"}


class Supervisor:
    """Answers with `status`; as one that is gone when that is None."""

    def __init__(self) -> None:
        self.status: PlatformStatus | None = STATUS
        self.asked = 0

    async def __call__(self) -> PlatformStatus:
        self.asked += 1
        if self.status is None:
            raise FileNotFoundError("no socket")
        return self.status


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr("titanium.exporter.supervisor.MAX_AGE", 0.0)
    return Supervisor()


@pytest.fixture
async def client(tmp_path: Path, supervisor: Supervisor) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(Home(tmp_path), Ports(), "t0ken", supervisor)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:9901") as made:
        yield made


PATHS = (
    "/sd",
    "/platform/metrics",
    "/postgres/metrics",
    "/redis/metrics",
    "/processes/blog-0/metrics",
    "/nothing",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer t0ke", "Bearer t0kenn", "Basic t0ken", "t0ken"],
)
async def test_without_the_token_nothing_is_told(
    client: httpx2.AsyncClient, path: str, header: str | None
) -> None:
    """Not even which paths exist."""
    answer = await client.get(path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["status"] == 401


async def test_health_needs_no_token(client: httpx2.AsyncClient) -> None:
    """The supervisor's probe has none."""
    assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9901", "127.0.0.1.evil.org", ""])
async def test_foreign_host_names_are_refused(client: httpx2.AsyncClient, host: str) -> None:
    """A page whose name was made to point at this machine cannot read metrics, nor health."""
    for path in ("/sd", "/healthz"):
        answer = await client.get(path, headers={**TOKEN, "Host": host})
        assert answer.status_code == 403
    for ours in ("127.0.0.1:9901", "localhost", "localhost:9901"):
        assert (await client.get("/sd", headers={**TOKEN, "Host": ours})).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "blog-1",
        "postgres",
        "supervisor",
        "prometheus",
        "..",
        "%2e%2e",
        "..%2f..%2fsecrets",
        "blog-0%00",
    ],
)
async def test_only_processes_with_metrics_have_a_path(
    client: httpx2.AsyncClient, name: str
) -> None:
    """Names come from the supervisor; nothing in the address becomes part of a file's path."""
    answer = await client.get(f"/processes/{name}/metrics", headers=TOKEN)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_process_without_a_socket_is_a_bad_gateway(client: httpx2.AsyncClient) -> None:
    """So that Prometheus' `up` is 0."""
    answer = await client.get("/processes/blog-0/metrics", headers=TOKEN)
    assert answer.status_code == 502
    assert "blog-0 did not answer" in answer.json()["detail"]


async def test_other_methods_are_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/sd", headers=TOKEN)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


async def instances(client: httpx2.AsyncClient) -> list[str]:
    answer = await client.get("/sd", headers=TOKEN)
    assert answer.status_code == 200
    return [group["labels"]["instance"] for group in answer.json()]


async def test_scaling_adds_and_removes_targets(
    client: httpx2.AsyncClient, supervisor: Supervisor
) -> None:
    assert "blog-1" not in await instances(client)
    more = replace(STATUS, processes=(*STATUS.processes, process("blog-1", "app", "blog")))
    supervisor.status = more
    assert "blog-1" in await instances(client)
    supervisor.status = STATUS
    assert "blog-1" not in await instances(client)


async def test_the_last_known_targets_outlive_the_supervisor(
    client: httpx2.AsyncClient, supervisor: Supervisor
) -> None:
    """Also while its successor takes over and has not yet read which processes there are."""
    before = await instances(client)
    supervisor.status = None
    assert await instances(client) == before
    platform = await client.get("/platform/metrics", headers=TOKEN)
    assert "titanium_supervisor_up 0\n" in platform.text
    supervisor.status = replace(STATUS, state="starting", processes=())
    assert await instances(client) == before


async def test_targets_that_nobody_knows_are_an_error(
    client: httpx2.AsyncClient, supervisor: Supervisor
) -> None:
    """At an empty list Prometheus would forget those that it has."""
    supervisor.status = None
    answer = await client.get("/sd", headers=TOKEN)
    assert answer.status_code == 503
    supervisor.status = STATUS
    assert "blog-0" in await instances(client)
