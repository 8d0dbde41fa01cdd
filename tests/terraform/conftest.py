"""One life of each configuration for all tests, and each module's own tests.

The emulator takes its time for load balancers: all live side by side, each with an emulator of its
own, the longest first, while tests that need none of them run.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from tests.terraform.life import Applied, live
from tests.terraform.support import SOURCES, Lent, copy_sources, emulators, initialized
from titanium.errors import TitaniumError

PROFILES = ("light", "standard")
EXAMPLES = sorted(
    str(path.parent.relative_to(SOURCES)) for path in SOURCES.glob("modules/*/examples/*/main.tf")
)
TESTED = sorted(
    {str(path.parent.parent.relative_to(SOURCES)) for path in SOURCES.rglob("tests/*.hcl")}
)
# These wait for a load balancer or a database.
LONG = ("modules/database/", "modules/edge/", "modules/kubernetes/")
# Most of their time they wait for the emulator.
AT_ONCE = 6
# Fixtures whose work is done in the background, what waits most first.
BACKGROUND = ("lives", "module_tests")

T = TypeVar("T")


def awaits(item: pytest.Item) -> set[str]:
    """What of the background a test asks for, directly or not."""
    return {*BACKGROUND} & {*getattr(item, "fixturenames", ())}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the background comes last, the rest of this folder, which starts it, first."""
    here = Path(__file__).parent
    items.sort(key=lambda item: 2 if awaits(item) else int(here not in item.path.parents))


@pytest.fixture(scope="session", autouse=True)
def _begin(request: pytest.FixtureRequest) -> None:
    """What somebody will ask for begins with the first test of this folder."""
    asked = set().union(*(awaits(item) for item in request.session.items))
    for name in BACKGROUND:
        if name in asked:
            request.getfixturevalue(name)


@pytest.fixture(scope="session")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lent]:
    """An emulator for whoever needs one; none is started before that."""
    with emulators(tmp_path_factory.mktemp("emulators")) as lend:
        yield lend


@pytest.fixture(scope="session")
def background(lent: Lent) -> Iterator[ThreadPoolExecutor]:
    """Threads for what runs beside the tests that do not wait for it; they end before the emulators
    do."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def lives(
    background: ThreadPoolExecutor, lent: Lent, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[Applied]]:
    """Profile or example => what it showed, as soon as it has."""

    def begin(where: str, profile: str = "") -> Future[Applied]:
        return background.submit(live, lent, tmp_path_factory.mktemp("terraform"), where, profile)

    started = {name: begin("environments/aws", name) for name in PROFILES}
    for name in sorted(EXAMPLES, key=lambda one: not one.startswith(LONG)):
        started[name] = begin(name)
    return started


@pytest.fixture(scope="session")
def light(lives: dict[str, Future[Applied]]) -> Applied:
    """Environment aws, profile light."""
    return _finished(lives["light"])


@pytest.fixture(scope="session")
def standard(lives: dict[str, Future[Applied]]) -> Applied:
    """Environment aws, profile standard."""
    return _finished(lives["standard"])


@pytest.fixture(scope="session", params=PROFILES)
def profile(request: pytest.FixtureRequest, lives: dict[str, Future[Applied]]) -> Applied:
    """Both, one after the other."""
    return _finished(lives[request.param])


@pytest.fixture(scope="session", params=EXAMPLES)
def example(request: pytest.FixtureRequest, lives: dict[str, Future[Applied]]) -> Applied:
    """Every module's examples."""
    return _finished(lives[request.param])


@pytest.fixture(scope="session")
def module_tests(
    background: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[str]]:
    """Module => what `terraform test` said of it, as soon as it has."""

    def tested(folder: Path, where: str) -> str:
        module = copy_sources(folder, emulated=False) / where
        return initialized(module, folder / "data").run("test")

    return {
        where: background.submit(tested, tmp_path_factory.mktemp("module"), where)
        for where in TESTED
    }


@pytest.fixture(scope="session", params=TESTED)
def module_test(request: pytest.FixtureRequest, module_tests: dict[str, Future[str]]) -> str:
    """Every module's own tests."""
    return _finished(module_tests[request.param])


def _finished(future: Future[T]) -> T:
    """What was done in the background; fails, or skips, as it did."""
    try:
        return future.result()
    except TitaniumError as error:
        pytest.fail("\n".join((error.message, *error.details)))
