"""Where everything of one local run lies: its state folder and its ports.

Pure path arithmetic: nothing here touches the disk or the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
GATEWAY = "gateway"
# Ports of one service's sidecars are ten apart; the tenth is for a replica that stands in
# while the only one restarts.
MAX_REPLICAS = 9


def tools_folder(root: Path) -> Path:
    """Where a checkout keeps programs that were taken out of Debian packages."""
    return root / ".venv" / "debian"


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports of one run, all on loopback.

    `base` None is the documented default layout; with `--port-base N` everything
    follows N, so that two runs live side by side.
    """

    base: int | None = None

    @property
    def http(self) -> int:
        return 8080 if self.base is None else self.base

    @property
    def https(self) -> int:
        return 8443 if self.base is None else self.base + 1

    @property
    def console(self) -> int:
        return 9900 if self.base is None else self.base + 2

    @property
    def prometheus(self) -> int:
        return 9090 if self.base is None else self.base + 3

    @property
    def alertmanager(self) -> int:
        return 9093 if self.base is None else self.base + 4

    @property
    def exporter(self) -> int:
        return 9901 if self.base is None else self.base + 5

    def sidecar(self, service_index: int, replica: int) -> int:
        """Inbound port of one sidecar; `service_index` counts services in name order."""
        first = 15000 if self.base is None else self.base + 10
        return first + 10 * service_index + replica


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder (`--home`): one run's data, logs, sockets, certificates and secrets.

    `sockets` replaces `run/` as the folder of Unix sockets when `root` is too deep for
    their 107 bytes (`titanium.state.open_home` decides and links it from `run`).
    """

    root: Path
    sockets: Path | None = None

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def reports(self) -> Path:
        """HTML pages of load tests."""
        return self.root / "reports"

    @property
    def run(self) -> Path:
        return self.sockets or self.root / "run"

    @property
    def certs(self) -> Path:
        return self.root / "certs"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def tools(self) -> Path:
        return self.root / "tools"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def endpoints(self) -> Path:
        """Filesystem EDS: one file a service, shared by every Envoy of the run."""
        return self.config / "eds"

    @property
    def version(self) -> Path:
        """Format of this state folder, one integer."""
        return self.root / "version"

    @property
    def lock(self) -> Path:
        """Held (flock) by the one supervisor of this folder."""
        return self.root / "lock"

    @property
    def record(self) -> Path:
        """What runs: pid, start time and configuration hash of every process."""
        return self.root / "processes.json"

    @property
    def options(self) -> Path:
        """Options of the last `titanium up`, which the next one takes as defaults."""
        return self.root / "options.json"

    @property
    def seeded(self) -> Path:
        """Exists once the demo content was offered to this run's database."""
        return self.data / "seeded"

    @property
    def control_socket(self) -> Path:
        return self.run / "supervisor.sock"

    @property
    def postgres_data(self) -> Path:
        return self.data / "postgres"

    @property
    def postgres_sockets(self) -> Path:
        return self.run / "postgres"

    @property
    def postgres_socket(self) -> Path:
        return self.postgres_sockets / ".s.PGSQL.5432"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis" / "redis.sock"

    def secret(self, owner: str, name: str) -> Path:
        """A file with one secret; `owner` is a service, `postgres` or `redis`."""
        return self.secrets / owner / name

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def app_socket(self, instance: str) -> Path:
        return self.run / instance / "app.sock"

    def egress_socket(self, instance: str) -> Path:
        return self.run / instance / "egress.sock"

    @property
    def otlp_socket(self) -> Path:
        """Where the console receives spans: OTLP/HTTP, POST /v1/traces."""
        return self.run / "console" / "otlp.sock"

    @property
    def traced_socket(self) -> Path:
        """The gateway's own way round for requests that are traced."""
        return self.run / GATEWAY / "traced.sock"

    def admin_socket(self, instance: str) -> Path:
        return self.run / instance / "admin.sock"

    def bootstrap(self, instance: str) -> Path:
        return self.config / instance / "bootstrap.json"
