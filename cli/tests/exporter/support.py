"""A supervisor as the exporter sees it, and what it says of its platform."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from titanium.layout import Home
from titanium.supervise.control import Control
from titanium.supervise.protocol import Fault, PlatformStatus, ProcessStatus, Request, Result


def process(name: str, kind: str, service: str = "", **changes: Any) -> ProcessStatus:
    made = ProcessStatus(
        name=name,
        kind=kind,
        state="ready",
        pid=4711,
        uptime=12.5,
        memory=50_000_000,
        restarts=2,
        address="",
        service=service,
        cpu=1.25,
    )
    return replace(made, **changes)


STATUS = PlatformStatus(
    state="healthy",
    home="/h",
    url="http://127.0.0.1:8080",
    https_url="https://localhost:8443",
    supervisor=1,
    processes=(
        process("postgres", "postgres"),
        process("redis", "redis"),
        process("blog-0", "app", "blog"),
        process("blog-0-sidecar", "sidecar", "blog"),
        process("user-0", "app", "user", state="backoff", pid=None),
        process("gateway", "gateway"),
        process("prometheus", "prometheus", optional=True),
        process("supervisor", "supervisor"),
    ),
    faults=(Fault("blog", 100, 0, 50, 2e9),),
)


@dataclass
class StandIn:
    """A supervisor as the exporter sees it: the real control socket, an answer of the test's."""

    home: Home
    status: PlatformStatus = STATUS
    asked: int = 0
    _control: Control | None = field(default=None)

    async def start(self) -> None:
        self._control = Control(self.home.control_socket, self._answer)
        await self._control.open()

    async def stop(self) -> None:
        if self._control is not None:
            await self._control.close()
            self._control = None

    async def _answer(self, request: Request) -> Result:
        assert request.operation == "status"
        self.asked += 1
        return Result(ok=True, body=self.status.to_json())
