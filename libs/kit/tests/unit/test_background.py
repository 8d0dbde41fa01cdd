"""Background tasks: begun once, gone after the stop, and honest about having died."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from titanium_kit.background import Background

pytestmark = pytest.mark.unit


async def test_it_runs_until_it_is_stopped() -> None:
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = Background("counting", work)
    assert not task.alive
    task.start()
    await asyncio.sleep(0.01)
    assert task.alive
    await task.stop()
    assert not task.alive
    seen = turns
    await asyncio.sleep(0.01)
    assert turns == seen > 1


async def test_a_lost_cancellation_is_repeated() -> None:
    lost = 0

    async def work() -> None:
        nonlocal lost
        while lost < 2:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            lost += 1
        await asyncio.sleep(60)

    task = Background("stubborn", work)
    task.start()
    await asyncio.sleep(0)
    await task.stop()
    assert not task.alive
    assert lost == 2


async def test_one_that_died_is_not_alive_and_can_be_stopped() -> None:
    async def work() -> None:
        raise RuntimeError("no")

    task = Background("dying", work)
    task.start()
    await asyncio.sleep(0.01)
    assert not task.alive
    await task.stop()


async def test_stopping_what_never_began_is_nothing() -> None:
    async def work() -> None:
        await asyncio.sleep(60)

    await Background("idle", work).stop()
