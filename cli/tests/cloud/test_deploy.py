"""Deploying: what is applied, what is waited for, and what is said when something fails.

kubectl is the stand-in of conftest.py; rendering is answered from a fixture, too.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cli.tests.cloud.conftest import FakeKubectl
from titanium.cloud import deploy, rollback
from titanium.cloud.kubectl import Kubectl
from titanium.cloud.targets import TARGETS
from titanium.cloud.targets import chosen as chosen_target
from titanium.errors import TitaniumError

pytestmark = pytest.mark.integration

RENDERED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: blog, namespace: titanium}
spec: {selector: {matchLabels: {app.kubernetes.io/name: blog}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, namespace: titanium}
spec: {selector: {matchLabels: {app.kubernetes.io/name: postgres}}}
---
apiVersion: v1
kind: Service
metadata: {name: blog, namespace: titanium}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: blog-secrets, namespace: titanium}
"""


@pytest.fixture
def said() -> list[str]:
    return []


def run(said: list[str]) -> None:
    from titanium.checkout import checkout

    target = chosen_target(None)
    kubectl = Kubectl(target.kubeconfig, target.namespace)
    deploy.deploy(target, checkout(), kubectl, 60, said.append)


def test_secrets_and_databases_are_waited_for_before_what_uses_them(
    chosen: FakeKubectl, said: list[str]
) -> None:
    """Every call uses the target's own kubeconfig; unchanged objects are not listed."""
    chosen.answer("titanium kustomize", RENDERED)
    chosen.answer("apply", "service/blog unchanged\ndeployment.apps/blog configured\n")
    chosen.answer("wait --for=condition=Ready")
    chosen.answer("rollout status")
    run(said)
    waited = [line.partition(" --namespace titanium ")[2] for line in chosen.lines[3:]]
    assert [line.rsplit(" --timeout")[0] for line in waited] == [
        "wait --for=condition=Ready externalsecrets.external-secrets.io/blog-secrets",
        "rollout status statefulset/postgres",
        "rollout status deployment/blog",
    ]
    assert {call["kubeconfig"] for call in chosen.calls} == {str(TARGETS["local"].kubeconfig)}
    assert "  deployment.apps/blog configured" in said
    assert not any("unchanged" in line for line in said)


def pod(**status: Any) -> dict[str, Any]:
    return {
        "items": [
            {
                "metadata": {"name": "blog-7d4-x", "creationTimestamp": "2026-01-02"},
                "status": status,
            }
        ]
    }


def failing(chosen: FakeKubectl, pods: dict[str, Any], said: list[str]) -> TitaniumError:
    chosen.answer("titanium kustomize", RENDERED)
    chosen.answer("apply")
    chosen.answer("wait --for")
    chosen.answer("rollout status deployment/blog", err="error: timed out\n", code=1)
    chosen.answer("rollout status")
    chosen.answer("get pods", pods)
    chosen.answer("logs blog-7d4-x --container app", "first\nValueError: no password\n")
    event = {"involvedObject": {"name": "blog-7d4-x"}, "reason": "BackOff", "message": "back-off"}
    other = {"involvedObject": {"name": "auth-1"}, "reason": "Odd", "message": "not ours"}
    chosen.answer("get events", {"items": [event, other]})
    with pytest.raises(TitaniumError) as caught:
        run(said)
    return caught.value


def test_a_crashing_pod_is_named_with_its_last_lines_and_events(
    chosen: FakeKubectl, said: list[str]
) -> None:
    """Exit code 3, and no other pod's events."""
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s"}
    crashing = {"name": "app", "ready": False, "state": {"waiting": waiting}}
    error = failing(chosen, pod(containerStatuses=[crashing]), said)
    assert error.message == "deployment/blog is not ready"
    assert error.details == (
        "pod blog-7d4-x: CrashLoopBackOff: back-off 10s",
        "app: first",
        "app: ValueError: no password",
        "event BackOff: back-off",
    )
    assert "log lines" in error.hint
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                             "message": "0/1 nodes: Insufficient cpu"}]},
            "Unschedulable: 0/1 nodes: Insufficient cpu", "No node has room",
        ),
        (
            {"initContainerStatuses": [{"name": "migrate", "state": {"waiting": {
                "reason": "ImagePullBackOff", "message": "not found"}}}]},
            "ImagePullBackOff: not found", "cannot get the image",
        ),
        (
            {"containerStatuses": [{"name": "app", "restartCount": 2, "state": {"running": {}},
                                    "lastState": {"terminated": {"reason": "OOMKilled"}}}]},
            "OOMKilled: after 2 restarts", "more memory than its limit",
        ),
        (
            {"containerStatuses": [{"name": "app", "ready": False, "state": {"running": {}}}]},
            "NotReady: its readiness probe fails", "kubectl describe pod blog-7d4-x",
        ),
    ],
)  # fmt: skip
def test_each_cause_has_words_and_a_next_step(
    chosen: FakeKubectl, said: list[str], status: dict[str, Any], words: str, hint: str
) -> None:
    """What the pod's status says decides."""
    error = failing(chosen, pod(**status), said)
    assert error.details[0] == f"pod blog-7d4-x: {words}"
    assert hint in error.hint


