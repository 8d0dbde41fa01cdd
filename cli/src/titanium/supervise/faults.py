"""Slows or fails calls to a service for a bounded time, by its sidecars."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlencode

from titanium.errors import UnhealthyError, UsageError
from titanium.mesh.faults import runtime_settings
from titanium.supervise.probe import http_get
from titanium.supervise.protocol import Event, Fault, FaultRequest, describe_fault

LONGEST, LONGEST_DELAY_MS = 600, 60_000
_PATIENCE = 2.0
_ATTEMPTS = 5

Sidecars = Callable[[str], Iterable[Path]]


def check(fault: FaultRequest) -> None:
    """UsageError when a value is out of bounds."""
    bounds = (
        ("seconds", fault.seconds, 0, LONGEST),
        ("percent", fault.percent, 1, 100),
        ("delay_ms", fault.delay_ms, 0, LONGEST_DELAY_MS),
    )
    for name, value, least, most in bounds:
        # From the wire: a bool or a fraction is not what was asked for.
        if type(value) is not int or not least <= value <= most:
            raise UsageError(
                f"fault: {name} is {value!r}", f"Choose a whole number from {least} to {most}."
            )
    status = fault.abort_status
    if type(status) is not int or (status != 0 and not 400 <= status <= 599):
        raise UsageError(f"fault: abort_status is {status!r}", "Choose 400 to 599, or 0 for none.")
    if fault.seconds and not (fault.delay_ms or status):
        raise UsageError("fault: neither delay_ms nor abort_status is given", "Choose one or both.")


class Faults:
    """The faults that are being injected; `sidecars` finds the admin sockets of those of a service
    that run."""

    def __init__(self, sidecars: Sidecars, tell: Callable[[Event], None]) -> None:
        self._sidecars = sidecars
        self._tell = tell
        self._active: dict[str, tuple[Fault, FaultRequest]] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._repeats: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> tuple[Fault, ...]:
        return tuple(fault for fault, _ in self._active.values())

    async def set(self, service: str, request: FaultRequest) -> None:
        """Inject it until its time is over, in place of one before it; 0 seconds ends that one.

        UsageError, or UnhealthyError when a sidecar does not take it: then none has it.
        """
        check(request)
        async with self._changing:
            self._cancel(service)
            if request.seconds == 0:
                await self._clear(service, "ended")
                return
            try:
                await self._send_all(service, request)
            except OSError as error:
                await self._clear(service, "not injected")
                raise UnhealthyError(
                    f"a sidecar of {service} does not take the fault: {error}",
                    "Try again when `titanium status` shows it as ready.",
                ) from None
            until = time.time() + request.seconds
            fault = Fault(service, request.delay_ms, request.abort_status, request.percent, until)
            self._active[service] = (fault, request)
            self._timers[service] = asyncio.create_task(self._end(service, request.seconds))
        self._say(service, f"fault: {describe_fault(fault)}, for {request.seconds} s")

    def apply_again(self, service: str, admin: Path) -> None:
        """A sidecar was started anew, or a replica added: it gets what the others have."""
        if service in self._active:
            task = asyncio.create_task(self._repeat(service, admin))
            self._repeats.add(task)
            task.add_done_callback(self._repeats.discard)

    async def clear_unknown(self, admins: Iterable[Path]) -> None:
        """End what a dead supervisor left in sidecars that were taken over."""
        await asyncio.gather(*(_clear_one(admin) for admin in admins))

    async def _end(self, service: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        async with self._changing:
            self._timers.pop(service, None)
            await self._clear(service, "is over")

    async def _clear(self, service: str, how: str) -> None:
        was = self._active.pop(service, None)
        for attempt in range(_ATTEMPTS):
            try:
                await self._send_all(service, None)
                break
            except OSError as error:
                # One that ended just now has nothing to end; one that hangs is asked again.
                if attempt == _ATTEMPTS - 1:
                    self._say(service, f"fault could not be ended: {error}", "warning")
                await asyncio.sleep(0.2)
        if was is not None:
            self._say(service, f"fault {how}")

    async def _repeat(self, service: str, admin: Path) -> None:
        if found := self._active.get(service):
            try:
                await _send(admin, found[1])
            except OSError as error:
                self._say(service, f"fault was not given to a new sidecar: {error}", "warning")

    async def _send_all(self, service: str, request: FaultRequest | None) -> None:
        for admin in self._sidecars(service):
            await _send(admin, request)

    def _cancel(self, service: str) -> None:
        if timer := self._timers.pop(service, None):
            timer.cancel()

    def _say(self, service: str, remark: str, state: str = "done") -> None:
        self._tell(Event(service, state, remark))


async def _clear_one(admin: Path) -> None:
    """Asked again while it hangs; one that does not run has nothing to end."""
    for _ in range(_ATTEMPTS):
        try:
            await _send(admin, None)
        except (FileNotFoundError, ConnectionRefusedError):
            pass
        except OSError:
            await asyncio.sleep(0.2)
            continue
        return


async def _send(admin: Path, request: FaultRequest | None) -> None:
    """OSError when the sidecar does not take it."""
    query = urlencode(runtime_settings(request))
    try:
        async with asyncio.timeout(_PATIENCE):
            status, body = await http_get(f"/runtime_modify?{query}", socket=admin, method="POST")
    except TimeoutError:
        raise OSError(f"no answer in {_PATIENCE:g} s") from None
    except EOFError as error:
        raise OSError(str(error)) from None
    if status != 200:
        raise OSError(f"{status} {body.decode('utf-8', 'replace').strip()[:200]}")
