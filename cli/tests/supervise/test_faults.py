"""Faults reach every sidecar of a service, end in time, and are refused when they make no sense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from titanium.errors import UnhealthyError, UsageError
from titanium.supervise.faults import Faults, check
from titanium.supervise.protocol import Event, FaultRequest, describe_fault

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
DELAY = "fault.http.delay.fixed_duration_ms"


@pytest.mark.unit
@pytest.mark.parametrize(
    "fault",
    [
        FaultRequest(delay_ms=1, seconds=601),
        FaultRequest(delay_ms=1, seconds=-1),
        FaultRequest(delay_ms=60_001),
        FaultRequest(delay_ms=1, percent=0),
        FaultRequest(delay_ms=1, percent=101),
        FaultRequest(abort_status=399),
        FaultRequest(abort_status=600),
        FaultRequest(),
        FaultRequest(delay_ms=True),
        FaultRequest(delay_ms=1.5),  # type: ignore[arg-type]
        FaultRequest(delay_ms="1"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused(fault: FaultRequest) -> None:
    with pytest.raises(UsageError, match="fault: "):
        check(fault)


@pytest.mark.unit
@pytest.mark.parametrize(
    "fault",
    [
        FaultRequest(delay_ms=60_000, seconds=600, percent=1),
        FaultRequest(abort_status=400),
        FaultRequest(delay_ms=5, abort_status=599),
        FaultRequest(seconds=0),
    ],
)
def test_the_bounds_themselves_are_allowed(fault: FaultRequest) -> None:
    check(fault)


class Sidecar:
    """Stands for an Envoy's admin socket: remembers what it was told last."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.runtime: dict[str, str] = {}
        self.refuses = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = (await reader.readline()).decode().split()
        assert (method, urlsplit(target).path) == ("POST", "/runtime_modify")
        told = parse_qs(urlsplit(target).query, keep_blank_values=True)
        if not self.refuses:
            self.runtime.update({name: values[0] for name, values in told.items()})
        status = "503 No" if self.refuses else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()


@pytest.fixture
async def pair(short_folder: Path) -> AsyncIterator[list[Sidecar]]:
    """Two sidecars of one service."""
    made = [Sidecar(short_folder / f"{n}.sock") for n in (0, 1)]
    servers = [await asyncio.start_unix_server(one.serve, one.socket) for one in made]
    yield made
    for server in servers:
        server.close()


@pytest.fixture
def said() -> list[Event]:
    return []


@pytest.fixture
def faults(pair: list[Sidecar], said: list[Event]) -> Faults:
    return Faults(lambda _: [one.socket for one in pair], said.append)


@pytest.mark.integration
async def test_every_sidecar_is_told_and_told_again_when_the_time_is_over(
    faults: Faults, pair: list[Sidecar], said: list[Event], eventually: Eventually
) -> None:
    await faults.set("blog", FaultRequest(delay_ms=200, percent=50, seconds=1))
    assert [one.runtime[DELAY] for one in pair] == ["200", "200"]
    (active,) = faults.active
    assert describe_fault(active) == "50 % delayed by 200 ms"
    await eventually(lambda: faults.active == () and len(said) == 2)
    assert [one.runtime[DELAY] for one in pair] == ["", ""]
    assert said[1] == Event("blog", "done", "fault is over")


@pytest.mark.integration
async def test_a_new_fault_replaces_the_old_one_and_zero_seconds_end_it(
    faults: Faults, pair: list[Sidecar]
) -> None:
    await faults.set("blog", FaultRequest(delay_ms=200, seconds=600))
    await faults.set("blog", FaultRequest(abort_status=503, seconds=600))
    (active,) = faults.active
    assert (active.delay_ms, active.abort_status) == (0, 503)
    assert pair[0].runtime[DELAY] == ""
    await faults.set("blog", FaultRequest(seconds=0))
    assert faults.active == ()
    assert set(pair[1].runtime.values()) == {""}


@pytest.mark.integration
async def test_a_sidecar_that_was_started_anew_gets_what_the_others_have(
    faults: Faults, pair: list[Sidecar], eventually: Eventually
) -> None:
    await faults.set("blog", FaultRequest(delay_ms=200, seconds=600))
    pair[1].runtime.clear()
    faults.apply_again("blog", pair[1].socket)
    faults.apply_again("user", pair[1].socket)
    await eventually(lambda: pair[1].runtime.get(DELAY) == "200")
    await faults.clear_unknown(one.socket for one in pair)
    assert [one.runtime[DELAY] for one in pair] == ["", ""]
    await faults.set("blog", FaultRequest(seconds=0))


@pytest.mark.integration
async def test_a_fault_that_one_sidecar_refuses_is_injected_nowhere(
    faults: Faults, pair: list[Sidecar]
) -> None:
    pair[1].refuses = True
    with pytest.raises(UnhealthyError, match="does not take the fault: 503"):
        await faults.set("blog", FaultRequest(delay_ms=200, seconds=600))
    assert faults.active == ()
    assert pair[0].runtime[DELAY] == ""
