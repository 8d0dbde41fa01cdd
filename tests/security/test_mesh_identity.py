"""Who may speak to whom: every mesh port, every caller, every method."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from titanium.catalog import Catalog, Match, load_catalog
from titanium.layout import GATEWAY, HOST
from titanium.mesh import CertificateAuthority, Endpoint, endpoints_file, render_endpoints
from titanium.mesh.files import write_document

from .conftest import unlimited
from .harness import ROOT, Mesh, exchange, wait_until
from .mesh_client import MeshClient, RefusedError

pytestmark = pytest.mark.e2e

CATALOG: Catalog = load_catalog(ROOT)
SERVICES = CATALOG.names
CALLERS = (GATEWAY, *SERVICES, "stranger")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_plaintext_is_refused(mesh: Mesh, service: str) -> None:
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), None, tls=False)
    with socket.create_connection((HOST, mesh.sidecar_port(service)), timeout=5) as plain:
        plain.sendall(b"GET /internal/readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert plain.recv(100) == b""
    assert mesh.all_seen() == []


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_a_client_without_a_certificate_is_refused(mesh: Mesh, service: str) -> None:
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), None)


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_a_certificate_of_another_authority_is_refused(
    mesh: Mesh, service: str, tmp_path: Path
) -> None:
    """Even with the right name in it."""
    foreign = CertificateAuthority.open(tmp_path).issue(GATEWAY, HOUR)
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), foreign)


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_an_expired_certificate_is_refused(mesh: Mesh, service: str) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    expired = mesh.authority.issue(GATEWAY, HOUR, now=yesterday)
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), expired)


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_a_certificate_from_the_future_is_refused(mesh: Mesh, service: str) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), mesh.authority.issue(GATEWAY, HOUR, now=tomorrow))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", ["stranger", "gatewayx", "gatewa", "gateway/x", "prometheus"])
def test_bar_37_an_identity_that_no_catalog_names_is_refused(
    mesh: Mesh, service: str, name: str
) -> None:
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), mesh.authority.issue(name, HOUR))


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_the_https_certificate_is_no_identity(mesh: Mesh, service: str) -> None:
    server = mesh.authority.issue_server(["localhost"], HOUR)
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), server)


@pytest.mark.parametrize("service", SERVICES)
def test_bar_37_older_tls_is_refused(mesh: Mesh, service: str) -> None:
    issued = mesh.authority.issue(GATEWAY, HOUR)
    with pytest.raises(RefusedError):
        MeshClient(mesh.sidecar_port(service), issued, newest=ssl.TLSVersion.TLSv1_2)


def test_bar_37_callers_refuse_a_service_with_another_identity(mesh: Mesh) -> None:
    """Traffic for blog that ends at auth's sidecar is not sent."""
    path = endpoints_file(mesh.home.endpoints, "blog")
    wrong = render_endpoints("blog", [Endpoint(mesh.sidecar_port("auth"))])
    try:
        write_document(path, wrong)
        wait_until(lambda: mesh.request("GET", "/api/posts").status == 503, "the new endpoint")
        assert [s for s in mesh.apps["auth-0"].seen if s.path != "/internal/readyz"] == []
    finally:
        mesh.publish("blog", [0])
        wait_until(lambda: mesh.request("GET", "/api/posts").status == 200, "the old endpoint")


def paths_to_try() -> list[str]:
    """Every declared path, one below and one beside it, and some that nobody declares."""
    paths = {"/", "/internal", "/internal/readyz", "/internal/metrics", "/internal/livez", "/x"}
    for service in CATALOG:
        matches = [one.match for one in service.routes] + [one.match for one in service.calls]
        for path in [re.sub(r"{\w+}", "7", match.path) for match in matches]:
            paths |= {path, f"{path}/below", f"{path}-beside"}
    return sorted(paths)


def is_allowed(caller: str, service: str, method: str, path: str) -> bool:
    if caller not in (GATEWAY, *SERVICES):
        return False
    return any(
        permission.method == method and permission.match.covers(path)
        for permission in CATALOG.allowed(caller, service)
    )


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("caller", CALLERS)
def test_bar_38_what_is_not_declared_is_denied(mesh: Mesh, caller: str, service: str) -> None:
    """The whole matrix at the callee's port, with the caller's own certificate."""
    issued = mesh.authority.issue(caller, HOUR)
    cells = [(method, path) for method in METHODS for path in paths_to_try()]
    allowed = {cell for cell in cells if is_allowed(caller, service, *cell)}
    if not allowed:
        with pytest.raises(RefusedError):
            MeshClient(mesh.sidecar_port(service), issued)
        return
    with MeshClient(mesh.sidecar_port(service), issued) as client:
        answers = {cell: client.request(*cell) for cell in cells}
    wrong = {c: s for c, s in answers.items() if s != (200 if c in allowed else 403)}
    assert wrong == {}
    seen = {(request.method, request.path) for request in mesh.apps[f"{service}-0"].seen}
    assert seen == allowed


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("caller", SERVICES)
def test_bar_38_an_app_gets_out_only_to_declared_calls(
    mesh: Mesh, caller: str, service: str
) -> None:
    """The whole matrix at the caller's egress socket."""
    for method in METHODS:
        for path in paths_to_try():
            reply = mesh.egress(f"{caller}-0", f"{service}.titanium.internal", method, path)
            expected = 200 if is_allowed(caller, service, method, path) else 403
            assert reply.status == expected, (method, path)
            if expected == 403 and method != "HEAD":
                assert reply.headers["content-type"] == "application/problem+json"
                assert "declared" in reply.json["detail"]


