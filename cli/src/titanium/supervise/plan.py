"""The plan of a run: which processes, with which command lines, in which order.

Pure: names, paths and ports in, specs out. Nothing here touches the disk.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from titanium.layout import GATEWAY, HOST, Home, Ports
from titanium.mesh import envoy_arguments
from titanium.supervise.spec import (
    HttpProbe,
    Kind,
    Plan,
    PostgresProbe,
    ProcessSpec,
    RedisProbe,
    TaskSpec,
)
from titanium.tools import Tools

POSTGRES, REDIS, PROVISION = "postgres", "redis", "provision"
# -P keeps the working folder out of the module path.
PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True, slots=True)
class ServiceNeeds:
    """What the plan has to know of one service of the catalog.

    `package` is its import package; `database` is None for a service without one.
    """

    name: str
    index: int
    app: str
    database: str | None
    redis: bool

    @property
    def package(self) -> str:
        return self.app.partition(".")[0].partition(":")[0]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that plans depend on besides the services.

    `database_prefix` goes before PostgreSQL's command line (see provision.account);
    `variables` are added to every app's environment.
    """

    home: Home
    ports: Ports
    tools: Tools
    database_prefix: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def postgres_process(around: Surroundings) -> ProcessSpec:
    home = around.home
    configuration = home.config / POSTGRES / "postgresql.conf"
    return ProcessSpec(
        name=POSTGRES,
        kind="postgres",
        argv=(
            *around.database_prefix,
            str(around.tools.postgres_bin / "postgres"),
            "-D",
            str(home.postgres_data),
            "-c",
            f"config_file={configuration}",
        ),
        folder=home.postgres_data,
        log=home.log(POSTGRES),
        probe=PostgresProbe(home.postgres_socket),
        inputs=(configuration, configuration.with_name("pg_hba.conf")),
        address=str(home.postgres_sockets),
        stop_signal=signal.SIGINT,
        stop_within=20.0,
        ready_within=60.0,
        hint=(
            f"If its data is damaged, restore {home.postgres_data} from a backup, or start anew "
            "with an empty database: titanium reset."
        ),
    )


def redis_process(around: Surroundings) -> ProcessSpec:
    home = around.home
    configuration = home.config / REDIS / "redis.conf"
    return ProcessSpec(
        name=REDIS,
        kind="redis",
        argv=(str(around.tools.redis_server), str(configuration)),
        folder=home.data / REDIS,
        log=home.log(REDIS),
        probe=RedisProbe(home.redis_socket),
        liveness=RedisProbe(home.redis_socket),
        inputs=(configuration, configuration.with_name("users.acl")),
        sockets=(home.redis_socket,),
        address=str(home.redis_socket),
        stop_within=5.0,
    )


def provision_task(around: Surroundings) -> TaskSpec:
    """Roles, databases and privileges, by psql."""
    home = around.home
    script = home.config / POSTGRES / "provision.sql"
    return TaskSpec(
        name=PROVISION,
        argv=(
            str(around.tools.postgres_bin / "psql"),
            "--no-psqlrc",
            "--no-password",
            "--quiet",
            f"--host={home.postgres_sockets}",
            "--username=titanium",
            "--dbname=postgres",
            f"--file={script}",
        ),
        folder=home.config / POSTGRES,
        log=home.log(PROVISION),
        env={"PGPASSFILE": str(home.secret(POSTGRES, "pgpass"))},
        needs=(POSTGRES,),
        timeout=60.0,
        hint=(
            f"{home.postgres_data} may be damaged, or {home.secrets} may belong to other data: "
            "restore both from one backup, or start anew with an empty database: titanium reset."
        ),
    )


def instance_name(service: str, replica: int) -> str:
    return f"{service}-{replica}"


def migration_name(service: str) -> str:
    return f"migrate-{service}"


def app_environment(around: Surroundings, service: ServiceNeeds, instance: str) -> dict[str, str]:
    """The same names as in Kubernetes; secrets are files in SECRETS_DIR, never variables."""
    home = around.home
    env = {
        "SERVICE": service.name,
        "INSTANCE": instance,
        "BIND": f"unix:{home.app_socket(instance)}",
        "ENVIRONMENT": "production",
        "LOG_LEVEL": "info",
        "SECRETS_DIR": str(home.secrets / service.name),
        "EGRESS": f"unix:{home.egress_socket(instance)}",
        "PUBLIC_URL": f"http://{HOST}:{around.ports.http}",
        **around.variables,
    }
    if service.database is not None:
        base = f"@/{service.database}?host={quote(str(home.postgres_sockets))}"
        env["DATABASE_URL"] = f"postgresql://{service.database}{base}"
        env["DATABASE_OWNER_URL"] = f"postgresql://{service.database}_owner{base}"
    if service.redis:
        env["REDIS_URL"] = f"unix://{quote(str(home.redis_socket))}?username={service.name}&db=0"
    return env


