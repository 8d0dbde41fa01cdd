"""Finds what a database node runs: Debian's packages, unpacked beside our environment."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT
from titanium import debian
from titanium.errors import TitaniumError
from titanium.layout import tools_folder
from titanium.provision.account import database_prefix

PYTHON = "/usr/bin/python3"
# The packages that user data installs, and those that they need and a machine may lack.
PACKAGES = (
    "patroni",
    "etcd-server",
    "etcd-client",
    "pgbackrest",
    "python3-etcd",
    "python3-idna",
    "python3-psycopg2",
    "python3-click",
    "python3-dateutil",
    "python3-prettytable",
    "python3-psutil",
    "python3-urllib3",
    "python3-cdiff",
    "python3-dnspython",
    "python3-six",
    "python3-wcwidth",
    "python3-yaml",
    "python3-pkg-resources",
)
# With the libraries that a minimal system lacks.
PROXY = ("haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")
POSTGRES = ("postgresql-15", "postgresql-client-15", "libpq5")


class MissingError(Exception):
    """What a cluster needs and this machine lacks, in one line."""


@dataclass(frozen=True)
class Programs:
    """`environment` lets the unpacked programs find their libraries and modules."""

    tree: Path
    haproxy: str
    postgres_bin: Path
    environment: dict[str, str]

    @property
    def patroni(self) -> tuple[str, ...]:
        return PYTHON, str(self.tree / "usr/bin/patroni")

    @property
    def patronictl(self) -> tuple[str, ...]:
        return PYTHON, str(self.tree / "usr/bin/patronictl")

    @property
    def etcd(self) -> str:
        return str(self.tree / "usr/bin/etcd")

    @property
    def etcdctl(self) -> str:
        return str(self.tree / "usr/bin/etcdctl")

    @property
    def pgbackrest(self) -> str:
        return str(self.tree / "usr/bin/pgbackrest")

    def account(self, folder: Path) -> tuple[tuple[str, ...], str]:
        """Words before a command that drop root, and the account's name then; gives it `folder`."""
        prefix = database_prefix(self.postgres_bin / "postgres", (folder,))
        if not prefix:
            return (), getpass.getuser()
        name = subprocess.run(
            [*prefix, "id", "-un"], capture_output=True, text=True, check=True
        ).stdout
        return prefix, name.strip()


def find_programs() -> Programs:
    """MissingError says what is not there and could not be fetched."""
    for name in ("openssl", "curl", PYTHON):
        if shutil.which(name) is None:
            raise MissingError(f"{name} is not installed")
    try:
        tree = debian.fetch(PACKAGES, tools_folder(ROOT), within=120)
        proxy = debian.fetch(PROXY, tools_folder(ROOT), within=120)
        postgres, environment = _postgres()
    except TitaniumError as error:
        raise MissingError(str(error)) from None
    libraries = [*proxy.environment().values(), *environment.values()]
    environment |= {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PYTHONPATH": str(tree.root / "usr/lib/python3/dist-packages"),
        "PATH": f"{postgres}:{os.environ['PATH']}",
    }
    found = Programs(tree.root, str(proxy.root / "usr/sbin/haproxy"), postgres, environment)
    commands = ([*found.patroni, "--version"], [found.etcd, "--version"], [found.haproxy, "-v"])
    for command in commands:
        _must_run(command, environment)
    # psycopg2 is compiled for Debian's own Python.
    _must_run([PYTHON, "-c", "import psycopg2, yaml, dateutil"], environment)
    _must_run([found.pgbackrest, "version"], environment)
    return found


def _postgres() -> tuple[Path, dict[str, str]]:
    installed = Path("/usr/lib/postgresql/15/bin")
    if (installed / "initdb").exists():
        return installed, {}
    tree = debian.fetch(POSTGRES, tools_folder(ROOT), within=120)
    return tree.root / "usr/lib/postgresql/15/bin", tree.environment()


def _must_run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise MissingError(
            f"{command[-2]} does not run here: {lines[-1] if lines else 'no reason'}"
        )
