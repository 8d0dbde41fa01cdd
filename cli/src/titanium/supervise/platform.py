"""The platform of this checkout in one state folder: reads what people wrote, writes what the
processes read, and says what is to run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from titanium import declared
from titanium.catalog import Catalog, load_catalog
from titanium.errors import StateError, UsageError
from titanium.files import write_if_changed
from titanium.layout import GATEWAY, HOST, Home, Ports
from titanium.mesh import (
    Bench,
    CertificateAuthority,
    Edge,
    Endpoint,
    Policy,
    endpoints_file,
    load_edge,
    load_policy,
    local_gateway,
    local_sidecar,
    render_endpoints,
    render_gateway,
    render_sidecar,
    write_document,
)
from titanium.observe.observability import Observability
from titanium.observe.processes import EXPORTER
from titanium.provision import postgres, redis
from titanium.provision.account import database_prefix
from titanium.provision.cluster import clear_remains, create_cluster, major_version
from titanium.provision.secret_files import secret
from titanium.reference.published import read_published
from titanium.state import Options
from titanium.supervise.plan import (
    POSTGRES,
    REDIS,
    ServiceNeeds,
    Surroundings,
    app_process,
    build_plan,
    sidecar_process,
)
from titanium.supervise.spec import Plan, ProcessSpec
from titanium.tools import find_tools

LIFETIME = timedelta(hours=24)
# Given on to the apps when set, as part of their configuration.
_PASSED_ON = ("OTEL_",)
# The service whose sidecar answers for the benchmark.
_BENCHED = "blog"


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything that was read and checked before anything starts."""

    root: Path
    catalog: Catalog
    policy: Policy
    edge: Edge
    around: Surroundings
    options: Options
    observability: Observability | None = None

    @property
    def home(self) -> Home:
        return self.around.home

    @property
    def services(self) -> dict[str, ServiceNeeds]:
        return {
            service.name: ServiceNeeds(
                service.name, index, service.app, service.needs.postgres, service.needs.redis
            )
            for index, service in enumerate(self.catalog)
        }

    @classmethod
    def load(cls, root: Path, home: Home, options: Options) -> Platform:
        """Read catalog, policy and tools; ConfigurationError, UsageError or ToolMissingError."""
        catalog = load_catalog(root)
        policy = (
            declared.read(Path(options.policy), Policy) if options.policy else load_policy(root)
        )
        policy.check(catalog)
        unknown = sorted(set(options.replicas) - set(catalog.names))
        if unknown:
            raise UsageError(
                f"--replicas: there is no service {unknown[0]}",
                f"Services are: {', '.join(catalog.names)}.",
            )
        ports = Ports(options.port_base)
        variables = _variables(home, observed=options.observability)
        around = Surroundings(home, ports, find_tools(), variables=variables)
        observed = Observability.load(root, home, ports) if options.observability else None
        return cls(root, catalog, policy, load_edge(root), around, options, observed)

    def prepare(self) -> Platform:
        """Write secrets, certificates and configuration; make the database's data folder.

        Returns the platform with what was found out on the way. StateError when the disk
        does not play along.
        """
        try:
            return self._prepare()
        except OSError as error:
            raise StateError(
                f"cannot write {error.filename or self.home.root}: {error.strerror}",
                "Free space, or correct the folder's permissions.",
            ) from None

    def plan(self) -> Plan:
        observers = self.observability.processes() if self.observability else ()
        return build_plan(self.around, self.services, self.options.replicas, observers)

    def instance(self, service: str, replica: int) -> tuple[ProcessSpec, ProcessSpec]:
        """App and sidecar of one replica, with the sidecar's configuration written."""
        self._write_sidecar(service, replica)
        needs = self.services[service]
        return (
            app_process(self.around, needs, replica),
            sidecar_process(self.around, needs, replica),
        )

    def publish(self, service: str, replicas: Iterable[int]) -> None:
        """Tell every proxy which replicas may be called."""
        index = self.services[service].index
        document = render_endpoints(
            service, [Endpoint(port=self.around.ports.sidecar(index, r)) for r in replicas]
        )
        write_document(endpoints_file(self.home.endpoints, service), document)

    async def clear_remains(self, spec: ProcessSpec) -> None:
        if spec.kind == "postgres":
            await clear_remains(self.home.postgres_data, self.home.postgres_sockets)

    def renew_certificates(self) -> tuple[str, ...]:
        """Issue every certificate that is missing, damaged or due; the names of those."""
        authority = CertificateAuthority.open(self.home.certs, lifetime=LIFETIME)
        return authority.ensure((*self.catalog.names, GATEWAY), server=("localhost", HOST))

    def _prepare(self) -> Platform:
        home = self.home
        for folder in (GATEWAY, POSTGRES, REDIS):
            (home.run / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        passwords = self._write_secrets()
        self._write_postgres(passwords)
        self._write_redis()
        self.renew_certificates()
        for service in self.catalog.names:
            for replica in range(self.options.replicas.get(service, 1)):
                self._write_sidecar(service, replica)
        self._write_gateway()
        if self.observability is not None:
            self.observability.prepare()
        prefix = database_prefix(
            self.around.tools.postgres_bin / "postgres", (home.data, home.postgres_sockets)
        )
        create_cluster(
            self.around.tools.postgres_bin,
            home.postgres_data,
            home.secret(POSTGRES, "password"),
            prefix,
        )
        return replace(self, around=replace(self.around, database_prefix=prefix))

    def _write_secrets(self) -> list[postgres.Database]:
        home = self.home
        password = secret(home.secret(POSTGRES, "password"))
        write_if_changed(home.secret(POSTGRES, "pgpass"), postgres.password_file(password))
        secret(home.secret(REDIS, "password"))
        databases = []
        for service in self.services.values():
            secret(home.secret(service.name, "key_encryption_key"))
            if service.redis:
                secret(home.secret(service.name, "redis_password"))
            if service.database is not None:
                databases.append(
                    postgres.Database(
                        service.database,
                        secret(home.secret(service.name, "database_password")),
                        secret(home.secret(service.name, "database_owner_password")),
                    )
                )
        return databases

    def _write_postgres(self, databases: list[postgres.Database]) -> None:
        folder = self.home.config / POSTGRES
        hba = folder / "pg_hba.conf"
        write_if_changed(hba, postgres.client_authentication())
        version = major_version(self.around.tools.postgres_bin)
        text = postgres.configuration(self.home, hba, version)
        write_if_changed(folder / "postgresql.conf", text)
        monitor = secret(self.home.secret(EXPORTER, "database_password"))
        write_if_changed(folder / "provision.sql", postgres.provision_sql(databases, monitor))

    def _write_redis(self) -> None:
        home, folder = self.home, self.home.config / REDIS
        acl = folder / "users.acl"
        passwords = {
            service.name: secret(home.secret(service.name, "redis_password"))
            for service in self.services.values()
            if service.redis
        }
        admin = secret(home.secret(REDIS, "password"))
        monitor = secret(home.secret(EXPORTER, "redis_password"))
        write_if_changed(acl, redis.users(passwords, admin, monitor))
        write_if_changed(folder / "redis.conf", redis.configuration(home, acl))

    def _write_sidecar(self, service: str, replica: int) -> None:
        home = self.home
        instance = f"{service}-{replica}"
        (home.run / instance).mkdir(mode=0o700, parents=True, exist_ok=True)
        topology = local_sidecar(
            home,
            self.around.ports,
            self.catalog.names,
            service,
            replica,
            bench=self._bench,
            observability=self.observability is not None,
        )
        write_document(
            home.bootstrap(instance), render_sidecar(self.catalog, self.policy, service, topology)
        )

    @property
    def _bench(self) -> Bench | None:
        return Bench(_BENCHED) if self.options.bench else None

    def _write_gateway(self) -> None:
        home = self.home
        folder = home.config / GATEWAY
        reference = read_published(self.root)
        write_if_changed(folder / "openapi.json", reference.openapi)
        write_if_changed(folder / "docs.html", reference.page)
        observed = self.observability
        topology = local_gateway(
            home,
            self.around.ports,
            docs_style=reference.style,
            bench=self._bench,
            observability=observed is not None,
            trace_token=secret(observed.token) if observed else None,
        )
        write_document(
            home.bootstrap(GATEWAY),
            render_gateway(self.catalog, self.policy, self.edge, topology),
        )


def _variables(home: Home, *, observed: bool) -> dict[str, str]:
    """The console receives the apps' spans, unless this environment names somebody else."""
    given = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    return (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f"unix://{home.otlp_socket}", **given}
        if observed
        else given
    )
