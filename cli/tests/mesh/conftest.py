"""A small catalog and what is rendered from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from titanium.catalog import Catalog, load_catalog
from titanium.layout import Home, Ports
from titanium.mesh import (
    Bench,
    Edge,
    Policy,
    load_edge,
    load_policy,
    local_gateway,
    local_sidecar,
    render_gateway,
    render_sidecar,
)

DATA = Path(__file__).parent / "data"
HOME = Home(Path("/home/state"))
PORTS = Ports(20000)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(DATA)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy(DATA)


@pytest.fixture(scope="session")
def edge() -> Edge:
    return load_edge(DATA)


@pytest.fixture(scope="session")
def gateway(catalog: Catalog, policy: Policy, edge: Edge) -> dict[str, Any]:
    """The gateway's bootstrap of a local run."""
    return render_gateway(catalog, policy, edge, local_gateway(HOME, PORTS))


@pytest.fixture(scope="session")
def bench_gateway(catalog: Catalog, policy: Policy, edge: Edge) -> dict[str, Any]:
    """The same, for the benchmark."""
    topology = local_gateway(HOME, PORTS, bench=Bench("alpha"))
    return render_gateway(catalog, policy, edge, topology)


@pytest.fixture(scope="session")
def sidecars(catalog: Catalog, policy: Policy) -> dict[str, dict[str, Any]]:
    """The bootstrap of each service's first sidecar."""
    return {
        name: render_sidecar(
            catalog, policy, name, local_sidecar(HOME, PORTS, catalog.names, name, 0)
        )
        for name in catalog.names
    }
