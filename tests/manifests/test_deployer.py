"""Who deploys by token may do what deploying takes, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.manifests.support import (
    KUBECTL,
    MANIFESTS,
    PRODUCTION,
    REASON,
    Object,
    build,
    named,
    of_kind,
)

pytestmark = pytest.mark.integration

APPLY = frozenset({"get", "create", "patch"})
# Lists and watches: `kubectl wait` and `rollout status`.
CHANGE = APPLY | {"list", "watch", "delete"}
# Whose deletion deletes data, or the way to its backups.
DATA = ("postgresql.cnpg.io", "barmancloud.cnpg.io")
# What `titanium cloud` asks for besides applying: (group, resource) -> verbs, and which command.
OPERATION: dict[tuple[str, str], frozenset[str]] = {
    # deploy, when something is not ready; test failover deletes the leader's
    ("", "pods"): frozenset({"get", "list", "watch", "delete"}),
    ("", "pods/log"): frozenset({"get"}),
    ("", "events"): frozenset({"list"}),
    # backup, restore, test policies
    ("", "pods/exec"): frozenset({"get", "create"}),
    # backup --base
    ("postgresql.cnpg.io", "backups"): frozenset({"get", "create"}),
    # rollback
    ("apps", "replicasets"): frozenset({"list"}),
    # restore
    ("apps", "deployments/scale"): frozenset({"get", "patch", "update"}),
}


@pytest.fixture(scope="module")
def deployer() -> list[Object]:
    if KUBECTL is None:
        pytest.skip(REASON)
    return build(MANIFESTS / "platform" / "deployer")


@pytest.fixture(scope="module")
def rendered(manifests: Path) -> list[Object]:
    """Every object of the overlays that are deployed by token or by an IAM role."""
    return [one for name in PRODUCTION for one in build(manifests / "overlays" / name)]


def plural(kind: str) -> str:
    """The resource of a kind, by the rules of English that API servers' names follow."""
    name = kind.lower()
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def resource(one: Object) -> tuple[str, str]:
    group, _, _ = str(one["apiVersion"]).rpartition("/")
    return group, plural(one["kind"])


def rules(role: Object) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
    """((group, resource), verbs) of a Role, each resource once."""
    seen = set()
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for name in rule["resources"]:
                assert (group, name) not in seen, f"{name} is in two rules"
                seen.add((group, name))
                yield (group, name), frozenset(rule["verbs"])


@pytest.mark.parametrize("namespace", ["titanium-prod", "istio-ingress"])
def test_the_rules_are_the_kinds_of_the_overlays(
    deployer: list[Object], rendered: list[Object], namespace: str
) -> None:
    (role,) = (
        one for one in of_kind(deployer, "Role") if one["metadata"]["namespace"] == namespace
    )
    allowed = dict(rules(role))
    if namespace == "titanium-prod":
        for what, verbs in OPERATION.items():
            assert allowed.pop(what) == verbs, what
    kinds = {resource(one) for one in rendered if one["metadata"].get("namespace") == namespace}
    assert set(allowed) == kinds
    for what, verbs in allowed.items():
        assert verbs == (CHANGE - {"delete"} if what[0] in DATA else CHANGE), what


def test_beyond_its_namespaces_it_may_look_at_what_is_named(
    deployer: list[Object], rendered: list[Object]
) -> None:
    role = named(deployer, "ClusterRole", "titanium-deployer")
    looked_at = {
        (rule["apiGroups"][0], rule["resources"][0], name)
        for rule in role["rules"]
        for name in rule["resourceNames"]
    }
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get"}
    assert looked_at == {
        (*resource(one), one["metadata"]["name"])
        for one in rendered
        if "namespace" not in one["metadata"]
    }


@pytest.mark.parametrize("overlay", PRODUCTION)
def test_what_an_administrator_applies_is_what_kubectl_finds_unchanged(
    manifests: Path, overlay: str
) -> None:
    """The files, applied as they are, equal what the overlay makes of them: nothing to patch."""
    files = ["namespace.yaml", "priority.yaml", "storage-class.yaml"]
    by_hand = [
        one
        for file in files
        if (path := MANIFESTS / "overlays" / overlay / file).is_file()
        for one in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    made = [
        one for one in build(manifests / "overlays" / overlay) if "namespace" not in one["metadata"]
    ]
    assert {one["kind"]: one for one in by_hand} == {one["kind"]: one for one in made}
    assert len(by_hand) == len(made)


def test_it_can_give_no_rights_and_read_no_secret(deployer: list[Object]) -> None:
    for role in of_kind(deployer, "Role", "ClusterRole"):
        for (group, name), verbs in rules(role):
            assert "*" not in (group, name, *verbs)
            assert group != "rbac.authorization.k8s.io"
            assert name not in ("secrets", "serviceaccounts/token", "nodes", "pods/attach")
            assert not verbs & {"bind", "escalate", "impersonate", "deletecollection"}


def test_the_rights_are_bound_to_one_account_elsewhere_and_one_group(
    deployer: list[Object],
) -> None:
    account = named(deployer, "ServiceAccount", "titanium-deployer")["metadata"]
    bindings = of_kind(deployer, "RoleBinding", "ClusterRoleBinding")
    assert len(bindings) == 3
    for one in bindings:
        assert one["roleRef"]["name"] == "titanium-deployer"
        assert one["metadata"].get("namespace") != account["namespace"]
        assert [(who["kind"], who["name"]) for who in one["subjects"]] == [
            ("ServiceAccount", account["name"]),
            ("Group", "titanium-deployers"),
        ]
        assert one["subjects"][0]["namespace"] == account["namespace"]
