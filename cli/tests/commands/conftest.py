"""One platform for each module of these tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..conftest import Program


@pytest.fixture(scope="module")
def program(make_program: Callable[..., Program]) -> Program:
    """Two services; up before each test of this module, in any order."""
    return make_program("one", "two")


@pytest.fixture
def running(program: Program) -> Program:
    program.up()
    return program


@pytest.fixture
def stopped(program: Program) -> Iterator[Program]:
    program.run("down")
    yield program
    program.run("down")