def migration_task(around: Surroundings, service: ServiceNeeds) -> TaskSpec:
    name = migration_name(service.name)
    return TaskSpec(
        name=name,
        argv=(*PYTHON, "titanium_kit.migrate", service.package),
        folder=around.home.config,
        log=around.home.log(name),
        env=app_environment(around, service, name),
        needs=(PROVISION,),
    )


def admin_task(around: Surroundings, service: ServiceNeeds, *words: str) -> TaskSpec:
    """A command of the service's own `admin` module, run on its database."""
    name = f"{service.name}-admin"
    return TaskSpec(
        name=name,
        argv=(*PYTHON, f"{service.package}.admin", *words),
        folder=around.home.config,
        log=around.home.log(name),
        env=app_environment(around, service, name),
        needs=(),
    )


def app_process(around: Surroundings, service: ServiceNeeds, replica: int) -> ProcessSpec:
    home = around.home
    instance = instance_name(service.name, replica)
    needs = [migration_name(service.name)] if service.database is not None else []
    if service.database is not None:
        needs.append(POSTGRES)
    if service.redis:
        needs.append(REDIS)
    socket = home.app_socket(instance)
    return ProcessSpec(
        name=instance,
        kind="app",
        argv=(*PYTHON, "titanium_kit.server", service.app),
        folder=home.run / instance,
        log=home.log(instance),
        probe=HttpProbe("/internal/readyz", socket=socket),
        liveness=HttpProbe("/internal/livez", socket=socket),
        env=app_environment(around, service, instance),
        needs=tuple(needs),
        service=service.name,
        replica=replica,
        address=str(socket),
        sockets=(socket,),
        ready_within=60.0,
        stop_within=15.0,
    )


def sidecar_process(around: Surroundings, service: ServiceNeeds, replica: int) -> ProcessSpec:
    home = around.home
    instance = instance_name(service.name, replica)
    port = around.ports.sidecar(service.index, replica)
    return _envoy(
        around,
        f"{instance}-sidecar",
        instance,
        kind="sidecar",
        service=service.name,
        replica=replica,
        address=f"{HOST}:{port}",
        ports=(port,),
        sockets=(home.egress_socket(instance), home.admin_socket(instance)),
    )


def gateway_process(around: Surroundings, needs: tuple[str, ...]) -> ProcessSpec:
    """The last to start: its readiness is that of the whole platform."""
    ports = around.ports
    return _envoy(
        around,
        GATEWAY,
        GATEWAY,
        kind="gateway",
        needs=needs,
        address=f"http://{HOST}:{ports.http}",
        ports=(ports.http, ports.https),
        sockets=(around.home.admin_socket(GATEWAY),),
        probe=HttpProbe("/health", port=ports.http),
        inputs=tuple(around.home.config / GATEWAY / name for name in ("openapi.json", "docs.html")),
    )


def build_plan(
    around: Surroundings,
    services: Mapping[str, ServiceNeeds],
    replicas: Mapping[str, int],
    observers: tuple[ProcessSpec, ...] = (),
) -> Plan:
    """The whole platform; `replicas` defaults to one of each service."""
    processes = [postgres_process(around), redis_process(around)]
    tasks = [provision_task(around)]
    instances: list[ProcessSpec] = []
    for service in services.values():
        if service.database is not None:
            tasks.append(migration_task(around, service))
        for replica in range(replicas.get(service.name, 1)):
            instances.append(app_process(around, service, replica))
            instances.append(sidecar_process(around, service, replica))
    gateway = gateway_process(around, tuple(spec.name for spec in instances))
    return Plan((*processes, *instances, gateway, *observers), tuple(tasks))


def _envoy(
    around: Surroundings,
    name: str,
    instance: str,
    *,
    kind: Kind,
    address: str,
    ports: tuple[int, ...],
    sockets: tuple[Path, ...],
    service: str = "",
    replica: int = 0,
    needs: tuple[str, ...] = (),
    probe: HttpProbe | None = None,
    inputs: tuple[Path, ...] = (),
) -> ProcessSpec:
    home = around.home
    bootstrap = home.bootstrap(instance)
    alive = HttpProbe("/ready", socket=home.admin_socket(instance))
    return ProcessSpec(
        name=name,
        kind=kind,
        argv=tuple(envoy_arguments(around.tools.envoy, bootstrap, name)),
        folder=home.run / instance,
        log=home.log(name),
        probe=probe or alive,
        liveness=alive,
        needs=needs,
        inputs=(bootstrap, *inputs),
        service=service,
        replica=replica,
        address=address,
        ports=ports,
        sockets=sockets,
        stop_within=5.0,
    )
