from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifests.support import (
    KUBECTL,
    OVERLAYS,
    PRODUCTION,
    REASON,
    Object,
    build,
    copy_with_secrets,
)


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`k8s-manifests` with secrets of its own."""
    if KUBECTL is None:
        pytest.skip(REASON)
    return copy_with_secrets(tmp_path_factory.mktemp("manifests"))


@pytest.fixture(scope="session")
def local(manifests: Path) -> list[Object]:
    """Every object of overlays/local."""
    return build(manifests / "overlays" / "local")


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, manifests: Path) -> list[Object]:
    """Every object of each overlay in turn."""
    return build(manifests / "overlays" / request.param)


@pytest.fixture(scope="session", params=PRODUCTION)
def production(request: pytest.FixtureRequest, manifests: Path) -> list[Object]:
    """Every object of each production overlay in turn."""
    return build(manifests / "overlays" / request.param)


@pytest.fixture(scope="session")
def solid_cloud(manifests: Path) -> list[Object]:
    return build(manifests / "overlays" / "solid-cloud")


@pytest.fixture(scope="session")
def aws(manifests: Path) -> list[Object]:
    return build(manifests / "overlays" / "aws")
