"""AWS as moto's server emulates it, in a process of its own.

The emulator keeps no tiers waiting (instances change their state at once, node groups have no real
machines) and fires no schedule: order, waiting and failures are seen in what is asked of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import botocore.loaders
import botocore.session
import pytest

from tests.terraform import support


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    with support.emulator(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def one_loader() -> Iterator[None]:
    """boto3 reads megabytes of API descriptions for each session: here it reads them once."""
    loader = botocore.loaders.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        yield


@pytest.fixture
def aws(emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty account; this process's boto3 speaks to it."""
    support.empty(emulator)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", support.REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", support.REGION)  # for the account's own clients
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return emulator
