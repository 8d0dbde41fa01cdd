"""A small report whose figures are easy to check by head."""

from __future__ import annotations

from datetime import UTC, datetime

from titanium.bench.machine import Machine
from titanium.bench.model import (
    HASHES,
    LIMIT,
    MIXED,
    Growth,
    Load,
    Memory,
    Observability,
    Report,
    Result,
    Round,
    Usage,
)
from titanium.bench.report import Circumstances

MEGABYTE = 1_000_000


def load(rate: float, *, p95: float = 10.0, refused: int = 0, broken: int = 0) -> Load:
    """Two seconds at `rate` good answers a second."""
    return Load(round(rate * 2) + refused, 2.0, p95 / 2, p95, 2 * p95, refused, broken)


def result(name: str, *rates: float, limit: float = 10_000, p95: float = 10.0) -> Result:
    """A step with one round for each rate, each beside the same limit."""
    usage = {"blog-0": Usage(50.0, 90 * MEGABYTE, 60 * MEGABYTE)}
    rounds = (Round(load(rate, p95=p95), usage, {LIMIT: limit}) for rate in rates)
    return Result(name, f"what {name} does", tuple(rounds))


def login(rate: float, hashes: float) -> Result:
    """One round of logins beside `hashes` verifications a second."""
    return Result("login", "log in", (Round(load(rate), {}, {LIMIT: 10_000, HASHES: hashes}),))


def memory(megabytes: int) -> Memory:
    """Two processes that show twice what they take."""
    half = megabytes * MEGABYTE // 2
    return Memory({"blog-0": (2 * half, half), "gateway": (2 * half, half)})


def steps() -> dict[str, Result]:
    """Every step's target is met exactly."""
    found = (
        result(LIMIT, 10_000),
        result("cached-post", 4500),
        result("cached-list", 4500),
        result("uncached-post", 1500),
        result("create", 500),
        login(40, 50),
        result(MIXED, 100, p95=25.0),
    )
    return {step.name: step for step in found}


def report() -> Report:
    """Every target is met exactly."""
    return Report(
        results=steps(),
        first_start=20.0,
        second_start=8.0,
        idle=memory(400),
        loaded=memory(800),
        growth=Growth(1000, 1_000_000, 2.0, 3.0),
        observability=observability(),
        optional=frozenset({"prometheus"}),
    )


def observability(*, rate: float = 950, megabytes: int = 350, idle: float = 8.5) -> Observability:
    """950 of 1,000 requests a second are left; at rest Prometheus takes 8.5 % of a core, and blog
    1.5 % more than without."""
    half = Usage(0.5, MEGABYTE, MEGABYTE)
    observer = Usage(idle, 2 * megabytes * MEGABYTE, megabytes * MEGABYTE)
    return Observability(
        loads=(load(rate),),
        loads_without=(load(1000),),
        idle={"blog-0": Usage(2.0, MEGABYTE, MEGABYTE), "prometheus": observer},
        idle_without={"blog-0": half},
    )


def circumstances() -> Circumstances:
    versions = (("Python", "3.11.7"), ("Envoy", "1.40.0"))
    machine = Machine(2, "Some Processor", 8 * 2**30, "Linux 6.1.0", versions)
    moment = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    return Circumstances(moment, machine, "titanium bench", 5.0, 3, 50_000)
