"""One life of each configuration for all tests: the emulator takes its time for load balancers, so
all live side by side, each with an emulator of its own, the longest first."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.terraform.support import SOURCES, Applied, live
from titanium.errors import TitaniumError

PROFILES = ("light", "standard")
EXAMPLES = sorted(
    str(path.parent.relative_to(SOURCES)) for path in SOURCES.glob("modules/*/examples/*/main.tf")
)
# Most of their time they wait for the emulator.
AT_ONCE = 3


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Applied]]]:
    """Profile or example => what it showed, as soon as it has."""

    def folder() -> Path:
        return tmp_path_factory.mktemp("terraform")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = {name: pool.submit(live, folder(), "environments/aws", name) for name in PROFILES}
        yield started | {name: pool.submit(live, folder(), name) for name in EXAMPLES}
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
