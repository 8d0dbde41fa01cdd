"""Serves one application: `python -m titanium_kit.server titanium_blog.main:create_app`.

Binds to `BIND`: `unix:/path/app.sock` beside a sidecar, `tcp:0.0.0.0:8000` in a cluster.
SIGTERM stops accepting, finishes what is under way and exits.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import titanium_kit._slim  # noqa: F401 - its place before the next lines is its purpose
from titanium_kit.logs import configure_logging, get_logger
from titanium_kit.settings import ServiceSettings, SettingsError, load_settings

KEEP_ALIVE = 90  # longer than Envoy keeps an idle connection: the client side must close first
GRACE = 10


def bind_options(bind: str) -> dict[str, str | int]:
    """uvicorn's options for a BIND value. Raises `SettingsError` on any other form."""
    kind, _, address = bind.partition(":")
    if kind == "unix" and address:
        return {"uds": address}
    host, _, port = address.rpartition(":")
    if kind == "tcp" and host and port.isdigit():
        return {"host": host, "port": int(port)}
    raise SettingsError(f"BIND: {bind!r} is neither unix:/path/to.sock nor tcp:host:port")


class PlainStart:
    """Reports a start that `SettingsError` stopped in one line instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_plainly(message: Message) -> None:
            error = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(error, SettingsError):
                message = {**message, "message": f"cannot start: {error}"}
            await send(message)

        await self.app(scope, receive, send_plainly)


def serve(target: str) -> None:
    """Import `module:factory`, build the application and serve it until a signal ends it."""
    settings = load_settings(ServiceSettings)
    options = bind_options(settings.bind)
    configure_logging(settings)
    module, _, factory = target.partition(":")
    app = getattr(import_module(module), factory)()
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be traversed again
    # The cache holds many small objects for long: traversing them at the default rate costs
    # milliseconds of every reader's time and finds nothing.
    gc.set_threshold(10_000, 20, 100)
    config = uvicorn.Config(
        PlainStart(app),
        loop="uvloop",
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
        **options,  # type: ignore[arg-type]
    )
    get_logger(__name__).info("serving", bind=settings.bind)
    uvicorn.Server(config).run()


def main() -> None:
    """Command line: one argument, `module:factory`. Exit status 1 when it may not start."""
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit("usage: python -m titanium_kit.server MODULE:FACTORY")
    try:
        serve(sys.argv[1])
    except SettingsError as error:
        sys.exit(f"{sys.argv[1]} cannot start: {error}")


if __name__ == "__main__":
    main()
