"""Every pod of ours passes the Pod Security Standard `restricted`, and keeps more than that."""

from __future__ import annotations

import re

import pytest

from tests.manifests.support import Object, containers, of_kind, pod_specs

pytestmark = pytest.mark.integration

_VOLUMES = {"configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim", "ephemeral"}


def test_bar_56_every_pod_is_restricted(overlay: list[Object]) -> None:
    for name, pod in pod_specs(overlay):
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for part in ("hostNetwork", "hostPID", "hostIPC"):
            assert part not in pod["spec"], name
        for one in containers(pod):
            inside = one["securityContext"]
            assert inside["allowPrivilegeEscalation"] is False, name
            assert inside["capabilities"] == {"drop": ["ALL"]}, name
            assert inside["readOnlyRootFilesystem"] is True, name
            assert all("hostPort" not in port for port in one.get("ports", [])), name
        for volume in pod["spec"].get("volumes", []):
            assert set(volume) - {"name"} <= _VOLUMES, (name, volume)


def test_bar_56_the_namespace_enforces_it(overlay: list[Object]) -> None:
    (namespace,) = of_kind(overlay, "Namespace")
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_pod_has_a_token_of_the_api_server(overlay: list[Object]) -> None:
    accounts = {one["metadata"]["name"]: one for one in of_kind(overlay, "ServiceAccount")}
    for name, pod in pod_specs(overlay):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert accounts[spec["serviceAccountName"]]["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False, name


def test_every_container_has_requests_and_limits(overlay: list[Object]) -> None:
    for name, pod in pod_specs(overlay):
        for one in containers(pod):
            resources = one["resources"]
            assert set(resources["requests"]) == {"cpu", "memory"}, name
            assert set(resources["limits"]) == {"cpu", "memory"}, name


def test_probes_mean_different_things(overlay: list[Object]) -> None:
    """Startup and readiness on every container; what is not ready is not restarted for it."""
    for name, pod in pod_specs(overlay):
        for one in pod["spec"]["containers"]:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert probe in one, (name, probe)
            if one["name"] == "app":
                assert one["livenessProbe"]["httpGet"]["path"] == "/internal/livez"
                assert one["readinessProbe"]["httpGet"]["path"] == "/internal/readyz"
            started = one["startupProbe"]
            assert started["failureThreshold"] * started["periodSeconds"] >= 30, name


def test_every_probe_names_a_port_of_its_container(overlay: list[Object]) -> None:
    for name, pod in pod_specs(overlay):
        for one in pod["spec"]["containers"]:
            ports = {port["name"] for port in one["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if "httpGet" in one[probe]:
                    assert one[probe]["httpGet"]["port"] in ports, (name, probe)


def test_images_have_a_tag_that_is_not_latest(overlay: list[Object]) -> None:
    for name, pod in pod_specs(overlay):
        for one in containers(pod):
            image = one["image"]
            assert re.search(r"(:[\w.-]+|@sha256:[0-9a-f]{64})$", image), (name, image)
            assert not image.endswith(":latest"), (name, image)


def test_a_pod_drains_before_it_ends(overlay: list[Object]) -> None:
    """preStop leaves time for proxies to hear of it, and fits into the grace period."""
    for name, pod in pod_specs(overlay):
        labels = pod["metadata"]["labels"]
        if labels["app.kubernetes.io/component"] not in ("app", "gateway"):
            continue
        (one,) = pod["spec"]["containers"]
        hook = one["lifecycle"]["preStop"]
        if "sleep" in hook:
            waits = hook["sleep"]["seconds"]
        else:
            command = " ".join(hook["exec"]["command"])
            waits = int(re.findall(r"\d+", command.replace("python3", ""))[-1])
        assert 5 <= waits <= pod["spec"]["terminationGracePeriodSeconds"] - 15, name
