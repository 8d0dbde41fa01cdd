"""Component monitoring: what is scraped, computed and shown."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.manifests.combine import selects
from tests.manifests.support import MANIFESTS, ROOT, Object, build, catalog, of_kind, pod_specs
from titanium.commands.docs import find_stale
from titanium.errors import ToolMissingError
from titanium.monitoring.kubernetes import generated, in_cluster
from titanium.tools import find_prometheus

pytestmark = pytest.mark.integration

NAMESPACE = "titanium-prod"


def test_generated_files_are_up_to_date() -> None:
    files = generated(ROOT)
    assert find_stale(files) == []
    folder = MANIFESTS / "components" / "monitoring" / "generated"
    assert set(folder.iterdir()) == {path for path in files if path.parent == folder}


def test_a_cluster_takes_istios_rules(production: list[Object]) -> None:
    rules = {one["metadata"]["name"] for one in of_kind(production, "PrometheusRule")}
    wanted = {path.stem for path in (ROOT / "monitoring" / "rules").glob("*.yaml")} - {"local"}
    assert rules == {f"titanium-{name}" for name in wanted}


def test_only_the_namespace_of_a_label_is_rewritten() -> None:
    text = 'up{namespace=~"|titanium",job="titanium"} x{destination_service_namespace="titanium"}'
    assert in_cluster(text) == (
        'up{namespace=~"|titanium-prod",job="titanium"} '
        'x{destination_service_namespace="titanium-prod"}'
    )


def test_dashboards_are_whole(production: list[Object]) -> None:
    made = {
        one["metadata"]["name"]: one
        for one in of_kind(production, "ConfigMap")
        if one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    }
    sources = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))
    assert sorted(made) == [f"dashboard-{path.stem}" for path in sources]
    for path in sources:
        text = made[f"dashboard-{path.stem}"]["data"][path.name]
        assert json.loads(text) == json.loads(path.read_text("utf-8"))
        # etcd takes no object of more than a megabyte.
        assert len(text) < 900_000


def test_promtool_takes_the_rules(production: list[Object], tmp_path: Path) -> None:
    try:
        promtool = find_prometheus().promtool
    except ToolMissingError as error:
        pytest.skip(str(error))
    paths = []
    for one in of_kind(production, "PrometheusRule"):
        path = tmp_path / f"{one['metadata']['name']}.yaml"
        path.write_text(yaml.safe_dump(one["spec"]))
        paths.append(str(path))
    done = subprocess.run(
        [str(promtool), "check", "rules", *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_scrapes_carry_the_labels_of_a_local_run(production: list[Object]) -> None:
    """`service` and `instance`, and rates over a minute get four samples."""
    for one in of_kind(production, "ServiceMonitor", "PodMonitor"):
        spec = one["spec"]
        for endpoint in spec.get("endpoints") or spec["podMetricsEndpoints"]:
            labels = {rule.get("targetLabel") for rule in endpoint["relabelings"]}
            assert {"job", "service", "instance"} <= labels, one["metadata"]["name"]
            assert endpoint["interval"] == "15s"


def test_the_machines_of_postgresql_are_asked(aws: list[Object]) -> None:
    """Every one that settings.yaml names, as the job of its alerts, in an object that is read."""
    (one,) = of_kind(aws, "ScrapeConfig")
    settings = MANIFESTS / "overlays" / "aws" / "settings.yaml"
    nodes = yaml.safe_load(settings.read_text("utf-8"))["data"]["databaseNodes"]
    assert one["spec"]["staticConfigs"] == nodes
    assert {node["labels"]["instance"] for node in nodes} == {f"titanium-{i}" for i in (1, 2, 3)}
    labels = {rule["targetLabel"]: rule["replacement"] for rule in one["spec"]["relabelings"]}
    assert labels == {"job": "database-node", "service": "postgres"}
    assert one["spec"]["scrapeInterval"] == "15s"
    rules = (ROOT / "monitoring" / "rules" / "alerts-data.yaml").read_text("utf-8")
    assert 'up{job="database-node"}' in rules
    stack = MANIFESTS / "platform" / "kube-prometheus-stack" / "values.yaml"
    values = yaml.safe_load(stack.read_text("utf-8"))["prometheus"]["prometheusSpec"]
    assert values["scrapeConfigSelectorNilUsesHelmValues"] is False


def test_monitors_find_what_they_look_for(production: list[Object]) -> None:
    pods = [pod for _, pod in pod_specs(production)]
    for one in of_kind(production, "PodMonitor"):
        selector = one["spec"]["selector"]
        if any(key.startswith("cnpg.io/") for key in selector["matchLabels"]):
            continue  # the operator's pods
        found = [pod for pod in pods if selects(selector, pod["metadata"]["labels"])]
        assert found, one["metadata"]["name"]
        for endpoint in one["spec"]["podMetricsEndpoints"]:
            if endpoint["port"] == "http-envoy-prom":
                continue  # the injected sidecar's
            for pod in found:
                assert endpoint["port"] in {
                    port["name"] for part in pod["spec"]["containers"] for port in part["ports"]
                }
    for one in of_kind(production, "ServiceMonitor"):
        selector = one["spec"]["selector"]
        services = [
            service
            for service in of_kind(production, "Service")
            if selects(selector, service["metadata"]["labels"])
        ]
        names = {service["metadata"]["name"] for service in services}
        wanted = set(catalog().names) if one["metadata"]["name"] == "apps" else {"gateway"}
        assert names == wanted


def test_scrapes_of_the_mesh_show_a_certificate(production: list[Object]) -> None:
    values = yaml.safe_load(
        (MANIFESTS / "platform" / "kube-prometheus-stack" / "values.yaml").read_text("utf-8")
    )
    prometheus = values["prometheus"]["prometheusSpec"]
    (mount,) = prometheus["volumeMounts"]
    for one in of_kind(production, "ServiceMonitor"):
        for endpoint in one["spec"]["endpoints"]:
            assert endpoint["scheme"] == "https"
            files = [endpoint["tlsConfig"][key] for key in ("caFile", "certFile", "keyFile")]
            assert {Path(path).parent for path in files} == {Path(mount["mountPath"])}


def test_without_a_mesh_scrapes_are_plain(manifests: Path) -> None:
    folder = manifests / "overlays" / "test-monitoring"
    folder.mkdir(exist_ok=True)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": ["../../base"],
        "components": ["../../components/monitoring"],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    for one in of_kind(build(folder), "ServiceMonitor"):
        assert "tlsConfig" not in one["spec"]["endpoints"][0]
