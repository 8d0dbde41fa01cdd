"""The supervisor's ear: every request gets a result, whatever goes wrong."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from titanium.errors import EXIT_STATE, EXIT_USAGE
from titanium.supervise.control import Control
from titanium.supervise.protocol import Request, Result, decode, encode

pytestmark = pytest.mark.integration


async def full_disk(request: Request) -> Result:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/home/options.json")


async def ask(folder: Path, line: bytes) -> Result:
    control = Control(folder / "s", full_disk)
    await control.open()
    try:
        reader, writer = await asyncio.open_unix_connection(str(folder / "s"))
        writer.write(line)
        result = decode(await reader.readline())
        writer.close()
        assert isinstance(result, Result)
        return result
    finally:
        await control.close()


async def test_a_full_disk_is_an_answer(short_folder: Path) -> None:
    result = await ask(short_folder, encode(Request("restart", "blog")))
    assert (result.ok, result.code) == (False, EXIT_STATE)
    assert result.message == "cannot use /home/options.json: No space left on device"
    assert result.hint


async def test_nonsense_is_an_answer(short_folder: Path) -> None:
    assert (await ask(short_folder, b"nonsense\n")).code == EXIT_USAGE
