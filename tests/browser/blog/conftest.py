"""One platform for all tests of the blog's pages; a context for each visitor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.blog.visitor import Visit, Visitor, open_visitor
from tests.support import Person, Platform, running_platform


@pytest.fixture(scope="package")
def platform(browser: Any, relaxed_policy: Path) -> Iterator[Platform]:
    """One platform with its demo content, without limits that these tests would reach."""
    with running_platform("--policy", str(relaxed_policy)) as running:
        yield running


@pytest.fixture
def visit(browser: Any, platform: Platform) -> Iterator[Visit]:
    """`open_visitor` on this platform; afterwards no visitor may have seen an error."""
    visitors: list[Visitor] = []

    def opened(person: Person | None = None, **wishes: Any) -> Visitor:
        visitors.append(open_visitor(browser, platform, person, **wishes))
        return visitors[-1]

    yield opened
    for visitor in visitors:
        visitor.context.close()
    assert [error for visitor in visitors for error in visitor.unexpected()] == []


@pytest.fixture
def person(platform: Platform) -> Person:
    """A fresh account with a session."""
    return platform.register()
