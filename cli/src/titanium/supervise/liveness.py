"""Replaces processes that run but do nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from titanium.supervise import probe
from titanium.supervise.protocol import Event
from titanium.supervise.unit import Unit

EVERY = 5.0
# An overloaded process is slow, not dead: only this many seconds of silence end it.
LONGEST_SILENCE = 30.0


async def watch(
    units: Mapping[str, Unit],
    tell: Callable[[Event], None],
    every: float = EVERY,
    longest_silence: float = LONGEST_SILENCE,
) -> None:
    """Kill what has not answered its liveness probe for `longest_silence` seconds, for ever.

    Its unit then starts it again. Each process is asked every `every` seconds and has as many
    to answer.
    """
    silent_since: dict[str, float] = {}

    async def check(unit: Unit) -> None:
        name, process = unit.spec.name, unit.process
        asked = time.monotonic()
        if (
            unit.spec.liveness is None
            or process is None
            or unit.state != "ready"
            or (answer := await probe.ask(unit.spec.liveness, every)).ready
        ):
            silent_since.pop(name, None)
            return
        since = silent_since.setdefault(name, asked)
        if time.monotonic() - since >= longest_silence and process is unit.process:
            silent_since.pop(name)
            tell(Event(name, "warning", f"hangs ({answer.text}): killed"))
            await process.kill()

    while True:
        await asyncio.sleep(every)
        await asyncio.gather(*(check(unit) for unit in list(units.values())))
