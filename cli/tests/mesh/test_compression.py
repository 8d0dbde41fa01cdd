"""What is compressed, on the rendered configuration."""

from __future__ import annotations

from typing import Any

import pytest

from cli.tests.mesh.test_bars import HOME, PORTS, listeners, manager, routes
from cli.tests.mesh.test_policy import ROOT
from titanium.catalog import load_catalog
from titanium.mesh import load_edge, load_policy, local_gateway, render_gateway

pytestmark = pytest.mark.unit

PREFIX = "envoy.filters.http.compressor."


def paths(listener: dict[str, Any]) -> set[str]:
    """The paths of routes that switch compression on."""
    found = set()
    for route in routes(listener):
        if any(name.startswith(PREFIX) for name in route.get("typed_per_filter_config", {})):
            match = route["match"]
            found.add(match.get("path") or match.get("path_separated_prefix"))
    return found


@pytest.mark.parametrize("name", ["http", "https"])
def test_compression_is_off_until_a_route_switches_it_on(
    gateway: dict[str, Any], name: str
) -> None:
    """So that every other request has no filter for it."""
    public = listeners(gateway)[name]
    filters = [one for one in manager(public)["http_filters"] if one["name"].startswith(PREFIX)]
    assert [one["name"].removeprefix(PREFIX) for one in filters] == ["brotli", "gzip"]
    for one in filters:
        assert one["disabled"] is True
        assert one["typed_config"]["response_direction_config"]["weaken_etag_on_compress"] is True
    assert paths(public) == {"/.well-known/keys.json", "/api/docs", "/blog/api/docs"}


def test_of_ours_pages_are_compressed_and_the_api_is_not() -> None:
    topology = local_gateway(HOME, PORTS)
    rendered = render_gateway(load_catalog(ROOT), load_policy(ROOT), load_edge(ROOT), topology)
    found = paths(listeners(rendered)["http"])
    assert found == {"/blog", "/robots.txt", "/api/docs", "/blog/api/docs"}
