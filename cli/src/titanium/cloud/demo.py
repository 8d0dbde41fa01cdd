"""The mesh demonstration: Linkerd, Prometheus, Grafana and Bookinfo, brought up in one go."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from titanium.cloud import check, deploy, linkerd_identity, targets
from titanium.cloud.kubectl import Kubectl, Say
from titanium.errors import TitaniumError, ToolMissingError, UnhealthyError, UsageError
from titanium.files import write_atomically
from titanium.provision.secret_files import secret

BOOKINFO_PORT, GRAFANA_PORT = 30080, 30300
PROXY = "linkerd-proxy"
_GRAFANA_USER = "admin"
_LAST_LINES = 10


@dataclass(frozen=True, slots=True)
class Chart:
    """One entry of charts.toml; `identity` is set for the chart that needs certificates."""

    release: str
    namespace: str
    chart: str
    repository: str
    version: str
    why: str
    identity: bool = False


def charts(root: Path) -> list[Chart]:
    """What is installed, in order."""
    text = (_folder(root) / "charts" / "charts.toml").read_text("utf-8")
    return [Chart(**one) for one in tomllib.loads(text)["chart"]]


class Demo:
    """A run of the demonstration's set-up; every step leaves alone what is as wanted."""

    def __init__(self, root: Path, context: str | None, patience: float, say: Say) -> None:
        self._root = root
        self._context = context
        self._patience = patience
        self._say = say

    def plan(self) -> Iterator[str]:
        """Every step in words and commands; changes nothing, asks no cluster."""
        yield "1. look: kubectl and helm are there, the cluster answers"
        yield f"2. kubectl apply --filename={_folder(self._root) / 'charts/namespaces.yaml'}"
        yield "   and the Secret monitoring/grafana-admin with a password made once"
        for number, chart in enumerate(charts(self._root), 3):
            yield f"{number}. {chart.why}"
            yield f"   helm {' '.join(self._helm(chart, ['<certificates>'] * chart.identity))}"
        number += 1
        yield f"{number}. kubectl apply --kustomize {_folder(self._root)}"
        for one in deploy.waited_for(deploy.render(Kubectl(None), _folder(self._root))):
            yield f"   wait until {one['kind'].lower()}/{one['metadata']['name']} is ready"
        yield f"{number + 1}. every pod of bookinfo has the mesh's proxy"
        yield f"{number + 2}. from outside: http://<node>:{BOOKINFO_PORT}/productpage"
        yield f"   and http://<node>:{GRAFANA_PORT}/api/health answer"

    def up(self, address: str | None) -> None:
        """Bring everything up and check it. TitaniumError names the step that failed."""
        if shutil.which("helm") is None:
            raise ToolMissingError("helm was not found on PATH", "Install helm 3.16 or newer.")
        kubectl = self._cluster()
        self._say(f"cluster: Kubernetes {kubectl.require_version()}")
        host = address or _node(kubectl)
        self._step("namespaces", lambda: self._prepare(kubectl))
        for chart in charts(self._root):
            title = f"{chart.release} {chart.version}"
            self._step(title, partial(self._install, kubectl, chart))
        self._step("bookinfo", lambda: self._bookinfo(kubectl))
        self._step("the mesh's proxy in every pod", lambda: _meshed(kubectl))
        bookinfo, grafana = (f"http://{host}:{port}" for port in (BOOKINFO_PORT, GRAFANA_PORT))
        self._step(f"{bookinfo} from outside", lambda: self._answers(bookinfo, "/productpage"))
        self._step(f"{grafana} from outside", lambda: self._answers(grafana, "/api/health"))
        self._say(f"Bookinfo  {bookinfo}/productpage")
        self._say(
            f"Grafana   {grafana}/d/bookinfo  user {_GRAFANA_USER}, password in {_password()}"
        )

    def _step(self, title: str, run: Callable[[], object]) -> None:
        began = time.monotonic()
        try:
            run()
        except TitaniumError as error:
            self._say(f"  FAILED   {title}")
            error.message = f"{title}: {error.message}"
            raise
        self._say(f"  ok       {title} ({time.monotonic() - began:.0f} s)")

    def _cluster(self) -> Kubectl:
        if self._context is None:
            return Kubectl(None)
        # helm and kubectl name contexts by different options; both read a file.
        text = Kubectl(None).run(
            "config", "view", "--raw", "--minify", "--flatten", "--context", self._context
        )
        path = targets.private_folder() / "kubeconfig-demo"
        write_atomically(path, text, 0o600)
        return Kubectl(path)

    def _prepare(self, kubectl: Kubectl) -> None:
        file = _folder(self._root) / "charts" / "namespaces.yaml"
        kubectl.run("apply", f"--filename={file}")
        targets.private_folder()
        data = {"user": _GRAFANA_USER, "password": secret(_password())}
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        made = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "grafana-admin", "namespace": "monitoring"},
            "data": encoded,
        }
        kubectl.run("apply", "--server-side", "--filename=-", stdin=json.dumps(made))

    def _helm(self, chart: Chart, identity: list[str]) -> list[str]:
        return [
            "upgrade", "--install", chart.release, chart.chart,
            f"--repo={chart.repository}", f"--version={chart.version}",
            f"--namespace={chart.namespace}", "--create-namespace",
            f"--values={_folder(self._root) / 'charts' / f'{chart.release}.yaml'}",
            *identity, "--wait", f"--timeout={self._patience:.0f}s",
        ]  # fmt: skip

    def _install(self, kubectl: Kubectl, chart: Chart) -> None:
        identity = self._identity(kubectl, chart) if chart.identity else []
        try:
            done = subprocess.run(
                ["helm", *self._helm(chart, identity)],
                capture_output=True,
                text=True,
                env=kubectl.environment,
                timeout=self._patience + 60,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnhealthyError(
                f"helm did not end within {self._patience + 60:.0f} s",
                f"See the pods: kubectl get pods --namespace {chart.namespace}",
            ) from None
        if done.returncode != 0:
            lines = tuple(done.stderr.strip().splitlines()[-_LAST_LINES:])
            raise UnhealthyError(
                "helm failed",
                f"See the pods: kubectl get pods --namespace {chart.namespace}; then run this "
                "again: what is there is kept.",
                lines,
            )

    def _identity(self, kubectl: Kubectl, chart: Chart) -> list[str]:
        """The certificates' arguments; an installation from elsewhere keeps its own."""
        server = kubectl.run(
            "config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}"
        )
        name = hashlib.sha256(server.encode()).hexdigest()[:12]
        folder = targets.private_folder() / f"linkerd-{name}"
        there = kubectl.within(chart.namespace).succeeds("get", "secret", "linkerd-identity-issuer")
        if there and not (folder / "ca.crt").exists():
            return ["--reuse-values"]
        return linkerd_identity.helm_arguments(folder)

    def _bookinfo(self, kubectl: Kubectl) -> None:
        folder = _folder(self._root)
        kubectl.run("apply", "--kustomize", str(folder), timeout=self._patience)
        deploy.wait(kubectl, deploy.render(kubectl, folder), self._patience, lambda _: None)

    def _answers(self, url: str, path: str) -> None:
        deadline = time.monotonic() + 60
        site = check.Site(url, timeout=10)
        while True:
            try:
                status = site.ask("GET", path).status
            except UnhealthyError as error:
                seen = error.message
            else:
                if status == check.OK:
                    return
                seen = f"{url}{path} answers {status}"
            if time.monotonic() > deadline:
                raise UnhealthyError(
                    seen,
                    "Inside everything is ready: a firewall or security group before the node? "
                    "Name a node that can be reached with --address.",
                )
            time.sleep(2)


def _folder(root: Path) -> Path:
    return root / "k8s-manifests" / "bookinfo"


def _password() -> Path:
    return targets.folder() / "grafana-admin"


def _node(kubectl: Kubectl) -> str:
    """A node's address, from outside if it has one."""
    addresses: list[dict[str, Any]] = [
        address for node in kubectl.items("get", "nodes") for address in node["status"]["addresses"]
    ]
    for kind in ("ExternalIP", "InternalIP"):
        for one in addresses:
            if one["type"] == kind:
                return str(one["address"])
    raise UsageError("the cluster has no node with an address", "Name one with --address.")


def _meshed(kubectl: Kubectl) -> None:
    for namespace in ("bookinfo", "bookinfo-edge"):
        for pod in kubectl.within(namespace).items("get", "pods"):
            parts = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
            if PROXY not in [one["name"] for one in parts]:
                name = pod["metadata"]["name"]
                raise UnhealthyError(
                    f"pod {name} has no {PROXY}",
                    f"It began before Linkerd: kubectl delete pod {name} --namespace {namespace}",
                )
