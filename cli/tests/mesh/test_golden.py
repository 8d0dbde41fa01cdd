"""What is rendered stays what it was.

After a wanted change: `TITANIUM_REGENERATE_GOLDEN=1 pytest cli/tests/mesh/test_golden.py`, then
read the difference of `cli/tests/mesh/golden/` like any other change of code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from titanium.catalog import Catalog
from titanium.layout import Home, Ports
from titanium.mesh import Edge, Endpoint, Policy, local_gateway, render_endpoints, render_gateway
from titanium.mesh.kubernetes import render_kubernetes_gateway

GOLDEN = Path(__file__).parent / "golden"

pytestmark = pytest.mark.unit


def check(name: str, document: dict[str, Any]) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    if os.environ.get("TITANIUM_REGENERATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_gateway_is_rendered_as_before(gateway: dict[str, Any]) -> None:
    script = gateway["static_resources"]["listeners"][0]
    assert "envoy_on_request" in json.dumps(script)
    check("gateway", gateway)


def test_gateway_for_kubernetes_is_rendered_as_before(
    catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    check("gateway-kubernetes", render_kubernetes_gateway(catalog, policy, edge))


@pytest.mark.parametrize("service", ["alpha", "beta"])
def test_sidecar_is_rendered_as_before(sidecars: dict[str, Any], service: str) -> None:
    check(f"sidecar-{service}", sidecars[service])


def test_endpoints_are_rendered_as_before() -> None:
    check("endpoints", render_endpoints("alpha", [Endpoint(20010), Endpoint(20011)]))


def test_rendering_twice_gives_the_same(
    gateway: dict[str, Any], catalog: Catalog, policy: Policy, edge: Edge
) -> None:
    again = render_gateway(
        catalog, policy, edge, local_gateway(Home(Path("/home/state")), Ports(20000))
    )
    assert again == gateway
