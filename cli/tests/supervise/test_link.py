"""The asynchronous way to the supervisor says what the blocking one says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from titanium.errors import NotRunningError, UnhealthyError, UsageError
from titanium.layout import Home
from titanium.supervise.control import Control
from titanium.supervise.link import SupervisorLink
from titanium.supervise.protocol import Event, FaultRequest, PlatformStatus, Request, Result

pytestmark = pytest.mark.integration
STATUS = PlatformStatus("healthy", "/h", "u", "s", 7, notes=("long " * 40_000,))


@pytest.fixture
async def home(short_folder: Path) -> AsyncIterator[Home]:
    """A folder whose supervisor answers `status`, hangs on `stop` and refuses the rest."""
    home = Home(short_folder, short_folder)
    seen: list[Request] = []

    async def answer(request: Request) -> Result:
        seen.append(request)
        if request.operation == "status":
            assert request.cached
            return Result(ok=True, body=STATUS.to_json())
        if request.operation == "stop":
            await asyncio.sleep(60)
        control.tell(Event("blog-0", "starting"))
        raise UsageError("no such service", "Choose another.")

    control = Control(home.control_socket, answer)
    await control.open()
    yield home
    await control.close()


async def test_status_is_asked_for_with_a_cached_answer_of_any_size(home: Home) -> None:
    assert await SupervisorLink(home).status() == STATUS


async def test_a_failure_is_raised_with_its_words_after_the_events(home: Home) -> None:
    heard: list[Event] = []
    request = Request("fault", "nothing", fault=FaultRequest(delay_ms=1))
    with pytest.raises(UsageError, match="no such service") as raised:
        await SupervisorLink(home).ask(request, heard.append)
    assert raised.value.hint == "Choose another."
    assert heard == [Event("blog-0", "starting")]


async def test_a_supervisor_that_does_not_answer_is_told_apart_from_none(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(UnhealthyError, match="does not answer"):
        await SupervisorLink(home).ask(Request("stop"), timeout=0.1)
    with pytest.raises(NotRunningError, match="no titanium is running"):
        await SupervisorLink(Home(tmp_path, home.run / "none")).status()
