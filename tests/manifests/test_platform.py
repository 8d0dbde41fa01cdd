"""Values of the add-ons: that they parse, are explained, and fit what the manifests name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.manifests.support import KUBECTL, MANIFESTS, REASON, ROOT, Object, build, named, of_kind

pytestmark = pytest.mark.integration

PLATFORM = MANIFESTS / "platform"
KUSTOMIZATIONS = sorted(path.parent.name for path in PLATFORM.glob("*/kustomization.yaml"))


def values(name: str, file: str = "values.yaml") -> Object:
    loaded: Object = yaml.safe_load((PLATFORM / name / file).read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("path", sorted(PLATFORM.rglob("values*.yaml")), ids=str)
def test_values_are_explained(path: Path) -> None:
    """Not each can be checked; a file with hardly a comment is not explained."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    comments = [line for line in lines if line.lstrip().startswith(("#", "//"))]
    assert comments
    assert len(comments) * 15 >= len(lines), f"{len(comments)} comments in {len(lines)} lines"
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_kustomizations_build(name: str) -> None:
    if KUBECTL is None:
        pytest.skip(REASON)
    assert build(PLATFORM / name)


def test_no_password_is_a_value() -> None:
    for path in PLATFORM.rglob("*.yaml"):
        for key, value in walk(yaml.safe_load_all(path.read_text("utf-8"))):
            if key in ("password", "adminPassword", "token", "slack_api_url", "smtp_password"):
                assert str(value).startswith("$"), (path, key)


