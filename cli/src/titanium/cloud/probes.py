"""Asks inside the cluster whether the mesh and the policies hold: every pair, and a stranger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from titanium.catalog import READINESS, Catalog
from titanium.cloud.kubectl import Kubectl, Say

OUTSIDE = "titanium-outside"
_REFUSALS = (401, 403)
# Runs in a pod with Python and nothing else: prints the status, or why there was none. A mesh that
# knows the caller may go nowhere lets the caller's own proxy answer; it asked nobody then.
_ASK = """
import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=4).status)
except urllib.error.HTTPError as error:
    proxy = "envoy" in (error.headers.get("server") or "")
    asked = error.headers.get("x-envoy-upstream-service-time") is not None
    own = error.code in (502, 503) and proxy and not asked
    print(error.code, "of the caller's own proxy") if own else print(error.code)
except Exception as error:
    print(type(getattr(error, "reason", error)).__name__, getattr(error, "reason", error))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one caller got from one service: a status, or the reason why there was none."""

    caller: str
    service: str
    answer: str

    @property
    def refused(self) -> bool:
        """No connection, or an answer that the mesh gives instead of the service."""
        return not self.answer.isdigit() or int(self.answer) in _REFUSALS


def undeclared(catalog: Catalog) -> list[tuple[str, str]]:
    """(caller, service): pairs of which no service.toml says that they talk."""
    return [
        (one.name, other.name)
        for one in catalog
        for other in catalog
        if one is not other and not any(call.service == other.name for call in one.calls)
    ]


def policies(kubectl: Kubectl, catalog: Catalog, say: Say) -> int:
    """Every undeclared pair must be refused; how many were not.

    That declared ones work is the smoke test's business: logging in and writing use them all.
    """
    findings = [
        Finding(caller, service, _from_app(kubectl, caller, service))
        for caller, service in undeclared(catalog)
    ]
    return _judge(findings, say)


def mtls(kubectl: Kubectl, catalog: Catalog, image: str, say: Say) -> int:
    """A pod without a mesh identity asks every service in plain HTTP; how many answered it."""
    stranger = kubectl.within(OUTSIDE)
    kubectl.within(None).run("apply", "--filename=-", stdin=json.dumps(_stranger(image)))
    try:
        stranger.run("wait", "--for=condition=Ready", "pod/stranger", "--timeout=120s", timeout=135)
        findings = [
            Finding(
                "a pod outside", one.name, _ask(stranger, "stranger", _address(kubectl, one.name))
            )
            for one in catalog
        ]
    finally:
        kubectl.within(None).run("delete", "namespace", OUTSIDE, "--wait=false")
    return _judge(findings, say)


def image_of(kubectl: Kubectl, service: str) -> str:
    """The image that a service runs: it has Python, and the cluster has it already."""
    spec = kubectl.json("get", f"deployment/{service}")["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


def _judge(findings: list[Finding], say: Say) -> int:
    for one in findings:
        word = "refused " if one.refused else "ANSWERED"
        say(f"  {word} {one.caller} -> {one.service}: {one.answer}")
    return sum(not one.refused for one in findings)


def _from_app(kubectl: Kubectl, caller: str, service: str) -> str:
    return _ask(kubectl, f"deployment/{caller}", _address(kubectl, service))


def _ask(kubectl: Kubectl, where: str, url: str) -> str:
    command = ("exec", where, "--container=app", "--", "python3", "-c", _ASK, url)
    return kubectl.run(*command, timeout=30).strip()


def _address(kubectl: Kubectl, service: str) -> str:
    return f"http://{service}.{kubectl.namespace}.svc:8000{READINESS}"


def _stranger(image: str) -> dict[str, Any]:
    """A namespace that no mesh watches, and a pod in it that sleeps."""
    restricted = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
    }
    unmeshed = {"istio-injection": "disabled"}
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": OUTSIDE,
                    "labels": restricted | unmeshed,
                    "annotations": {"linkerd.io/inject": "disabled"},
                },
            },
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "stranger", "namespace": OUTSIDE},
                "spec": {
                    "automountServiceAccountToken": False,
                    "restartPolicy": "Never",
                    "activeDeadlineSeconds": 600,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 10001,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [
                        {
                            "name": "app",
                            "image": image,
                            "command": ["python3", "-c", "import time; time.sleep(600)"],
                            "securityContext": security,
                            "resources": {
                                "requests": {"cpu": "10m", "memory": "32Mi"},
                                "limits": {"cpu": "200m", "memory": "64Mi"},
                            },
                        }
                    ],
                },
            },
        ],
    }
