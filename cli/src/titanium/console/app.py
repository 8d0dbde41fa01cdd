"""Puts the console together: backend, pages, security, and the two servers of its process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from nicegui import __version__ as nicegui_version
from nicegui import core, ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from titanium import jsonlog
from titanium.catalog import load_catalog
from titanium.console import paper
from titanium.console.backend import Backend
from titanium.console.doors import PATHS, Doors
from titanium.console.guard import Guard
from titanium.console.pages import (
    alerts,
    chaos,
    dashboards,
    logs,
    overview,
    runbooks,
    service,
    services,
    traces,
    traffic,
)
from titanium.console.prometheus import Prometheus
from titanium.console.sessions import Sessions
from titanium.console.widgets import STATIC, static_version
from titanium.errors import ConfigurationError, PortBusyError, StateError
from titanium.layout import HOST, Home, Ports
from titanium.logs import LogFolder
from titanium.observe.configuration import USER, password
from titanium.supervise.link import SupervisorLink
from titanium.traces import TraceStore
from titanium.traces.otlp import receiver

PAGES = (
    overview,
    services,
    service,
    traffic,
    logs,
    traces,
    dashboards,
    chaos,
    alerts,
    runbooks,
)
ELEMENTS = (
    "button",
    "dialog",
    "echart",
    "element",
    "input",
    "label",
    "notification",
    "number",
    "select",
    "timer",
)
_HEAD = (
    '<meta name="color-scheme" content="light dark">'
    '<link rel="stylesheet" href="/_console/console.css?{version}">'
    '<script src="/_console/console.js?{version}"></script>'
)


def make_backend(home: Home, ports: Ports, root: Path) -> Backend:
    """The console's knowledge of the run in `home`; StateError without the operator's token."""
    return Backend(
        home=home,
        ports=ports,
        root=root,
        catalog=load_catalog(root),
        token=read_secret(home.secret("console", "token")),
        prometheus=Prometheus(
            f"http://{HOST}:{ports.prometheus}",
            account=(USER, read_secret(password(home))),
        ),
        supervisor=SupervisorLink(home),
        logs=LogFolder(home.logs),
        traces=TraceStore(),
    )


def read_secret(path: Path) -> str:
    """A secret that `titanium up` made; StateError when it is missing or too short to be one."""
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "not text")
        raise StateError(f"{path} cannot be read: {reason}", "Run titanium up.") from None
    if len(text) < 32:
        raise StateError(f"{path} is too short for a secret", "Delete it, then run titanium up.")
    return text


def register_pages(backend: Backend) -> None:
    for page in PAGES:
        page.register(backend)
    # NiceGUI imports an element when it is used first. Now is better: the first page is not
    # slower than the next, and none fails because the environment is being updated.
    for element in ELEMENTS:
        getattr(ui, element)


def ports_from_environment() -> Ports:
    """TITANIUM_PORT_BASE: empty is the documented default layout."""
    text = os.environ.get("TITANIUM_PORT_BASE", "")
    if text and not text.isdecimal():
        raise ConfigurationError(f"TITANIUM_PORT_BASE={text} is not a port", "Give a number.")
    return Ports(int(text) if text else None)


def make_application(backend: Backend, port: int) -> Guard:
    """The whole console as one guarded ASGI application; once a process, as NiceGUI is."""
    scrape_token = read_secret(backend.home.secret("observability", "scrape_token"))
    sessions = Sessions(backend.token)
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    Doors(backend, sessions, scrape_token, port).add_to(outer)
    outer.mount("/_console", StaticFiles(directory=STATIC))
    outer.router.lifespan_context = lambda _: _background(backend)
    register_pages(backend)
    ui.add_head_html(_HEAD.format(version=static_version()), shared=True)
    ui.run_with(
        outer,
        title="Titanium",
        favicon=STATIC / "icon.svg",
        dark=None,
        language="en-US",
        # Nothing of ours is bound to values; the loop that looks for changes would run for nothing.
        binding_refresh_interval=None,
        gzip_middleware_factory=None,  # the network is this machine
        tailwind=False,  # it makes its styles in the browser, on every page
        show_welcome_message=False,
        message_history_length=100,
        reconnect_timeout=5,
    )
    core.app.colors(primary="#1d5fbf", positive="#15803d", negative="#c22727", warning="#a85a00")
    core.app.config.socket_io_js_transports = ["websocket"]
    # The guard has compared origins already; engine.io adds headers that would allow others.
    core.sio.eio.cors_allowed_origins = []
    for key in (404, 500, Exception):
        core.app.add_exception_handler(key, _not_found if key == 404 else _failed)
        outer.add_exception_handler(key, _not_found if key == 404 else _failed)
    return Guard(
        outer,
        sessions,
        port,
        public=(f"/_nicegui/{nicegui_version}/", "/_console/", "/favicon.ico"),
        open_paths=PATHS,
    )


@asynccontextmanager
async def _background(backend: Backend) -> AsyncIterator[None]:
    task = asyncio.create_task(backend.poller.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await backend.prometheus.close()


async def _not_found(request: Request, error: Exception) -> Response:
    del error
    return HTMLResponse(paper.missing(request.url.path), 404, {"Cache-Control": "no-store"})


async def _failed(request: Request, error: Exception) -> Response:
    del request, error  # uvicorn logs it
    return HTMLResponse(paper.broken(), 500, {"Cache-Control": "no-store"})


async def serve(home: Home, ports: Ports, root: Path) -> None:
    """Run the console until it is told to end: its pages over TCP, its receiver of spans on a
    Unix socket that only this user can open."""
    jsonlog.configure("console")
    logging.getLogger("nicegui").setLevel(logging.WARNING)
    backend = make_backend(home, ports, root)
    servers = (
        _server(make_application(backend, ports.console), ws_max_size=2**20),
        _server(receiver(backend.traces), lifespan="off"),
    )
    sockets = (_listen(ports.console), _listen_privately(home.otlp_socket))

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        async with asyncio.TaskGroup() as group:
            for server, listener in zip(servers, sockets, strict=True):
                group.create_task(server.serve([listener]))
    finally:
        home.otlp_socket.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """One of two in this process: signals are for both."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: ASGIApp, **options: Any) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            access_log=False,  # the address of a login has the token in it
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
            log_config=None,
            **options,
        )
    )


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortBusyError(
            f"the console cannot listen on {HOST}:{port}: {error.strerror}",
            "Stop what has the port, or choose others: titanium up --port-base.",
        ) from None
    return listener


def _listen_privately(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    return listener