@pytest.mark.parametrize(
    "host", ["gateway.titanium.internal", "example.com", "127.0.0.1", "user.titanium.internal.evil"]
)
def test_bar_38_egress_leads_nowhere_else(mesh: Mesh, host: str) -> None:
    reply = mesh.egress("auth-0", host, "POST", "/internal/credentials/verify")
    assert reply.status == 403
    assert mesh.all_seen() == []


@pytest.mark.parametrize(
    "path",
    [
        "/internal/revocations/../sessions/revoke",
        "/internal/revocations/..%2fsessions/revoke",
        "/internal/revocations/%2e%2e/sessions/revoke",
        "/internal/revocations\\..\\sessions\\revoke",
        "//internal/sessions/revoke",
    ],
)
def test_bar_38_path_tricks_do_not_widen_a_declared_call(mesh: Mesh, path: str) -> None:
    """blog may read auth's revocations, and only read those, at either proxy."""
    host = "auth.titanium.internal"
    assert mesh.egress("blog-0", host, "GET", path).status in (400, 403)
    with MeshClient(mesh.sidecar_port("auth"), mesh.authority.issue("blog", HOUR)) as client:
        assert client.request("GET", path) in (400, 403)
    assert mesh.all_seen() == []


def test_bar_38_sockets_are_for_their_owner_only(mesh: Mesh) -> None:
    for instance in mesh.apps:
        for path in (mesh.home.egress_socket(instance), mesh.home.admin_socket(instance)):
            assert path.stat().st_mode & 0o777 == 0o600
    assert mesh.home.admin_socket(GATEWAY).stat().st_mode & 0o777 == 0o600


LIFETIME = timedelta(seconds=4)


@pytest.fixture
def short_lived() -> Iterator[Mesh]:
    with Mesh(unlimited(), lifetime=LIFETIME) as running:
        yield running


class Load:
    """Traffic of every kind until `stop`; counts what was asked and keeps what failed."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.failures: list[str] = []
        self.counts: Counter[str] = Counter()
        self._done = threading.Event()
        works = (self.kept, self.https, self.egress, self.new_mesh_connections, self.renew)
        self._threads = [threading.Thread(target=self._repeat, args=[work]) for work in works]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(timeout=20)

    def _repeat(self, work: Callable[[], int]) -> None:
        name = work.__name__
        while not self._done.wait(0.02):
            try:
                status = work()
            except Exception as error:  # noqa: BLE001  (any failure counts)
                self.failures.append(f"{name}: {error!r}")
            else:
                self.counts[name] += 1
                if status != 200:
                    self.failures.append(f"{name}: {status}")

    def renew(self) -> int:
        self.counts["renewals"] += bool(self.mesh.authority.renew_due())
        return 200

    def kept(self) -> int:
        """Many requests over one client connection, and thus the same mesh connection."""
        connection = http.client.HTTPConnection(HOST, self.mesh.ports.http, timeout=10)
        statuses = set()
        for _ in range(50):
            connection.request("GET", "/api/posts")
            response = connection.getresponse()
            response.read()
            statuses.add(response.status)
        connection.close()
        return max(statuses)

    def https(self) -> int:
        context = ssl.create_default_context(cafile=str(self.mesh.authority.certificate_file))
        connection = http.client.HTTPSConnection(
            "localhost", self.mesh.ports.https, timeout=10, context=context
        )
        return exchange(connection, "GET", "/api/posts").status

    def egress(self) -> int:
        host = "user.titanium.internal"
        return self.mesh.egress("auth-0", host, "POST", "/internal/credentials/verify").status

    def new_mesh_connections(self) -> int:
        issued = self.mesh.authority.issue(GATEWAY, LIFETIME)
        with MeshClient(self.mesh.sidecar_port("blog"), issued) as client:
            return client.request("GET", "/api/posts")


def test_bar_39_certificates_are_renewed_under_load_without_a_failure(short_lived: Mesh) -> None:
    """Three lifetimes of traffic over kept and new connections, http, https, egress, mesh."""
    load = Load(short_lived)
    load.start()
    time.sleep(3.2 * LIFETIME.total_seconds())
    load.stop()
    assert load.failures == []
    assert load.counts["renewals"] >= 4
    assert all(load.counts[kind] > 30 for kind in ("kept", "https", "egress")), load.counts
    assert load.counts["new_mesh_connections"] > 30, load.counts


def test_bar_39_a_connection_made_after_renewal_shows_the_new_certificate(
    short_lived: Mesh,
) -> None:
    mesh = short_lived
    issued = mesh.authority.issue(GATEWAY, HOUR)
    with MeshClient(mesh.sidecar_port("auth"), issued) as client:
        first = client.certificate
    time.sleep(LIFETIME.total_seconds() / 2)
    assert mesh.authority.renew_due()

    def changed() -> bool:
        with MeshClient(mesh.sidecar_port("auth"), issued) as client:
            return client.certificate != first

    wait_until(changed, "the new certificate", 2)


def test_declared_paths_are_whole_segments() -> None:
    """Keeps the matrix honest: the expectation itself is not a string prefix."""
    assert not Match("/api/posts", exact=False).covers("/api/posts-beside")
