"""How a database node gets its certificates and passwords, with a stand-in for AWS."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.terraform.patroni.render import NODE_MODULE

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]
PROGRAM = NODE_MODULE / "files/identity.py"
STAND_IN = Path(__file__).parent / "patroni"


def configure(folder: Path, number: int) -> Path:
    """The configuration that the module renders for one node."""
    node = {
        "address": f"10.0.20.{number}",
        "cluster": "titanium",
        "name": f"titanium-{number}",
        "region": "ap-northeast-2",
        "cluster_secret": "titanium-postgres-nodes",
        "client_secret": "titanium-postgres",
        "names": [f"titanium-{number}", "postgres.titanium.internal"],
        "folder": str(folder / f"node-{number}"),
        "owners": {"etcd": None, "node": None},  # whoever runs this
        "secrets": str(folder / f"node-{number}/secrets.env"),
    }
    path = folder / f"node-{number}.json"
    path.write_text(json.dumps(node))
    return path


def run(path: Path, store: Path, programs: Path = STAND_IN) -> subprocess.CompletedProcess[str]:
    store.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(path)],
        env=os.environ
        | {"PATH": f"{programs}:{os.environ['PATH']}", "TITANIUM_TEST_SECRETS": str(store)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_of_nodes_that_race_one_makes_the_authority(tmp_path: Path) -> None:
    paths = [configure(tmp_path, number) for number in range(1, 6)]
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda path: run(path, tmp_path / "store"), paths))
    assert [result.returncode for result in done] == [0] * 5, [r.stderr for r in done]
    assert len({(tmp_path / f"node-{n}/ca.crt").read_text() for n in range(1, 6)}) == 1
    assert len({(tmp_path / f"node-{n}/secrets.env").read_text() for n in range(1, 6)}) == 1


def test_certificates_are_the_authoritys_and_name_the_node(tmp_path: Path) -> None:
    assert run(configure(tmp_path, 1), tmp_path / "store").returncode == 0
    folder = tmp_path / "node-1"
    for name in ("node", "etcd"):
        openssl("verify", "-CAfile", str(folder / "ca.crt"), str(folder / f"{name}.crt"))
        text = openssl("x509", "-noout", "-text", "-in", str(folder / f"{name}.crt"))
        assert "IP Address:10.0.20.1" in text
        assert "DNS:postgres.titanium.internal" in text
        assert "CA:FALSE" in text


def test_keys_and_passwords_are_for_their_owner_alone(tmp_path: Path) -> None:
    assert run(configure(tmp_path, 1), tmp_path / "store").returncode == 0
    for name in ("node.key", "etcd.key", "secrets.env"):
        assert stat.S_IMODE((tmp_path / "node-1" / name).stat().st_mode) == 0o600


def test_clients_get_neither_the_authoritys_key_nor_inner_passwords(tmp_path: Path) -> None:
    assert run(configure(tmp_path, 1), tmp_path / "store").returncode == 0
    client = json.loads((tmp_path / "store/titanium-postgres").read_text())
    assert set(client) == {"monitor_password", "ca_certificate"}


def test_a_second_start_changes_nothing_and_asks_nobody(tmp_path: Path) -> None:
    path = configure(tmp_path, 1)
    run(path, tmp_path / "store")
    before = (tmp_path / "node-1/node.crt").read_text()
    shutil.rmtree(tmp_path / "store")  # Secrets Manager is out of reach
    assert run(path, tmp_path / "store").returncode == 0
    assert (tmp_path / "node-1/node.crt").read_text() == before


def test_a_certificate_near_its_end_is_renewed_by_the_same_authority(tmp_path: Path) -> None:
    path, folder = configure(tmp_path, 1), tmp_path / "node-1"
    run(path, tmp_path / "store")
    authority = (folder / "ca.crt").read_text()
    openssl("req", "-x509", "-key", str(folder / "node.key"), "-days", "20", "-subj", "/CN=old",
            "-out", str(folder / "node.crt"))  # fmt: skip
    assert run(path, tmp_path / "store").returncode == 0
    assert (folder / "ca.crt").read_text() == authority
    openssl("verify", "-CAfile", str(folder / "ca.crt"), str(folder / "node.crt"))
    openssl("x509", "-checkend", str(80 * 86400), "-noout", "-in", str(folder / "node.crt"))


@pytest.mark.parametrize("reason", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_refusal_is_one_line_and_a_status(tmp_path: Path, reason: str) -> None:
    refusing = tmp_path / "bin"
    refusing.mkdir()
    (refusing / "aws").write_text(f"#!/bin/sh\necho 'An error occurred ({reason})' >&2\nexit 254\n")
    (refusing / "aws").chmod(0o755)
    done = run(configure(tmp_path, 1), tmp_path / "store", refusing)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    done = run(tmp_path / "missing.json", tmp_path / "store")
    assert done.returncode == 1
    assert done.stderr.startswith("titanium-database-identity: cannot read")
    assert done.stderr.count("\n") == 1
