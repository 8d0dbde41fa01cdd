"""The exporter's HTTP application; every answer comes within `WITHIN` seconds.

`GET /sd`, `/platform/metrics`, `/postgres/metrics`, `/redis/metrics` and
`/processes/NAME/metrics`, all for holders of the scrape token; `GET /healthz` for everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from titanium.exporter import machine
from titanium.exporter.exposition import CONTENT_TYPE, Family, render
from titanium.exporter.guard import HEALTH, Guard, on_http_error, problem
from titanium.exporter.platform import Platform
from titanium.exporter.postgres import PostgresMonitor
from titanium.exporter.redis import RedisMonitor
from titanium.exporter.supervisor import Ask, Watch
from titanium.exporter.targets import discovery, source
from titanium.jsonlog import log
from titanium.layout import HOST, Home, Ports
from titanium.supervise.probe import http_get

WITHIN = 2.9
LARGEST = 8 * 1024 * 1024


class Exporter:
    """The handlers of one run's exporter."""

    def __init__(self, home: Home, ports: Ports, ask: Ask) -> None:
        self._home = home
        self._port = ports.exporter
        self._watch = Watch(ask)
        self._platform = Platform(home.certs)
        self._postgres = PostgresMonitor(
            home.postgres_sockets, home.secret("exporter", "database_password")
        )
        self._redis = RedisMonitor(home.redis_socket, home.secret("exporter", "redis_password"))
        self._troubles: dict[str, str] = {}

    async def close(self) -> None:
        await self._postgres.close()

    async def health(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def discovery(self, _: Request) -> Response:
        await self._watch.look()
        if self._watch.processes is None:
            # An empty list would make Prometheus forget what it scrapes; an error does not.
            return problem(503, "The supervisor does not answer, and never did.")
        return JSONResponse(discovery(self._watch.processes, self._port))

    async def platform(self, _: Request) -> Response:
        sight = await self._watch.look()
        return _metrics([*self._platform.families(sight), *machine.families(self._home.root)])

    async def postgres(self, _: Request) -> Response:
        families = await self._postgres.families()
        self._note("postgres", self._postgres.trouble)
        return _metrics(families)

    async def redis(self, _: Request) -> Response:
        families = await self._redis.families()
        self._note("redis", self._redis.trouble)
        return _metrics(families)

    async def process(self, request: Request) -> Response:
        """What one process tells of itself; 502 when it does not, so that its `up` is 0."""
        name = request.path_params["name"]
        try:
            async with asyncio.timeout(WITHIN):
                # Only names that the supervisor gave become paths.
                process = await self._watch.process(name)
                found = source(self._home, process) if process is not None else None
                if found is None:
                    return problem(404, f"There is no process {name[:64]!r} with metrics.")
                status, body = await http_get(found[1], socket=found[0], limit=LARGEST)
        except TimeoutError:
            return problem(502, f"{name} did not answer within {WITHIN:g} s.")
        except (OSError, EOFError) as error:
            return problem(502, f"{name} did not answer: {error}.")
        if status != 200:
            return problem(502, f"{name} answered its metrics with status {status}.")
        return Response(body, headers={"Content-Type": CONTENT_TYPE})

    def _note(self, name: str, trouble: str) -> None:
        """A line when it goes away or changes its complaint, and one when it is back."""
        if trouble != self._troubles.get(name, ""):
            if trouble:
                log("warning", f"{name} does not answer", reason=trouble)
            else:
                log("info", f"{name} answers again")
            self._troubles[name] = trouble


def create_app(home: Home, ports: Ports, token: str, ask: Ask) -> Starlette:
    """`token` is the scrape token; `ask` asks the supervisor."""
    exporter = Exporter(home, ports, ask)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        log("info", "serving", address=f"http://{HOST}:{ports.exporter}")
        yield
        await exporter.close()
        log("info", "stopped")

    return Starlette(
        routes=[
            Route(HEALTH, exporter.health),
            Route("/sd", exporter.discovery),
            Route("/platform/metrics", exporter.platform),
            Route("/postgres/metrics", exporter.postgres),
            Route("/redis/metrics", exporter.redis),
            Route("/processes/{name}/metrics", exporter.process),
        ],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={HTTPException: on_http_error},
        lifespan=lifespan,
    )


def _metrics(families: Iterable[Family]) -> Response:
    return Response(render(families), headers={"Content-Type": CONTENT_TYPE})
