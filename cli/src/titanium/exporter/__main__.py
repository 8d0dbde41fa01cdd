"""`python -m titanium.exporter HOME`: serves a run's metrics to its Prometheus.

TITANIUM_PORT_BASE is the run's port base; empty for the default ports.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import uvicorn

from titanium import state
from titanium.errors import StateError, TitaniumError, UsageError
from titanium.exporter.app import create_app
from titanium.jsonlog import configure, log
from titanium.layout import HOST, Home, Ports
from titanium.supervise.link import SupervisorLink

_GRACE = 3


def main(arguments: list[str]) -> int:
    configure("exporter")
    try:
        if len(arguments) != 1:
            raise UsageError("usage: python -m titanium.exporter HOME")
        serve(state.find_home(Path(arguments[0])), _ports())
    except TitaniumError as error:
        log("error", "cannot run", message=error.message, hint=error.hint)
        return error.exit_code
    return 0


def serve(home: Home, ports: Ports) -> None:
    """Serve until SIGTERM or SIGINT; requests under way get `_GRACE` seconds."""
    app = create_app(home, ports, _token(home), SupervisorLink(home).status)
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be traversed again
    config = uvicorn.Config(
        app,
        host=HOST,
        port=ports.exporter,
        loop="asyncio",
        http="h11",
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=128,
        timeout_graceful_shutdown=_GRACE,
    )
    uvicorn.Server(config).run()


def _token(home: Home) -> str:
    path = home.secret("observability", "scrape_token")
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"cannot read {path}: {error}", "titanium up makes it.") from None
    if not token:
        raise StateError(f"the secret {path} is empty", "Delete it; titanium up makes it anew.")
    return token


def _ports() -> Ports:
    base = os.environ.get("TITANIUM_PORT_BASE", "")
    if base and not (base.isascii() and base.isdigit()):
        raise UsageError(f"TITANIUM_PORT_BASE: {base!r} is not a number")
    return Ports(int(base) if base else None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
