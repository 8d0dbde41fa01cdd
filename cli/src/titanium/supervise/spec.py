"""What is to run, as pure data: processes, one-off tasks, and the order they need."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from titanium.errors import ConfigurationError

Kind = Literal[
    "postgres",
    "redis",
    "app",
    "sidecar",
    "gateway",
    "exporter",
    "prometheus",
    "alertmanager",
    "console",
]


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Ready when GET `path` answers 200, over a Unix socket or over TCP on loopback.

    `account`: a user and the file with its password, where the server asks for one.
    """

    path: str
    socket: Path | None = None
    port: int | None = None
    account: tuple[str, Path] | None = None


@dataclass(frozen=True, slots=True)
class PostgresProbe:
    """Ready when the server asks for a password instead of refusing the connection."""

    socket: Path


@dataclass(frozen=True, slots=True)
class RedisProbe:
    """Ready when the server answers a PING, even if only to ask for a password."""

    socket: Path


Probe = HttpProbe | PostgresProbe | RedisProbe


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process that is kept running.

    `env` is all that it gets besides PATH, HOME, TMPDIR and TZ. `inputs` are files that it
    reads at start only: with argv and env they make the configuration hash, whose change
    restarts it. `ready_within` and `stop_within` are seconds. `liveness` is asked for as
    long as the process runs: one that stops answering is replaced. `sockets` are removed
    before it starts. `optional`: the platform serves without it, so a failed start of it
    stops nothing.
    """

    name: str
    kind: Kind
    argv: tuple[str, ...]
    folder: Path
    log: Path
    probe: Probe
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()
    liveness: Probe | None = None
    service: str = ""
    replica: int = 0
    address: str = ""
    ports: tuple[int, ...] = ()
    sockets: tuple[Path, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    ready_within: float = 30.0
    hint: str = ""
    optional: bool = False

    def configuration_hash(self) -> str:
        """Equal for two specs exactly when a running process of one serves as the other."""
        digest = hashlib.sha256(
            json.dumps(
                [self.argv, str(self.folder), sorted(self.env.items()), list(self.ports)]
            ).encode()
        )
        for path in self.inputs:
            digest.update(str(path).encode() + b"\0")
            digest.update(path.read_bytes() if path.exists() else b"-")
        return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A program that runs once, to its end, whenever a process that needs it is to start."""

    name: str
    argv: tuple[str, ...]
    folder: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    timeout: float = 120.0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of one run; names are unique and every need exists, without circles."""

    processes: tuple[ProcessSpec, ...]
    tasks: tuple[TaskSpec, ...] = ()

    def __post_init__(self) -> None:
        levels(self.steps)

    @property
    def steps(self) -> tuple[ProcessSpec | TaskSpec, ...]:
        return (*self.processes, *self.tasks)

    def process(self, name: str) -> ProcessSpec:
        return next(spec for spec in self.processes if spec.name == name)


def levels(steps: Iterable[ProcessSpec | TaskSpec]) -> dict[str, int]:
    """Depth of each step: 0 needs nothing; every other is deeper than all that it needs."""
    needs: dict[str, tuple[str, ...]] = {}
    for step in steps:
        if step.name in needs:
            raise ConfigurationError(f"two steps are called {step.name}")
        needs[step.name] = step.needs
    depth: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> int:
        if name not in needs:
            raise ConfigurationError(f"{path[-1]} needs {name}, which does not exist")
        if name in path:
            raise ConfigurationError(f"steps need each other: {' -> '.join((*path, name))}")
        if name not in depth:
            depth[name] = 1 + max((visit(n, (*path, name)) for n in needs[name]), default=-1)
        return depth[name]

    for name in needs:
        visit(name, ())
    return depth