def walk(value: object, key: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [pair for name, one in value.items() for pair in walk(one, str(name))]
    if hasattr(value, "__iter__") and not isinstance(value, str | bytes):
        return [pair for one in value for pair in walk(one, key)]
    return [(key, value)]


def test_what_a_program_writes_is_on_a_volume() -> None:
    """Alloy's root file system is read-only: without one it would not start."""
    alloy = values("alloy")
    assert alloy["alloy"]["securityContext"]["readOnlyRootFilesystem"] is True
    (volume,) = alloy["controller"]["volumes"]["extra"]
    (mount,) = alloy["alloy"]["mounts"]["extra"]
    assert mount["name"] == volume["name"]
    assert mount["mountPath"] == alloy["alloy"]["storagePath"]
    # On the node: in the pod, every line would be sent again after a restart.
    assert volume["hostPath"]["type"] == "DirectoryOrCreate"


def test_spans_do_not_wait_for_vcenter() -> None:
    collector = values("otel-collector")
    (source,) = collector["extraEnvsFrom"]
    assert source["secretRef"]["optional"] is True
    receiver = collector["config"]["receivers"]["vcenter"]
    for key in ("username", "password"):
        assert ":-" in receiver[key], "an empty one is a fault of the whole configuration"


def test_the_way_in_serves_until_load_balancers_have_heard_that_it_leaves() -> None:
    """Istio's default of 5 s is shorter than an ALB's deregistration."""
    common = values("istio-ingressgateway")
    for file in ("values.yaml", "values-aws.yaml"):
        own = values("istio-ingressgateway", file)["podAnnotations"]["proxy.istio.io/config"]
        drain = int(yaml.safe_load(own)["terminationDrainDuration"].removesuffix("s"))
        assert 30 < drain < common["terminationGracePeriodSeconds"]


def test_istios_cni_values_are_where_the_chart_looks() -> None:
    """At the top since Istio 1.24; below `cni` nobody reads them."""
    assert set(values("istio-cni")) == {"global", "tolerations", "resources"}


def test_istios_images_come_from_where_they_stay() -> None:
    """registry.istio.io and its bucket of charts end in December 2026 (istio.io/blog/2026)."""
    for name in ("istiod", "istio-cni"):
        assert values(name)["global"]["hub"] == "docker.io/istio"
    for path in (ROOT / "argocd").rglob("*.yaml"):
        assert "istio-release.storage.googleapis.com" not in path.read_text("utf-8"), path


def test_logs_are_kept_seven_days() -> None:
    loki = values("loki")["loki"]
    assert loki["limits_config"]["retention_period"] == "168h"
    assert loki["compactor"]["retention_enabled"] is True
    assert values("tempo")["tempo"]["retention"] == "168h"


def test_the_mesh_needs_no_rights_in_our_namespace() -> None:
    """Pod Security `restricted`: the CNI plugin in the place of an init container."""
    istiod = values("istiod")
    assert istiod["pilot"]["cni"]["enabled"] is True
    assert istiod["pilot"]["env"]["ENABLE_NATIVE_SIDECARS"] == "true"
    assert istiod["global"]["proxy"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert values("linkerd-control-plane")["cniEnabled"] is True
    if KUBECTL is None:
        pytest.skip(REASON)
    for one in of_kind(build(PLATFORM / "namespaces"), "Namespace"):
        assert "pod-security.kubernetes.io/enforce" in one["metadata"]["labels"]


def test_the_collector_has_the_name_that_everybody_calls() -> None:
    collector = values("otel-collector")
    name = collector["fullnameOverride"]
    (provider,) = values("istiod")["meshConfig"]["extensionProviders"]
    assert provider["opentelemetry"]["service"] == f"{name}.observability.svc.cluster.local"
    telemetry = (MANIFESTS / "components" / "istio" / "telemetry.yaml").read_text("utf-8")
    assert f"name: {provider['name']}" in telemetry
    tracing = (MANIFESTS / "components" / "tracing" / "kustomization.yaml").read_text("utf-8")
    assert f"http://{name}.observability:4318" in tracing
    assert "vcenter" in collector["config"]["service"]["pipelines"]["metrics"]["receivers"]
    assert collector["image"]["repository"].endswith("-contrib")


def test_the_dashboards_find_their_sources() -> None:
    grafana = values("kube-prometheus-stack")["grafana"]
    ours = yaml.safe_load(
        (ROOT / "monitoring/provisioning/datasources/titanium.yaml").read_text("utf-8")
    )
    made = {one["uid"] for one in grafana["additionalDataSources"]}
    assert {one["uid"] for one in ours["datasources"]} <= made
    assert grafana["sidecar"]["dashboards"]["label"] == "grafana_dashboard"
    assert grafana["sidecar"]["dashboards"]["searchNamespace"] == "ALL"


def test_the_way_in_is_watched_too() -> None:
    """Whom it refuses, no proxy of the platform ever sees; the rules ask for it."""
    rules = (ROOT / "monitoring" / "rules" / "istio.yaml").read_text("utf-8")
    assert 'reporter="source",source_workload=~"istio-ingressgateway|' in rules
    (monitor,) = values("kube-prometheus-stack")["prometheus"]["additionalPodMonitors"]
    assert monitor["namespaceSelector"]["matchNames"] == ["istio-ingress"]
    ingress = (MANIFESTS / "components" / "istio" / "ingress.yaml").read_text("utf-8")
    gateway = next(iter(yaml.safe_load_all(ingress)))
    assert monitor["selector"]["matchLabels"] == gateway["spec"]["selector"]


def test_alertmanager_gets_its_configuration_and_its_secrets() -> None:
    if KUBECTL is None:
        pytest.skip(REASON)
    spec = values("kube-prometheus-stack")["alertmanager"]["alertmanagerSpec"]
    built = build(PLATFORM / "alerts")
    config = named(built, "Secret", spec["configSecret"])
    assert set(config["data"]) == {"alertmanager.yaml"}
    assert config["metadata"]["namespace"] == "monitoring"
    text = (PLATFORM / "alerts" / "alertmanager.yaml").read_text("utf-8")
    for name in spec["secrets"]:
        keys = {item["secretKey"] for item in named(built, "ExternalSecret", name)["spec"]["data"]}
        for key in keys:
            assert f"/etc/alertmanager/secrets/{name}/{key}" in text


def test_a_missing_secret_of_an_add_on_stops_no_wave() -> None:
    if KUBECTL is None:
        pytest.skip(REASON)
    for one in of_kind(build(PLATFORM / "alerts"), "ExternalSecret"):
        annotations = one["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/ignore-healthcheck"] == "true"


def test_stores_serve_only_who_needs_them() -> None:
    if KUBECTL is None:
        pytest.skip(REASON)
    wanted = {
        one["metadata"]["namespace"]
        for one in of_kind(build(PLATFORM / "alerts"), "ExternalSecret")
    }
    for folder in ("secrets-source", "secrets-source-aws"):
        store = named(build(PLATFORM / folder), "ClusterSecretStore", "platform")
        (condition,) = store["spec"]["conditions"]
        assert set(condition["namespaces"]) == wanted
    for role in of_kind(build(PLATFORM / "secrets-source"), "Role"):
        (rule,) = role["rules"]
        assert rule["verbs"] == ["get"]
        assert rule["resourceNames"]


def test_prometheus_is_who_the_policies_name() -> None:
    """The chart names its account after the release; nobody overrides it."""
    text = (MANIFESTS / "components" / "istio" / "allow-gateway.yaml").read_text("utf-8")
    assert "cluster.local/ns/monitoring/sa/kube-prometheus-stack-prometheus" in text
    stack = values("kube-prometheus-stack")
    assert "serviceAccount" not in stack["prometheus"]
    assert stack["prometheus"]["prometheusSpec"]["scrapeInterval"] == "15s"


def test_kubelets_certificates_are_checked_by_default() -> None:
    assert "--kubelet-insecure-tls" not in str(values("metrics-server"))
    assert values("metrics-server", "values-on-premises.yaml")["args"] == ["--kubelet-insecure-tls"]


def test_argocd_tells_of_what_went_wrong_and_looks_every_minute() -> None:
    argocd = values("argocd")
    # Both add up, and a push is promised to be a deployment within five minutes.
    assert argocd["configs"]["cm"]["timeout.reconciliation"] == "60s"
    assert argocd["configs"]["cm"]["timeout.reconciliation.jitter"] == "0s"
    # Else defaults inside of lists (ExternalSecret, Cluster) would be out of sync for ever.
    assert argocd["configs"]["params"]["controller.diff.server.side"] == "true"
    notifications = argocd["notifications"]
    (subscription,) = notifications["subscriptions"]
    assert subscription["triggers"] == ["on-sync-failed", "on-health-degraded"]
    for trigger in subscription["triggers"]:
        (step,) = yaml.safe_load(notifications["triggers"][f"trigger.{trigger}"])
        for template in step["send"]:
            assert f"template.{template}" in notifications["templates"]
    assert notifications["secret"] == {"create": False}


def test_istiods_values_are_what_the_istio_component_depends_on() -> None:
    istiod = values("istiod")
    assert istiod["pilot"]["cni"]["enabled"] is True
    assert istiod["pilot"]["env"]["ENABLE_NATIVE_SIDECARS"] == "true"
    assert istiod["pilot"]["env"]["PILOT_JWT_ENABLE_REMOTE_JWKS"] == "envoy"
    component = MANIFESTS / "components" / "istio"
    (telemetry,) = (
        one
        for path in component.glob("*.yaml")
        for one in yaml.safe_load_all(path.read_text("utf-8"))
        if isinstance(one, dict) and one.get("kind") == "Telemetry"
    )
    (provider,) = telemetry["spec"]["tracing"][0]["providers"]
    providers = istiod["meshConfig"]["extensionProviders"]
    assert provider["name"] in {one["name"] for one in providers}