def test_without_a_pod_the_events_of_its_owners_tell(chosen: FakeKubectl, said: list[str]) -> None:
    """A quota shows at the ReplicaSet."""
    event = {
        "involvedObject": {"name": "blog-7d4"},
        "reason": "FailedCreate",
        "message": "exceeded quota: titanium",
    }
    chosen.answer("get events", {"items": [event]})
    error = failing(chosen, {"items": []}, said)
    assert error.details == ("event FailedCreate: exceeded quota: titanium",)


@pytest.mark.parametrize(
    ("err", "hint"),
    [
        ('error: no matches for kind "Gateway" in version "v1"', "install the add-on"),
        ("error: You must be logged in to the server (Unauthorized)", "put a new one"),
        ("The connection to the server was refused: connection refused", "Is the cluster running"),
        ("Error: secrets is forbidden: User cannot create", "lacks that right"),
        ("something else", "Run the same with kubectl"),
    ],
)
def test_what_kubectl_says_becomes_a_next_step(
    chosen: FakeKubectl, said: list[str], err: str, hint: str
) -> None:
    """The last line of its error is the message."""
    chosen.answer("titanium kustomize", RENDERED)
    chosen.answer("apply", err=f"{err}\n", code=1)
    with pytest.raises(TitaniumError) as caught:
        run(said)
    assert err in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("target", "minor", "wanted"),
    [("local", "29", "1.30"), ("aws", "31", "1.32"), ("solid-cloud", "33", "1.34")],
)
def test_an_old_cluster_is_refused_before_anything_is_applied(
    fake: FakeKubectl, said: list[str], target: str, minor: str, wanted: str
) -> None:
    """1.30 for the manifests; production has Istio, which wants a newer one."""
    from titanium.cloud.targets import save

    save(TARGETS[target], "apiVersion: v1\n")
    version = f"v1.{minor}.4"
    old = {"serverVersion": {"major": "1", "minor": f"{minor}+", "gitVersion": version}}
    fake.answer("version", old)
    fake.answer("kustomize", RENDERED)
    with pytest.raises(TitaniumError, match=re.escape(version)) as caught:
        run(said)
    assert wanted in caught.value.hint
    assert not any("apply" in line for line in fake.lines)


def test_an_overlay_that_names_no_images_yet_is_refused(
    chosen: FakeKubectl, said: list[str]
) -> None:
    """Before the first deployment: pods would wait for ever. The services are named."""
    image = f"ghcr.io/titanium-platform/titanium-blog:{deploy.NO_TAG}"
    spec = {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}
    blog = {"kind": "Deployment", "metadata": {"name": "blog"}, "spec": spec}
    chosen.answer("kustomize", json.dumps(blog))
    with pytest.raises(TitaniumError) as caught:
        run(said)
    assert caught.value.message == "overlays/local names no images yet of blog"
    assert "scripts/set-image-tags.py" in caught.value.hint
    assert not any("apply" in line for line in chosen.lines)


def test_a_target_without_a_kubeconfig_is_refused(fake: FakeKubectl) -> None:
    """The hint is the command that makes it."""
    with pytest.raises(TitaniumError) as caught:
        chosen_target("solid-cloud")
    assert caught.value.hint == "Run: titanium cloud use solid-cloud"
    with pytest.raises(TitaniumError, match="no cluster is chosen"):
        chosen_target(None)


def deployment(name: str, tracked: bool = False) -> dict[str, Any]:
    annotations = {"argocd.argoproj.io/tracking-id": "x"} if tracked else {}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": name}}},
    }


def undo(name: str | None, revision: int | None, **options: bool) -> None:
    kubectl = Kubectl(None, "titanium")
    rollback.rollback(kubectl, name, revision, 60, lambda _: None, **options)


def test_a_rollback_undoes_and_waits(chosen: FakeKubectl) -> None:
    """To a named revision when one is given."""
    chosen.answer("get deployments", {"items": [deployment("blog"), deployment("auth")]})
    chosen.answer("rollout")
    undo("blog", 4)
    assert chosen.lines[1].endswith("rollout undo deployment/blog --to-revision=4")
    assert "rollout status deployment/blog" in chosen.lines[2]
    undo(None, None)
    assert [line.split()[-1] for line in chosen.lines if " undo " in line][1:] == [
        "deployment/blog", "deployment/auth",
    ]  # fmt: skip


def test_a_rollback_that_argocd_would_undo_is_refused(chosen: FakeKubectl) -> None:
    """Git is rolled back there; --force does it all the same, a dry run changes nothing."""
    chosen.answer("get deployments", {"items": [deployment("blog", tracked=True)]})
    chosen.answer("rollout")
    with pytest.raises(TitaniumError, match="Argo CD keeps blog"):
        undo("blog", None)
    undo("blog", None, force=True, dry_run=True)
    assert not any("rollout" in line for line in chosen.lines)


@pytest.mark.parametrize(("name", "revision"), [("nothing", None), (None, 3)])
def test_a_rollback_of_nothing_in_particular_is_refused(
    chosen: FakeKubectl, name: str | None, revision: int | None
) -> None:
    """Unknown services, and a revision without a service."""
    chosen.answer("get deployments", {"items": [deployment("blog")]})
    with pytest.raises(TitaniumError) as caught:
        undo(name, revision)
    assert caught.value.exit_code == 2
