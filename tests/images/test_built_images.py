"""Built images work as they will in a cluster: read-only, without rights, as process 1.

Slow for a test (about two minutes): a base is made from Debian packages first.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from conftest import PostgresServer
from tests.images import material, sandbox
from tests.images.builder import Builder, Image, UnavailableError, find_builder
from tests.images.relay import relay
from tests.support import ROOT, free_port_base, wait_until
from titanium.catalog import load_catalog
from titanium.tools import find_envoy

SERVICES = load_catalog(ROOT).names
STOP_SECONDS = 15
# Above what is there today (MiB, uncompressed, without the base), so that growth is noticed.
LARGEST = 130

pytestmark = pytest.mark.integration


class Images:
    """Builds each image once, when a test first asks for it."""

    def __init__(self, builder: Builder, bases: Mapping[str, str], pip_conf: Path) -> None:
        self._builder, self._bases, self._pip_conf = builder, bases, pip_conf
        self._made: dict[str, Image] = {}

    def __getitem__(self, name: str) -> Image:
        if name not in self._made:
            base = self._bases.get(name, self._bases["python"])
            dockerfile = f"services/{name}/Dockerfile"
            self._made[name] = self._builder.build(dockerfile, base, self._pip_conf)
        return self._made[name]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """Skips, with the reason, where images cannot be built or run."""
    folder = tmp_path_factory.mktemp("images")
    folder.chmod(0o755)
    wheels = folder / "wheels"
    wheels.mkdir()
    builder = None
    if not sandbox.can_enter():
        pytest.skip("an image's files are run in namespaces, which needs root")
    try:
        builder = find_builder(folder)
        archive = material.debian_base(folder / "base.tar")
        material.fetch_wheels(SERVICES, archive, wheels)
        bases = {"python": builder.base(archive, "python")}
        edge = material.with_program(archive, find_envoy(), "/usr/local/bin/envoy")
        bases["gateway"] = builder.base(edge, "envoy")
        archive.unlink()
        edge.unlink()
        with material.served(wheels) as pip_conf:
            yield Images(builder, bases, pip_conf)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    finally:
        if builder is not None:
            builder.close()


@contextmanager
def reachable(postgres: PostgresServer, service: str, folder: Path) -> Iterator[dict[str, str]]:
    """Settings of `service` as in the cluster, with a database of its own; secrets in `folder`."""
    database = asyncio.run(postgres.create_database())
    name = database.name
    folder.mkdir(mode=0o755)
    values = {
        "database_password": database.password,
        "database_owner_password": database.password,
        "key_encryption_key": secrets.token_urlsafe(32),
    }
    for key, value in values.items():
        (folder / key).write_text(value)
        (folder / key).chmod(0o444)
    with relay(str(postgres.folder / ".s.PGSQL.5432")) as server:
        url = f"postgresql://titanium@127.0.0.1:{server.port}/{name}"
        yield {
            "INSTANCE": f"{service}-0",
            "ENVIRONMENT": "production",
            "SECRETS_DIR": "/run/secrets/titanium",
            "DATABASE_URL": url,
            "DATABASE_OWNER_URL": url,
            "HASH_THREADS": "2",
        }


def status(port: int, path: str) -> int:
    """0 when nobody answers."""
    try:
        url = f"http://127.0.0.1:{port}{path}"
        return httpx2.get(url, trust_env=False, timeout=5).status_code
    except httpx2.HTTPError:
        return 0


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_image_migrates_serves_and_stops(
    images: Images, postgres: PostgresServer, tmp_path: Path, service: str
) -> None:
    image, keys, port = images[service], tmp_path / "secrets", free_port_base()
    with reachable(postgres, service, keys) as settings:
        for expected in ("empty -> ", "at "):  # as two replicas that start one after the other
            log = tmp_path / "migration.log"
            command = ["titanium-migrate"]
            with sandbox.started(image, log, command, settings, keys) as migration:
                assert migration.process.wait(60) == 0, migration.text()
            assert f"titanium_{service}: {expected}" in log.read_text()
        environment = {**settings, "BIND": f"tcp:0.0.0.0:{port}"}
        with sandbox.started(image, tmp_path / "log", (), environment, keys) as app:
            wait_until(lambda: status(port, "/internal/livez") == 200, 30, "the server's start")
            wait_until(lambda: status(port, "/internal/readyz") == 200, 10, app.text())
            began = time.monotonic()
            assert app.terminate(STOP_SECONDS) == 0, app.text()
            assert time.monotonic() - began < STOP_SECONDS
        lines = [json.loads(line) for line in app.text().splitlines()]
        assert {line["service"] for line in lines} == {service}
        assert [line for line in lines if line["level"] in ("error", "critical")] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_image_has_its_code_and_nothing_to_build_with(
    images: Images, service: str
) -> None:
    files = images[service].files
    own = files / "opt" / "titanium"
    found = list(own.rglob("*"))
    assert own / "lib" / f"titanium_{service}" / "main.py" in found
    others = [name for name in SERVICES if name != service]
    assert not any((own / "lib" / f"titanium_{name}").exists() for name in others)
    assert not [path for path in found if path.name == "tests" and path.is_dir()]
    assert not [path for path in found if path.suffix in (".c", ".pyx", ".h", ".whl")]
    assert not (own / "lib" / "pip").exists()
    # Compiled, since the root file system is read-only; read by anybody, written by root alone.
    assert list((own / "lib" / f"titanium_{service}").glob("__pycache__/main.*.pyc"))
    modes = [path.stat() for path in found if not path.is_symlink()]
    assert all(one.st_uid == 0 and one.st_mode & 0o022 == 0 for one in modes)
    assert all(one.st_mode & 0o004 for one in modes)
    for left in ("etc/pip.conf", "build", "root/.cache", "run/secrets/pip"):
        path = files / left
        assert not path.exists() or path.stat().st_size == 0, left
    mebibytes = sum(one.st_size for one in modes) / 2**20
    print(f"{service}: {mebibytes:.0f} MiB besides the base")
    assert mebibytes < LARGEST


def test_the_gateways_image_serves_metrics_and_stops(images: Images, tmp_path: Path) -> None:
    with sandbox.started(images["gateway"], tmp_path / "log", own_network=True) as edge:
        wait_until(lambda: edge.status(9902, "/ready") == 200, 30, f"start; see {edge.output}")
        assert edge.status(9902, "/stats/prometheus") == 200
        assert edge.status(9902, "/config_dump") == 404
        assert edge.status(8080, "/api/docs") == 200
        assert edge.status(8080, "/health") == 503  # no service here
        assert edge.terminate(STOP_SECONDS) == 0, edge.text()
    lines = [json.loads(line) for line in edge.text().splitlines()]
    assert "/api/docs" in [line["path"] for line in lines if line["event"] == "request"]
