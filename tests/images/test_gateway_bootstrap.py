"""The gateway's bootstrap for a cluster, in a real Envoy before real servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.images.relay import Relay, relay
from tests.support import ROOT, free_port_base, under_load, wait_until
from titanium.catalog import load_catalog
from titanium.mesh import envoy_arguments, kubernetes, load_edge, load_policy, write_document
from titanium.tools import find_envoy

SECONDS = 1  # that connections last here
HEARD = 1.5  # and that a pod waits longer, once it left the Service, before it stops

# Answers at every path what it was asked; the real server starts, drains and stops it.
APPLICATION = """
import json, os

def create_app():
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        while (await receive()).get("more_body"):
            pass
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = json.dumps({"instance": os.environ["INSTANCE"], "headers": headers})
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body.encode()})
    return app
"""


def rendered(folder: Path, base: int, services: dict[str, int]) -> Path:
    """The bootstrap as in the image, but for ports, folders and the services' addresses."""
    policy = load_policy(ROOT).unlimited()
    document = kubernetes.render_kubernetes_gateway(load_catalog(ROOT), policy, load_edge(ROOT))
    for name, port in services.items():
        (cluster,) = [
            one for one in document["static_resources"]["clusters"] if one["name"] == name
        ]
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        address = endpoint["endpoint"]["address"]["socket_address"]
        assert address == {"address": name, "port_value": 8000}
        address.update(address="127.0.0.1", port_value=port)
    text = json.dumps(document)
    for old, new in {
        str(kubernetes.IMAGE): str(ROOT / kubernetes.SOURCE),
        str(kubernetes.ADMIN_SOCKET): str(folder / "admin.sock"),
        f'"port_value": {kubernetes.HTTP_PORT}': f'"port_value": {base}',
        f'"port_value": {kubernetes.METRICS_PORT}': f'"port_value": {base + 1}',
        f'"max_connection_duration": "{kubernetes.CONNECTION_SECONDS}s"': (
            f'"max_connection_duration": "{SECONDS}s"'
        ),
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    write_document(folder / "envoy.json", json.loads(text))
    return folder / "envoy.json"


@contextmanager
def process(command: list[str], log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Killed at the end, when it still runs."""
    with log.open("wb") as output:
        made = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **variables}
        )
    try:
        yield made
    finally:
        made.kill()
        made.wait(10)


def get(port: int, path: str, **options: Any) -> httpx2.Response:
    return httpx2.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=5, **options)


def answers(port: int, path: str) -> bool:
    try:
        return get(port, path).status_code == 200
    except httpx2.HTTPError:
        return False


@contextmanager
def gateway(folder: Path, services: dict[str, int]) -> Iterator[tuple[int, Any]]:
    """A running gateway: its first port (the second is for metrics) and its process."""
    base = free_port_base()
    bootstrap = rendered(folder, base, services)
    command = envoy_arguments(find_envoy(), bootstrap, "gateway")
    with process(command, folder / "log") as running:
        wait_until(lambda: answers(base + 1, "/ready"), 20, (folder / "log").read_text())
        yield base, running


@contextmanager
def server(folder: Path, instance: str) -> Iterator[tuple[int, Any]]:
    """An application behind the platform's own server: its port and its process."""
    (folder / "echo.py").write_text(APPLICATION)
    port = free_port_base()
    command = [sys.executable, "-m", "titanium_kit.server", "echo:create_app"]
    variables = {
        "PYTHONPATH": str(folder),
        "SERVICE": "echo",
        "INSTANCE": instance,
        "BIND": f"tcp:127.0.0.1:{port}",
    }
    with process(command, folder / f"{instance}.log", **variables) as running:
        wait_until(lambda: answers(port, "/"), 20, instance)
        yield port, running


@pytest.mark.unit
def test_the_committed_files_are_those_that_the_code_renders() -> None:
    """After a wanted change: `make docs`."""
    for path, text in kubernetes.generated(ROOT, load_catalog(ROOT)).items():
        assert path.read_text() == text, path


@pytest.mark.unit
def test_only_what_a_pod_may_show_listens() -> None:
    document = json.loads((ROOT / kubernetes.SOURCE / kubernetes.BOOTSTRAP).read_text())
    ports = {
        one["name"]: one["address"]["socket_address"]["port_value"]
        for one in document["static_resources"]["listeners"]
    }
    assert ports == {"http": 8080, "metrics": 9902}
    assert document["admin"]["address"] == {
        "pipe": {"path": "/run/envoy/admin.sock", "mode": 0o600}
    }
    assert "transport_socket" not in json.dumps(document)


@pytest.mark.integration
def test_a_request_finds_its_service_and_metrics_show_no_more_than_they_should(
    tmp_path: Path,
) -> None:
    with ExitStack() as running:
        enter = running.enter_context
        ports = {name: enter(server(tmp_path, name))[0] for name in load_catalog(ROOT).names}
        base, _ = enter(gateway(tmp_path / "gateway", ports))
        assert get(base, "/health").json() == {"status": "ok"}
        assert "openapi" in get(base, "/api/openapi.json").json()
        answer = get(base, "/api/posts", headers={"x-forwarded-host": "spoofed.example"}).json()
        assert answer["instance"] == "blog"
        # A mesh's proxy looks the Host up; what the client asked for is kept beside it.
        assert answer["headers"]["host"] == "127.0.0.1"
        assert answer["headers"]["x-forwarded-host"] == f"127.0.0.1:{base}"
        assert answer["headers"]["x-forwarded-for"] == "127.0.0.1"

        assert get(base + 1, "/ready").text == "LIVE\n"
        assert "envoy_server_uptime" in get(base + 1, "/stats/prometheus?usedonly").text
        for path in ("/", "/config_dump", "/certs", "/stats", "/ready/", "/stats/prometheus/x"):
            assert get(base + 1, path).status_code == 404, path
        for path in ("/quitquitquit", "/drain_listeners", "/ready", "/stats/prometheus"):
            answer = httpx2.post(f"http://127.0.0.1:{base + 1}{path}", trust_env=False)
            assert answer.status_code == 404, path
        assert get(base, "/ready").status_code == 404


def drain(service: Relay, old: int, new: int) -> None:
    """What a cluster does before a pod gets SIGTERM: the other is ready, the Service leaves it."""
    assert service.seen[old] > 0
    service.set([new])
    wait_until(lambda: service.open[old] == 0, HEARD, "connections to the pod that leaves")
    time.sleep(HEARD - SECONDS)


@pytest.mark.integration
@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "idempotent"])
def test_pods_are_replaced_under_load_and_no_write_is_lost(tmp_path: Path, keyed: bool) -> None:
    """First the app's pod, then the gateway's; nobody retries, neither client nor gateway."""
    headers = {"authorization": "Bearer x", **({"idempotency-key": "k" * 16} if keyed else {})}

    def post(client: httpx2.Client) -> httpx2.Response:
        return client.post("/api/posts", json={"title": "t", "content": "c"}, headers=headers)

    with ExitStack() as running:
        enter = running.enter_context
        old_app, new_app = enter(server(tmp_path, "old")), enter(server(tmp_path, "new"))
        apps = enter(relay(old_app[0]))
        ports = dict.fromkeys(load_catalog(ROOT).names, apps.port)
        old_edge = enter(gateway(tmp_path / "one", ports))
        new_edge = enter(gateway(tmp_path / "two", ports))
        edges = enter(relay(old_edge[0]))
        with under_load(post, f"http://127.0.0.1:{edges.port}") as load:
            time.sleep(0.5)
            drain(apps, old_app[0], new_app[0])
            old_app[1].send_signal(signal.SIGTERM)
            old_app[1].wait(10)
            time.sleep(0.2)
            drain(edges, old_edge[0], new_edge[0])
            old_edge[1].send_signal(signal.SIGTERM)
            old_edge[1].wait(10)
            time.sleep(0.2)
        assert load.failures == []
        assert load.done > 100
        assert apps.seen[new_app[0]] > 0
        assert edges.seen[new_edge[0]] > 0
