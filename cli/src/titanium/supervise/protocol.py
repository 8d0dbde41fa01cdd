"""What the supervisor and its callers say to each other: JSON, one object a line.

A caller sends one Request over `run/supervisor.sock` and reads Events until a Result, the
last line of the answer. Starting in the background speaks the same way over a pipe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from titanium import errors
from titanium.errors import TitaniumError

Operation = Literal[
    "status", "restart", "scale", "stop", "stop_service", "start_service", "kill", "fault"
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@dataclass(frozen=True, slots=True)
class FaultRequest:
    """Delay or fail `percent` of what reaches a service for `seconds`; 0 seconds ends it now.

    `delay_ms` 0: no delay; `abort_status` 0: no failure, else the HTTP status to answer with.
    """

    delay_ms: int = 0
    abort_status: int = 0
    percent: int = 100
    seconds: int = 30


@dataclass(frozen=True, slots=True)
class Request:
    """`service` is a service or a process; `count` belongs to scale, `fault` to fault, `cached`
    to status: an answer that is a second old will do, as it does for those who ask all the time."""

    operation: Operation
    service: str = ""
    count: int = 0
    fault: FaultRequest | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A step changed its state: one of a unit's states, `done` (a task) or `warning`."""

    step: str
    state: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process with its children: `memory` is resident bytes, `cpu` seconds of user and system
    time, `uptime` seconds. `optional`: the platform serves without it."""

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
    cpu: float = 0.0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is being injected into `service` until `until` (epoch seconds)."""

    service: str
    delay_ms: int
    abort_status: int
    percent: int
    until: float


def describe_fault(fault: Fault) -> str:
    """`50 % delayed by 200 ms and answered with 503`."""
    parts = []
    if fault.delay_ms:
        parts.append(f"delayed by {fault.delay_ms} ms")
    if fault.abort_status:
        parts.append(f"answered with {fault.abort_status}")
    return f"{fault.percent} % {' and '.join(parts)}"


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """The whole: `state` is starting, healthy, degraded (it serves, but an optional process is
    not ready), unhealthy, stopping or stopped. `console` is the console's address, empty without
    one; `notes` say what is missing and how to get it."""

    state: str
    home: str
    url: str
    https_url: str
    supervisor: int | None
    processes: tuple[ProcessStatus, ...] = ()
    faults: tuple[Fault, ...] = ()
    console: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> PlatformStatus:
        processes = tuple(ProcessStatus(**item) for item in body["processes"])
        faults = tuple(Fault(**item) for item in body.get("faults", ()))
        notes = tuple(body.get("notes", ()))
        return cls(**{**body, "processes": processes, "faults": faults, "notes": notes})


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
    body = asdict(message)
    if isinstance(message, Request):
        # A supervisor that was started by an older version refuses members that it does not know.
        usual = {member.name: member.default for member in fields(message)}
        body = {name: value for name, value in body.items() if value != usual[name]}
    return json.dumps({kind: body}, ensure_ascii=False).encode() + b"\n"


def decode(line: bytes) -> Message:
    """ValueError when the line is not one of ours."""
    try:
        ((kind, body),) = json.loads(line).items()
        if kind == "request" and body["operation"] in OPERATIONS:
            fault = body.get("fault")
            return Request(**{**body, "fault": FaultRequest(**fault) if fault else None})
        if kind == "event":
            return Event(**body)
        if kind == "result":
            return Result(**{**body, "details": tuple(body["details"])})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a message: {error}") from None
    raise ValueError(f"unknown message: {line[:80]!r}")
