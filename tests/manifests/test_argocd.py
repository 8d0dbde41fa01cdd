"""What Argo CD applies: projects, applications, their order, and that what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.manifests.support import KUBECTL, MANIFESTS, REASON, ROOT, Object, build, named, of_kind

pytestmark = pytest.mark.integration

ARGOCD = ROOT / "argocd"
THIS = yaml.safe_load((ARGOCD / "settings" / "settings.yaml").read_text("utf-8"))["data"]
CLUSTERS = ("applications", "aws")
# Application -> what has to be there before it: CRDs, webhooks, namespaces, certificates.
NEEDS = {
    "external-secrets": ("prometheus-operator-crds", "namespaces"),
    "cert-manager": ("prometheus-operator-crds", "namespaces"),
    "metrics-server": ("prometheus-operator-crds", "namespaces"),
    "issuers": ("cert-manager",),
    "secrets-source": ("external-secrets",),
    "alerts": ("secrets-source", "external-secrets"),
    "istio-cni": ("istio-base",),
    "istiod": ("istio-base", "istio-cni"),
    "istio-ingressgateway": ("istiod",),
    "kube-prometheus-stack": ("istiod", "alerts", "prometheus-operator-crds"),
    "cloudnative-pg": ("prometheus-operator-crds",),
    "plugin-barman-cloud": ("cloudnative-pg", "cert-manager"),
    "otel-collector": ("alerts",),
    "kiali": ("istiod",),
    "titanium": (
        "istiod", "istio-ingressgateway", "external-secrets", "secrets-source", "issuers",
        "cloudnative-pg", "plugin-barman-cloud", "prometheus-operator-crds",
    ),
}  # fmt: skip
# What watches, or keeps what was seen. Each may wait for something of the cluster's owner (a
# StorageClass, kubelets' certificates, vCenter's password): the platform must not.
OBSERVERS = {
    "alloy", "kiali", "kube-prometheus-stack", "loki", "metrics-server", "otel-collector", "tempo",
}  # fmt: skip


@pytest.fixture(scope="module", params=CLUSTERS)
def applications(request: pytest.FixtureRequest) -> list[Object]:
    if KUBECTL is None:
        pytest.skip(REASON)
    return build(ARGOCD / request.param)


@pytest.fixture(scope="module")
def everything() -> list[Object]:
    """Every Application there is, of whichever cluster, and those that are off."""
    if KUBECTL is None:
        pytest.skip(REASON)
    return [
        one
        for folder in (".", "applications", "aws", "aws/bootstrap", "optional")
        for one in of_kind(build(ARGOCD / folder), "Application")
    ]


@pytest.fixture(scope="module")
def projects() -> dict[str, Object]:
    if KUBECTL is None:
        pytest.skip(REASON)
    built = of_kind(build(ARGOCD), "AppProject")
    return {one["metadata"]["name"]: one["spec"] for one in built}


def sources(one: Object) -> list[Object]:
    spec = one["spec"]
    return list(spec.get("sources") or [spec["source"]])


def wave(one: Object) -> int:
    return int(one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])


def test_one_application_a_file() -> None:
    for folder in ("applications", "optional"):
        for path in (ARGOCD / folder).glob("*.yaml"):
            if path.name == "kustomization.yaml":
                continue
            (one,) = yaml.safe_load_all(path.read_text("utf-8"))
            assert one["kind"] == "Application"
            assert one["metadata"]["name"] == path.stem


def test_every_application_is_listed() -> None:
    for folder in ("applications", "optional", "projects"):
        text = (ARGOCD / folder / "kustomization.yaml").read_text("utf-8")
        listed = set(yaml.safe_load(text)["resources"]) - {"../settings"}
        there = {path.name for path in (ARGOCD / folder).glob("*.yaml")} - {"kustomization.yaml"}
        assert listed == there


def test_the_repositorys_address_is_in_one_place(everything: list[Object]) -> None:
    for path in ARGOCD.rglob("*.yaml"):
        if path.parent.name != "settings":
            assert THIS["repository"] not in path.read_text("utf-8"), path
    for one in everything:
        for source in sources(one):
            assert "set-by-settings" not in source.values(), one["metadata"]["name"]
            if "chart" not in source:
                assert source["repoURL"] == THIS["repository"]
                assert source["targetRevision"] == THIS["revision"]


def test_charts_are_pinned_to_one_version(everything: list[Object]) -> None:
    for one in everything:
        for source in sources(one):
            if "chart" in source:
                assert re.fullmatch(r"v?\d+\.\d+\.\d+", source["targetRevision"]), source


def test_the_charts_of_one_product_have_one_version(everything: list[Object]) -> None:
    for repository in ("istio-release", "helm.linkerd.io"):
        versions = {
            source["targetRevision"]
            for one in everything
            for source in sources(one)
            if repository in source["repoURL"]
        }
        assert len(versions) == 1, versions


def test_everything_prunes_heals_and_never_empties(everything: list[Object]) -> None:
    for one in everything:
        policy = one["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": False}
        # A fault that is tried again must not hold up its cure, which is pushed meanwhile.
        assert policy["retry"]["refresh"] is True
        assert policy["retry"]["limit"] == (-1 if one["metadata"]["name"] == "root" else 5)
        assert one["metadata"]["namespace"] == "argocd"


def test_paths_and_values_that_an_application_names_are_there(everything: list[Object]) -> None:
    for one in everything:
        name = one["metadata"]["name"]
        for source in sources(one):
            if "path" in source:
                assert (ROOT / source["path"] / "kustomization.yaml").is_file(), name
            for values in source.get("helm", {}).get("valueFiles", []):
                root, _, path = values.partition("/")
                assert root == "$values", name
                assert isinstance(yaml.safe_load((ROOT / path).read_text("utf-8")), dict), values
                assert any(other.get("ref") == "values" for other in sources(one)), name


def test_every_values_file_is_used(everything: list[Object]) -> None:
    used = {
        values.removeprefix("$values/")
        for one in everything
        for source in sources(one)
        for values in source.get("helm", {}).get("valueFiles", [])
    }
    there = {
        path.relative_to(ROOT).as_posix() for path in (MANIFESTS / "platform").rglob("values*.yaml")
    }
    # A switch that somebody throws knowingly (platform/metrics-server/values.yaml).
    assert there - used == {"k8s-manifests/platform/metrics-server/values-on-premises.yaml"}


def test_what_is_needed_comes_before(applications: list[Object]) -> None:
    waves = {one["metadata"]["name"]: wave(one) for one in of_kind(applications, "Application")}
    for name, needed in NEEDS.items():
        for other in needed:
            if name in waves and other in waves:
                assert waves[other] < waves[name], (name, other)
    assert max(waves.values()) == waves["titanium"]


def test_nothing_that_only_watches_holds_the_platform_up(applications: list[Object]) -> None:
    """A wave waits until the one before is healthy; on EKS the platform brings the StorageClass."""
    waves = {one["metadata"]["name"]: wave(one) for one in of_kind(applications, "Application")}
    assert waves.keys() >= OBSERVERS - {"metrics-server"}
    for name in OBSERVERS & waves.keys():
        assert waves[name] == waves["titanium"], name


def test_every_crd_has_one_owner() -> None:
    """Two Applications with the same object take it from each other at every sync."""
    stack = MANIFESTS / "platform" / "kube-prometheus-stack" / "values.yaml"
    assert yaml.safe_load(stack.read_text("utf-8"))["crds"] == {"enabled": False}


def test_large_crds_are_applied_by_the_server(everything: list[Object]) -> None:
    large = {"prometheus-operator-crds", "cloudnative-pg", "external-secrets", "cert-manager"}
    for one in everything:
        if one["metadata"]["name"] in {*large, "istio-base", "titanium", "linkerd-crds"}:
            assert "ServerSideApply=true" in one["spec"]["syncPolicy"]["syncOptions"]


def test_every_application_is_within_its_project(
    everything: list[Object], projects: dict[str, Object]
) -> None:
    for one in everything:
        spec = projects[one["spec"]["project"]]
        assert one["spec"]["destination"] in spec["destinations"], one["metadata"]["name"]
        for source in sources(one):
            assert source["repoURL"] in spec["sourceRepos"], source


def test_projects_allow_nothing_by_wildcard(projects: dict[str, Object]) -> None:
    assert set(projects) == {"root", "platform", "application"}
    for name, spec in projects.items():
        assert "*" not in spec["sourceRepos"]
        for destination in spec["destinations"]:
            assert "*" not in destination.values(), name
        for kind in spec["clusterResourceWhitelist"]:
            assert "*" not in kind.values(), name


def allowed(project: Object, one: Object) -> bool:
    group = one["apiVersion"].rpartition("/")[0]
    cluster = "namespace" not in one["metadata"]
    rules = project["clusterResourceWhitelist" if cluster else "namespaceResourceWhitelist"]
    return any(r["group"] == group and r["kind"] in ("*", one["kind"]) for r in rules)


@pytest.mark.parametrize("overlay", ["solid-cloud", "aws"])
def test_the_application_project_allows_the_overlays_and_no_more(
    manifests: Path, projects: dict[str, Object], overlay: str
) -> None:
    project = projects["application"]
    namespaces = {one["namespace"] for one in project["destinations"]}
    for one in build(manifests / "overlays" / overlay):
        assert allowed(project, one), (one["kind"], one["metadata"]["name"])
        assert one["metadata"].get("namespace", "titanium-prod") in namespaces
    for kind in ("Secret", "Role", "RoleBinding", "Pod", "Job"):
        group = "rbac.authorization.k8s.io/v1" if kind.startswith("Role") else "v1"
        assert not allowed(
            project, {"apiVersion": group, "kind": kind, "metadata": {"namespace": "x"}}
        )
    assert project["sourceRepos"] == [THIS["repository"]]


def test_the_root_application_applies_the_applications() -> None:
    if KUBECTL is None:
        pytest.skip(REASON)
    for folder, path in ((".", "argocd/applications"), ("aws/bootstrap", "argocd/aws")):
        root = named(build(ARGOCD / folder), "Application", "root")
        assert root["spec"]["source"]["path"] == path
        assert root["spec"]["project"] == "root"


def test_aws_replaces_what_it_has_of_its_own(applications: list[Object]) -> None:
    names = {one["metadata"]["name"] for one in applications}
    titanium = named(applications, "Application", "titanium")["spec"]["source"]["path"]
    on_aws = titanium.endswith("/aws")
    assert on_aws != ("cloudnative-pg" in names)
    for name in ("istio-ingressgateway", "external-secrets"):
        files = sources(named(applications, "Application", name))[0]["helm"]["valueFiles"]
        assert on_aws == any(path.endswith("values-aws.yaml") for path in files)


def test_linkerd_is_off(applications: list[Object]) -> None:
    assert not any(one["metadata"]["name"].startswith("linkerd") for one in applications)


def test_versions_are_explained(everything: list[Object]) -> None:
    """docs/adr/0030-versions.md names every chart's version."""
    text = (ROOT / "docs" / "adr" / "0030-versions.md").read_text("utf-8")
    for one in everything:
        for source in sources(one):
            if "chart" in source:
                row = rf"\| `{source['chart']}` \| {re.escape(source['targetRevision'])} \|"
                assert re.search(row, text), source
