"""What the supervisor and its callers say to each other: JSON, one object a line.

A caller sends one Request over `run/supervisor.sock` and reads Events until a Result, the
last line of the answer. Starting in the background speaks the same way over a pipe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from titanium import errors
from titanium.errors import TitaniumError

Operation = Literal["status", "restart", "scale", "stop"]
OPERATIONS: tuple[Operation, ...] = ("status", "restart", "scale", "stop")


@dataclass(frozen=True, slots=True)
class Request:
    """`service` and `count` belong to restart and scale."""

    operation: Operation
    service: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A step changed its state: one of a unit's states, `done` (a task) or `warning`."""

    step: str
    state: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process. `memory` is resident bytes with its children, `uptime` seconds."""

    name: str
    kind: str
    state: str
    pid: int | None
    uptime: float
    memory: int
    restarts: int
    address: str
    service: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """The whole: `state` is starting, healthy, unhealthy, stopping or stopped."""

    state: str
    home: str
    url: str
    https_url: str
    supervisor: int | None
    processes: tuple[ProcessStatus, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> PlatformStatus:
        processes = tuple(ProcessStatus(**item) for item in body["processes"])
        return cls(**{**body, "processes": processes})


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended. On failure `kind` (class), `message`, `hint`, `details` and `code` are
    an error's."""

    ok: bool
    body: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    details: tuple[str, ...] = ()
    code: int = 0
    kind: str = ""

    @classmethod
    def failure(cls, error: TitaniumError) -> Result:
        return cls(
            ok=False,
            message=error.message,
            hint=error.hint,
            details=error.details,
            code=error.exit_code,
            kind=type(error).__name__,
        )

    def raise_failure(self) -> None:
        """Raise the error that this result carries; nothing when it is a success."""
        if not self.ok:
            kind = getattr(errors, self.kind, TitaniumError)
            raise kind(self.message, self.hint, self.details)


Message = Request | Event | Result


def encode(message: Message) -> bytes:
    kind = type(message).__name__.lower()
    return json.dumps({kind: asdict(message)}, ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> Message:
    """ValueError when the line is not one of ours."""
    try:
        ((kind, body),) = json.loads(line).items()
        if kind == "request" and body["operation"] in OPERATIONS:
            return Request(**body)
        if kind == "event":
            return Event(**body)
        if kind == "result":
            return Result(**{**body, "details": tuple(body["details"])})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {error}") from None
    raise ValueError(f"unknown message: {line[:80]!r}")
