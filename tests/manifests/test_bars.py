"""Bars that a cluster has to hold by itself: what is left out, and what overload meets.

How the proxies behave with these figures is tried in tests/security/test_mesh_resilience.py, with
the local mesh, which has the same ones.
"""

from __future__ import annotations

import json

import pytest

from tests.manifests.quota import quantity
from tests.manifests.support import ROOT, Object, catalog, named, of_kind, pod_of
from titanium.layout import GATEWAY
from titanium.mesh import kubernetes

pytestmark = pytest.mark.integration


def test_bar_24_a_replica_that_answers_5xx_is_left_out_for_30_seconds(
    production: list[Object],
) -> None:
    """After 5 in a row; half of two is one, so that of two replicas one may be left out."""
    for name in (*catalog().names, GATEWAY):
        spec = named(production, "DestinationRule", name)["spec"]
        assert spec["host"] == name
        outlier = spec["trafficPolicy"]["outlierDetection"]
        assert outlier["consecutive5xxErrors"] == 5
        assert outlier["baseEjectionTime"] == "30s"
        fewest = named(production, "HorizontalPodAutoscaler", name)["spec"]["minReplicas"]
        assert 1 <= fewest * outlier["maxEjectionPercent"] // 100 < fewest


def test_bar_27_overload_is_refused_in_time_and_kills_no_process(
    production: list[Object],
) -> None:
    """Bounded everywhere: what runs, what waits, and the memory that both can take."""
    gateway = json.loads((ROOT / kubernetes.SOURCE / kubernetes.BEHIND_PROXY).read_text("utf-8"))
    (monitor,) = (
        one["typed_config"]
        for one in gateway["overload_manager"]["resource_monitors"]
        if "max_heap_size_bytes" in one["typed_config"]
    )
    (envoy,) = pod_of(production, GATEWAY)["spec"]["containers"]
    # From 98 % of its heap on it answers 503: before the kernel would end it.
    assert int(monitor["max_heap_size_bytes"]) < quantity(envoy["resources"]["limits"]["memory"])
    for name in catalog().names:
        pool = named(production, "Sidecar", name)["spec"]["inboundConnectionPool"]
        waiting = pool["http"]["http1MaxPendingRequests"]
        together = pool["tcp"]["maxConnections"] + waiting
        # More get 503 at once; Istio's default for both has no end.
        assert 0 < together < 1000
        annotations = pod_of(production, name)["metadata"]["annotations"]
        # A megabyte of body each would be buffered by our gateway, not by the sidecar: 32 KiB a
        # direction is what an idle one may hold.
        held = together * 2 * 32 * 1024
        assert held < quantity(annotations["sidecar.istio.io/proxyMemoryLimit"]) / 4
    # And one client alone does not get that far.
    limit = named(production, "EnvoyFilter", "titanium-client-limit")["spec"]["configPatches"][0]
    (descriptor,) = limit["patch"]["value"]["typed_config"]["descriptors"]
    assert descriptor["token_bucket"]["max_tokens"] == 100
    assert all(
        one["spec"]["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
        for one in of_kind(production, "HorizontalPodAutoscaler")
    )
