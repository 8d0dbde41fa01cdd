"""The optional processes of a run that watch the others. Pure: nothing here touches the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from titanium.layout import HOST, Home, Ports
from titanium.observe.configuration import USER, password
from titanium.supervise.plan import PROVISION, PYTHON
from titanium.supervise.spec import HttpProbe, Kind, ProcessSpec

EXPORTER: Final = "exporter"
PROMETHEUS: Final = "prometheus"
ALERTMANAGER: Final = "alertmanager"
CONSOLE: Final = "console"


def environment(root: Path, ports: Ports) -> dict[str, str]:
    """What the exporter and the console are told besides the state folder."""
    base = "" if ports.base is None else str(ports.base)
    return {"TITANIUM_ROOT": str(root), "TITANIUM_PORT_BASE": base}


def exporter_process(home: Home, ports: Ports, env: Mapping[str, str]) -> ProcessSpec:
    """Metrics of everything that has none of its own on TCP, behind the scrape token."""
    spec = _ours(home, EXPORTER, "titanium.exporter", ports.exporter, env)
    # Its role in the database, also in a folder that was made before there was one.
    return replace(spec, needs=(PROVISION,))


def console_process(home: Home, ports: Ports, env: Mapping[str, str]) -> ProcessSpec:
    """The operator's web application, which also receives the traces."""
    return _ours(home, CONSOLE, "titanium.console", ports.console, env, (home.otlp_socket,))


def prometheus_process(
    home: Home, ports: Ports, program: Path, inputs: tuple[Path, ...]
) -> ProcessSpec:
    """`inputs`: its configuration, its web configuration, then the rule files; a change of any
    restarts it."""
    spec = _server(
        home,
        PROMETHEUS,
        ports.prometheus,
        (
            str(program),
            f"--config.file={inputs[0]}",
            f"--web.config.file={inputs[1]}",
            f"--storage.tsdb.path={home.data / PROMETHEUS}",
            "--storage.tsdb.retention.time=15d",
            "--storage.tsdb.retention.size=512MB",
            # Matches no origin: web pages of others may not read it.
            "--web.cors.origin=^$",
            "--web.max-connections=64",
            "--query.max-samples=5000000",
            # A Prometheus that is started anew takes what it saw last for true for so long, also
            # of a replica that is gone. More than the longest interval of a rule, 30 s.
            "--query.lookback-delta=40s",
            "--query.timeout=20s",
        ),
        {"GOMEMLIMIT": "160MiB", "GOGC": "50"},
        inputs,
    )
    hint = f"Read {spec.log}; when its data is damaged, move {spec.folder} away: history is lost."
    return replace(spec, hint=hint)


def alertmanager_process(
    home: Home,
    ports: Ports,
    program: Path,
    inputs: tuple[Path, ...],
    folder: Path | None = None,
) -> ProcessSpec:
    """`inputs`: its configuration and its web configuration; `folder`: where to start it, if that
    matters."""
    spec = _server(
        home,
        ALERTMANAGER,
        ports.alertmanager,
        (
            str(program),
            f"--config.file={inputs[0]}",
            f"--web.config.file={inputs[1]}",
            f"--storage.path={home.data / ALERTMANAGER}",
            "--data.retention=120h",
            # One instance: no gossip, no port for it.
            "--cluster.listen-address=",
        ),
        {"GOMEMLIMIT": "48MiB", "GOGC": "50"},
        inputs,
    )
    return replace(spec, folder=folder or spec.folder)


def _ours(
    home: Home,
    name: Kind,
    module: str,
    port: int,
    env: Mapping[str, str],
    sockets: tuple[Path, ...] = (),
) -> ProcessSpec:
    alive = HttpProbe("/healthz", port=port)
    return ProcessSpec(
        name=name,
        kind=name,
        argv=(*PYTHON, module, str(home.root)),
        folder=home.run / name,
        log=home.log(name),
        probe=alive,
        liveness=alive,
        env=env,
        address=f"http://{HOST}:{port}",
        ports=(port,),
        sockets=sockets,
        stop_within=5.0,
        optional=True,
    )


def _server(
    home: Home,
    name: Kind,
    port: int,
    argv: tuple[str, ...],
    env: Mapping[str, str],
    inputs: tuple[Path, ...],
) -> ProcessSpec:
    account = (USER, password(home))
    return ProcessSpec(
        name=name,
        kind=name,
        argv=(
            *argv,
            f"--web.listen-address={HOST}:{port}",
            f"--web.external-url=http://{HOST}:{port}",
            "--log.format=json",
        ),
        folder=home.data / name,
        log=home.log(name),
        probe=HttpProbe("/-/ready", port=port, account=account),
        liveness=HttpProbe("/-/healthy", port=port, account=account),
        env=env,
        inputs=inputs,
        address=f"http://{HOST}:{port}",
        ports=(port,),
        stop_within=10.0,
        # Reading the log of a long crash-free run takes a while.
        ready_within=60.0,
        optional=True,
    )
