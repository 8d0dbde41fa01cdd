"""One life of each configuration for all tests.

The emulator takes its time for load balancers: all live side by side, each with an emulator of its
own, the longest first, while tests that need none of them run.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.terraform.life import Applied, live
from tests.terraform.support import SOURCES
from titanium.errors import TitaniumError

PROFILES = ("light", "standard")
EXAMPLES = sorted(
    str(path.parent.relative_to(SOURCES)) for path in SOURCES.glob("modules/*/examples/*/main.tf")
)
# These wait for a load balancer or a database.
LONG = ("modules/database/", "modules/kubernetes/")
# Most of their time they wait for the emulator.
AT_ONCE = 4


def uses_lives(item: pytest.Item) -> bool:
    """Whether a test asks for a life, directly or not."""
    return "lives" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the lives comes last, the rest of this folder, which starts them, first."""
    here = Path(__file__).parent
    items.sort(key=lambda item: 2 if uses_lives(item) else int(here not in item.path.parents))


@pytest.fixture(scope="session", autouse=True)
def _begin(request: pytest.FixtureRequest) -> None:
    """The lives that somebody will ask for begin with the first test of this folder."""
    if any(uses_lives(item) for item in request.session.items):
        request.getfixturevalue("lives")


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Applied]]]:
    """Profile or example => what it showed, as soon as it has."""

    def folder() -> Path:
        return tmp_path_factory.mktemp("terraform")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {name: pool.submit(live, folder(), "environments/aws", name) for name in PROFILES}
        for name in sorted(EXAMPLES, key=lambda one: not one.startswith(LONG)):
            started[name] = pool.submit(live, folder(), name)
        yield started
        pool.shutdown(cancel_futures=True)


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


def _finished(future: Future[Applied]) -> Applied:
    try:
        result = future.result()
    except TitaniumError as error:
        pytest.fail("\n".join((error.message, *error.details)))
    if result.skipped:
        pytest.skip(result.skipped)
    return result
