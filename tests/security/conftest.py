"""One running mesh for all tests that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from titanium.mesh import Policy, load_policy

from .harness import ROOT, Mesh


def unlimited() -> Policy:
    """The real policy, but no client ever runs out of requests, and chance traces none."""
    policy = load_policy(ROOT).unlimited()
    quiet = policy.tracing.model_copy(update={"sampling_percent": 0})
    return policy.model_copy(update={"tracing": quiet})


@pytest.fixture(scope="session")
def shared_mesh() -> Iterator[Mesh]:
    with Mesh(unlimited()) as running:
        yield running


@pytest.fixture
def mesh(shared_mesh: Mesh) -> Mesh:
    """The shared mesh, its apps answering 200 and having seen nothing."""
    shared_mesh.clear()
    return shared_mesh
