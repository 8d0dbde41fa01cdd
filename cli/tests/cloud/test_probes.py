"""Probes of mesh and policies, and the demonstration's set-up; no cluster: see conftest.py."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.tests.cloud.conftest import FakeKubectl
from titanium.catalog import load_catalog
from titanium.checkout import checkout
from titanium.cloud import demo, probes, targets
from titanium.cloud.kubectl import Kubectl
from titanium.errors import TitaniumError

pytestmark = pytest.mark.integration


class Answers(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


def test_every_undeclared_pair_is_asked_and_only_those(chosen: FakeKubectl) -> None:
    """A refused connection and a 403 are refusals; anything else counts."""
    catalog = load_catalog(checkout())
    declared = {(one.name, call.service) for one in catalog for call in one.calls}
    pairs = probes.undeclared(catalog)
    assert not declared & set(pairs)
    assert len(pairs) + len(declared) == len(list(catalog)) * (len(list(catalog)) - 1)
    chosen.answer("exec deployment/auth", "403\n")
    chosen.answer("exec deployment/blog", "TimeoutError timed out\n")
    said: list[str] = []
    assert probes.policies(Kubectl(None, "titanium"), catalog, said.append) == 0
    assert len(said) == len(pairs)
    assert all("/internal/readyz" in line for line in chosen.lines)


def test_an_answer_to_an_undeclared_pair_is_a_failure(chosen: FakeKubectl) -> None:
    """Also one that says the service is not well."""
    chosen.answer("exec", "503\n")
    catalog = load_catalog(checkout())
    answered = probes.policies(Kubectl(None, "titanium"), catalog, lambda _: None)
    assert answered == len(probes.undeclared(catalog))


@pytest.mark.parametrize(
    ("status", "headers", "refused"),
    [
        (200, {}, False),
        (503, {}, False),
        (403, {}, True),
        (502, {"server": "envoy"}, True),
        (503, {"server": "envoy", "x-envoy-upstream-service-time": "3"}, False),
    ],
)
def test_what_the_probe_says_of_an_answer(
    status: int, headers: dict[str, str], refused: bool
) -> None:
    """The program that runs in the pod, here: a caller's own proxy is told from the service."""

    class Fixed(Answers):
        def do_GET(self) -> None:
            self.send_response_only(status)
            for name, value in {**headers, "content-length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Fixed)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        said = subprocess.run(
            [sys.executable, "-c", probes._ASK, url], capture_output=True, text=True, check=True
        ).stdout.strip()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert probes.Finding("a", "b", said).refused is refused, said


def test_a_stranger_is_made_asked_and_deleted_whatever_happens(chosen: FakeKubectl) -> None:
    """Its pod keeps to the restricted profile; the namespace goes also after a failure."""
    chosen.answer("apply --filename=-")
    chosen.answer("wait --for=condition=Ready pod/stranger", err="timed out\n", code=1)
    chosen.answer("delete namespace")
    with pytest.raises(TitaniumError, match="timed out"):
        probes.mtls(
            Kubectl(None, "titanium"), load_catalog(checkout()), "titanium/blog:dev", lambda _: None
        )
    assert "delete namespace titanium-outside" in chosen.lines[-1]
    made = json.loads(chosen.calls[0]["stdin"])["items"]
    container = made[1]["spec"]["containers"][0]
    assert made[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert container["image"] == "titanium/blog:dev"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something answers where Bookinfo and Grafana would, on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    for name in ("BOOKINFO_PORT", "GRAFANA_PORT"):
        monkeypatch.setattr(demo, name, server.server_address[1])
    yield
    server.shutdown()
    thread.join()
    server.server_close()


RENDERED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: productpage-v1, namespace: bookinfo}
spec: {selector: {matchLabels: {app.kubernetes.io/name: productpage}}}
"""


def prepared(fake: FakeKubectl) -> None:
    fake.answer("config view --minify", "https://203.0.113.10:6443")
    fake.answer("get secret linkerd-identity-issuer", err="not found\n", code=1)
    fake.answer("apply")
    fake.answer("kubectl kustomize", RENDERED)
    fake.answer("rollout status")
    fake.answer(
        "version --output",
        {"serverVersion": {"major": "1", "minor": "31", "gitVersion": "v1.31.0"}},
    )


def pods(fake: FakeKubectl, *containers: str) -> None:
    spec = {"containers": [{"name": name} for name in containers]}
    fake.answer("get pods", {"items": [{"metadata": {"name": "page-1"}, "spec": spec}]})


def test_the_demonstration_comes_up_in_order_and_can_be_run_again(
    fake: FakeKubectl, ports: None
) -> None:
    """Charts in the pinned order, then Bookinfo; keys and passwords are files, made once."""
    prepared(fake)
    fake.answer("helm")
    pods(fake, "page", demo.PROXY)
    said: list[str] = []
    for _ in range(2):
        demo.Demo(checkout(), None, 30, said.append).up("127.0.0.1")
    charts = demo.charts(checkout())
    installed = [line.split()[3] for line in fake.lines if line.startswith("helm")]
    assert installed == [one.release for one in charts] * 2
    identity = next(line for line in fake.lines if "linkerd-control-plane" in line)
    key = Path(identity.split("identity.issuer.tls.keyPEM=")[1].split()[0])
    assert key.stat().st_mode & 0o777 == 0o600
    assert identity in fake.lines[fake.lines.index(identity) + 1 :]
    password = (targets.folder() / "grafana-admin").read_text()
    assert password not in "\n".join((*said, *fake.lines))
    assert any(line.startswith("Bookinfo  http://127.0.0.1:") for line in said)


def test_the_step_that_failed_is_named_with_helms_last_words(fake: FakeKubectl) -> None:
    """And nothing after it is tried."""
    prepared(fake)
    fake.answer("helm upgrade --install linkerd-crds", err="Error: no route to host\n", code=1)
    fake.answer("helm")
    said: list[str] = []
    with pytest.raises(TitaniumError) as caught:
        demo.Demo(checkout(), None, 30, said.append).up("127.0.0.1")
    assert caught.value.message == "linkerd-crds 2026.6.3: helm failed"
    assert caught.value.details == ("Error: no route to host",)
    assert said[-1].startswith("  FAILED   linkerd-crds")
    assert not any("linkerd-control-plane" in line for line in fake.lines)


def test_a_pod_without_the_proxy_is_named(fake: FakeKubectl) -> None:
    """It started before the mesh did; the hint deletes it."""
    prepared(fake)
    fake.answer("helm")
    pods(fake, "page")
    with pytest.raises(TitaniumError, match="pod page-1 has no linkerd-proxy") as caught:
        demo.Demo(checkout(), None, 30, lambda _: None).up("127.0.0.1")
    assert "kubectl delete pod page-1" in caught.value.hint


def test_certificates_of_another_installation_are_kept(fake: FakeKubectl, ports: None) -> None:
    """New ones would cut every running proxy off."""
    fake.answer("get secret linkerd-identity-issuer")
    prepared(fake)
    fake.answer("helm")
    pods(fake, demo.PROXY)
    demo.Demo(checkout(), None, 30, lambda _: None).up("127.0.0.1")
    identity = next(line for line in fake.lines if "linkerd-control-plane" in line)
    assert "--reuse-values" in identity
    assert "--set-file" not in identity
