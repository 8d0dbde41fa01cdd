"""A real gateway and real sidecars, rendered from the real catalog, in front of stub apps.

Everything between client and app is what a user runs: the same renderer, certificate
authority and Envoy. Only the apps are stubs: they record what reaches them and answer what
a test tells them to.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import uvicorn

from tests.support import free_port_base
from titanium.catalog import Catalog, load_catalog
from titanium.layout import GATEWAY, HOST, Home, Ports
from titanium.mesh import (
    Bench,
    CertificateAuthority,
    Endpoint,
    Policy,
    endpoints_file,
    envoy_arguments,
    load_edge,
    load_policy,
    local_gateway,
    local_sidecar,
    render_endpoints,
    render_gateway,
    render_sidecar,
    write_document,
)
from titanium.mesh.faults import runtime_settings
from titanium.supervise.protocol import FaultRequest
from titanium.tools import find_envoy

ROOT = Path(__file__).resolve().parents[2]
STARTUP_SECONDS = 20.0
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}
"""Of a problem."""


@dataclass(frozen=True)
class Seen:
    """A request as an app saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What a stub app answers."""

    status: int = 200
    body: bytes = b'{"stub":true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang_up: bool = False


@dataclass(frozen=True)
class Reply:
    """An answer as a client got it; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class StubApp:
    """An app on a Unix socket that records requests; `answer` may be replaced by a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], Answer] = lambda _: Answer()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        config = uvicorn.Config(
            self, uds=str(self.path), log_level="critical", lifespan="off", timeout_keep_alive=75
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server is not None and self._server.started, "stub app")

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=10)
        self.path.unlink(missing_ok=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = scope["query_string"].decode("latin-1")
        path = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        seen = Seen(scope["method"], path, headers, body)
        self.seen.append(seen)
        answer = self.answer(seen)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.hang_up:
            receive.__self__.transport.abort()
            return
        fields = [(k.encode(), v.encode()) for k, v in answer.headers.items()]
        if "content-type" not in answer.headers:
            fields.append((b"content-type", b"application/json"))
        fields.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body})


class UnixConnection(http.client.HTTPConnection):
    """http.client over a Unix socket."""

    def __init__(self, path: Path, host: str = "localhost", timeout: float = 10) -> None:
        super().__init__(host, timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Mesh:
    """One running platform of proxies; use as a context manager."""

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        replicas: Mapping[str, int] | None = None,
        lifetime: timedelta = timedelta(hours=24),
        bench: Bench | None = None,
        concurrency: int = 1,
        observability: bool = True,
        trace_token: str | None = None,
        bind: str = HOST,
    ) -> None:
        self.catalog: Catalog = load_catalog(ROOT)
        self.policy = policy or load_policy(ROOT)
        self.edge = load_edge(ROOT)
        self.replicas = {name: (replicas or {}).get(name, 1) for name in self.catalog.names}
        # Short, because the path of a Unix socket has at most 107 bytes.
        self.home = Home(Path(tempfile.mkdtemp(prefix="ti-")))
        self.ports = Ports(free_port_base())
        self.apps: dict[str, StubApp] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.bench = bench
        self.concurrency = concurrency
        self.observability = observability
        self.trace_token = trace_token
        self.bind = bind
        self.lifetime = lifetime
        self.authority = CertificateAuthority.open(self.home.certs, lifetime=lifetime)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        for app in self.apps.values():
            app.stop()
        shutil.rmtree(self.home.root, ignore_errors=True)

    def _start(self) -> None:
        self.home.logs.mkdir()
        self.authority.ensure((*self.catalog.names, GATEWAY), server=("localhost", HOST))
        for service in self.catalog.names:
            self.publish(service, range(self.replicas[service]))
        for service in self.catalog.names:
            for replica in range(self.replicas[service]):
                self._prepare_instance(service, replica)
        topology = local_gateway(
            self.home,
            self.ports,
            bench=self.bench,
            observability=self.observability,
            trace_token=self.trace_token,
        )
        topology = replace(topology, bind=self.bind)
        bootstrap = render_gateway(self.catalog, self.policy, self.edge, topology)
        write_document(self.home.bootstrap(GATEWAY), bootstrap)
        topology.openapi_json.write_text('{"openapi":"3.1.0"}')
        topology.docs_html.write_text("<!doctype html><title>API</title>" + "<p>words</p>" * 100)
        self.home.admin_socket(GATEWAY).parent.mkdir(mode=0o700)
        self.launch(GATEWAY, GATEWAY, self.concurrency)
        for instance in [*self.apps, GATEWAY]:
            wait_until(lambda name=instance: self.live(name), f"proxy of {instance}")  # type: ignore[misc]

    def _prepare_instance(self, service: str, replica: int) -> None:
        topology = local_sidecar(
            self.home,
            self.ports,
            self.catalog.names,
            service,
            replica,
            bench=self.bench,
            observability=self.observability,
        )
        folder = topology.app_socket.parent
        folder.mkdir(mode=0o700, parents=True)
        bootstrap = render_sidecar(self.catalog, self.policy, service, topology)
        write_document(self.home.bootstrap(topology.instance), bootstrap)
        app = StubApp(topology.app_socket)
        app.start()
        self.apps[topology.instance] = app
        self.launch(topology.instance, f"{topology.instance}-sidecar")

    def launch(self, instance: str, process: str, concurrency: int = 1) -> None:
        arguments = envoy_arguments(
            find_envoy(), self.home.bootstrap(instance), process, concurrency=concurrency
        )
        with self.home.log(process).open("ab") as log:
            self.processes[instance] = subprocess.Popen(arguments, stdout=log, stderr=log)

    def live(self, instance: str) -> bool:
        process = self.processes[instance]
        if process.poll() is not None:
            name = instance if instance == GATEWAY else f"{instance}-sidecar"
            raise RuntimeError(f"{instance} ended: {self.home.log(name).read_text()[-3000:]}")
        try:
            return self.admin(instance, "/ready").status == 200
        except OSError:
            return False

    def publish(self, service: str, replicas: Iterable[int]) -> None:
        """Tell every proxy which instances of a service exist."""
        index = self.catalog.names.index(service)
        endpoints = [Endpoint(self.ports.sidecar(index, replica)) for replica in replicas]
        path = endpoints_file(self.home.endpoints, service)
        write_document(path, render_endpoints(service, endpoints))

    def admin(self, instance: str, path: str, method: str = "GET") -> Reply:
        return exchange(UnixConnection(self.home.admin_socket(instance)), method, path)

    def counter(self, instance: str, name: str) -> int:
        """One of a proxy's statistics; 0 when it has not been counted yet."""
        text = self.admin(instance, f"/stats?filter=^{name}$").body.decode()
        return int(text.rpartition(":")[2]) if text.strip() else 0

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        client: str = HOST,
        timeout: float = 20,
    ) -> Reply:
        """A request to the gateway from the address `client`, path and headers sent as given."""
        connection = http.client.HTTPConnection(
            HOST, self.ports.http, timeout=timeout, source_address=(client, 0)
        )
        return exchange(connection, method, path, headers, body)

    def egress(
        self,
        instance: str,
        host: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A call of an app through its sidecar's egress socket."""
        connection = UnixConnection(self.home.egress_socket(instance), host)
        return exchange(connection, method, path, headers)

    def sidecar_port(self, service: str, replica: int = 0) -> int:
        return self.ports.sidecar(self.catalog.names.index(service), replica)

    def clear(self) -> None:
        for app in self.apps.values():
            app.seen.clear()
            app.answer = lambda _: Answer()

    def all_seen(self) -> list[Seen]:
        return [seen for app in self.apps.values() for seen in app.seen]


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """One request and its whole answer; closes the connection."""
    try:
        connection.putrequest(
            method, path, skip_accept_encoding=True, skip_host="Host" in (headers or {})
        )
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        elif method in ("POST", "PUT", "PATCH"):
            connection.putheader("content-length", "0")
        connection.endheaders(body)
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, fields, response.read())
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = STARTUP_SECONDS) -> None:
    """Poll until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def inject(mesh: Mesh, fault: FaultRequest | None) -> None:
    """Tell blog's sidecar of a fault, or of its end, as the supervisor does."""
    keys = urlencode(runtime_settings(fault))
    assert mesh.admin("blog-0", f"/runtime_modify?{keys}", "POST").status == 200
