"""What component istio adds to Istio's ingress gateway and sidecars, tried in a real Envoy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.manifests.combine import compose
from tests.manifests.support import Object, named
from tests.support import free_port_base, wait_until
from titanium.tools import find_envoy

pytestmark = pytest.mark.integration

LIMIT = 100
_MANAGER = "envoy.filters.network.http_connection_manager"


@pytest.fixture(scope="module")
def objects(manifests: Path) -> list[Object]:
    return compose(manifests, ("istio",))


def merged(target: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """As Istio's MERGE does with messages."""
    for key, value in source.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merged(target[key], value)
        else:
            target[key] = value
    return target


def bootstrap(port: int, filters: list[Object]) -> dict[str, Any]:
    """An Envoy on `port` as Istio makes one of these EnvoyFilters; every path answers 200."""
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
        },
    }
    routes = [
        {
            "match": {"prefix": "/"},
            "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
        }
    ]
    manager: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        # Istio's ingress gateway does the same; here the test stands before it.
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }
    for patch in (patch for one in filters for patch in one["spec"]["configPatches"]):
        match = patch["match"]["listener"]["filterChain"]["filter"]
        assert match["name"] == _MANAGER
        if patch["applyTo"] == "HTTP_FILTER":
            assert patch["patch"]["operation"] == "INSERT_BEFORE"
            assert match["subFilter"]["name"] == router["name"]
            manager["http_filters"].insert(0, patch["patch"]["value"])
        else:
            assert (patch["applyTo"], patch["patch"]["operation"]) == ("NETWORK_FILTER", "MERGE")
            merged(manager, patch["patch"]["value"]["typed_config"])
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    chain = {"filters": [{"name": _MANAGER, "typed_config": manager}]}
    listener = {"name": "ingress", "address": address, "filter_chains": [chain]}
    return {"static_resources": {"listeners": [listener]}}


@pytest.fixture(scope="module")
def ingress(objects: list[Object], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Envoy with the ingress gateway's filters."""
    port = free_port_base()
    filters = [
        named(objects, "EnvoyFilter", name) for name in ("titanium-edge", "titanium-client-limit")
    ]
    file = tmp_path_factory.mktemp("ingress") / "envoy.json"
    file.write_text(json.dumps(bootstrap(port, filters)))
    envoy = subprocess.Popen(
        [find_envoy(), "-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"]
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), 20, "Envoy")
        yield url
    finally:
        envoy.terminate()
        envoy.wait(10)


def _answers(url: str) -> bool:
    try:
        return get(url, "192.0.2.1").status_code == 200
    except httpx2.TransportError:
        return False


def get(url: str, client: str, path: str = "/", **headers: str) -> httpx2.Response:
    with httpx2.Client(trust_env=False) as session:
        return session.get(url + path, headers={"x-forwarded-for": client, **headers})


def test_the_101st_request_of_a_client_is_refused_and_the_others_are_not(ingress: str) -> None:
    with httpx2.Client(trust_env=False, headers={"x-forwarded-for": "198.51.100.7"}) as session:
        codes = [session.get(ingress).status_code for _ in range(LIMIT + 2)]
        refused = session.get(ingress)
    assert codes == [200] * LIMIT + [429] * 2
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 429
    assert get(ingress, "198.51.100.8").status_code == 200


def test_what_a_client_claims_before_the_last_address_does_not_count(ingress: str) -> None:
    with httpx2.Client(trust_env=False) as session:
        codes = [
            session.get(
                ingress, headers={"x-forwarded-for": f"10.1.1.{number}, 203.0.113.9"}
            ).status_code
            for number in range(LIMIT + 2)
        ]
    assert codes == [200] * LIMIT + [429] * 2


def test_bar_33_confusing_paths_end_at_the_edge(ingress: str) -> None:
    assert get(ingress, "192.0.2.2", "/api%2Fposts").status_code == 400
    assert get(ingress, "192.0.2.2", "/", x_user_id="1").status_code == 400


def test_envoy_takes_the_sidecars_filter(objects: list[Object], tmp_path: Path) -> None:
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(bootstrap(1, [named(objects, "EnvoyFilter", "problems")])))
    done = subprocess.run(
        [find_envoy(), "--mode", "validate", "-c", file], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
