"""`titanium up`: start the platform, or take over what still runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import click

from titanium import state
from titanium.checkout import checkout
from titanium.commands._common import Progress, home_option, show_notes, stop_platform
from titanium.errors import RunningError, TitaniumError, UnhealthyError
from titanium.layout import Home
from titanium.supervise import client
from titanium.supervise.process import open_log
from titanium.supervise.protocol import Event, PlatformStatus, Request

EPILOG = """\b
Examples:
  titanium up                            stay here; Ctrl-C stops everything
  titanium up -d                         start in the background
  titanium up -d --replicas blog=2       two instances of one service
  titanium up -d --home /tmp/two --port-base 20000
                                         a second platform beside the first
  titanium up -d --no-observability      without console, Prometheus and the like
What is not given is as it was at the last `up` of the same state folder.
"""
# A supervisor that is being started by somebody else gets this long, in seconds.
PATIENCE = 120.0
A_MOMENT = 5.0


@dataclass(frozen=True, slots=True)
class _Changes:
    """What this `up` was given; None, empty and False: as it was."""

    port_base: int | None
    replicas: dict[str, int]
    policy: str | None
    bench: bool
    observability: bool | None

    def apply(self, remembered: state.Options) -> state.Options:
        return state.Options(
            port_base=remembered.port_base if self.port_base is None else self.port_base,
            replicas={**remembered.replicas, **self.replicas},
            policy=self.policy or remembered.policy,
            bench=self.bench or remembered.bench,
            observability=remembered.observability
            if self.observability is None
            else self.observability,
        )

    def refused(self, current: state.Options) -> str:
        """The option that a running platform cannot follow; empty when it can follow all."""
        if self.port_base is not None and self.port_base != current.port_base:
            return "--port-base"
        if self.policy is not None and self.policy != current.policy:
            return "--policy"
        if self.observability not in (None, current.observability):
            return "--observability" if self.observability else "--no-observability"
        return "--bench" if self.bench and not current.bench else ""


@click.command(epilog=EPILOG)
@click.option("-d", "--detach", is_flag=True, help="Return when everything is ready.")
@home_option
@click.option(
    "--port-base",
    type=click.IntRange(1, 65_000),
    metavar="N",
    help="Gateway on N (http) and N+1 (https), the rest above; default 8080, 8443, 15000 ...",
)
@click.option(
    "--replicas", multiple=True, metavar="SERVICE=N", help="Instances of a service; repeatable."
)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    metavar="FILE",
    help="Another mesh/policy.toml (time-outs, limits).",
)
@click.option(
    "--observability/--no-observability",
    default=None,
    help="Run the console, Prometheus, Alertmanager and the exporter, too (default: yes).",
)
@click.option("--bench", is_flag=True, hidden=True, help="Serve GET /__limit for the benchmark.")
@click.option("--seed/--no-seed", default=True, help="Demo content at the first start.")
def command(
    detach: bool,
    home: str | None,
    port_base: int | None,
    replicas: tuple[str, ...],
    policy: str | None,
    observability: bool | None,
    bench: bool,
    seed: bool,
) -> None:
    """Start the whole platform and wait until it is ready.

    Processes that still run from before, unchanged, are taken over without a restart. Those that
    were stopped by `titanium stop` are started.
    """
    changes = _Changes(port_base, state.parse_replicas(replicas), policy, bench, observability)
    folder = state.open_home(state.home_folder(home))
    status = client.status(folder)
    if status is None:
        try:
            _start(folder, changes.apply(state.load_options(folder)), detach=detach, seed=seed)
        except RunningError:
            # Another `up` was faster: its platform is as good as ours.
            status = _status_soon(folder)
            if status is None:
                raise
    if status is not None:
        _already_running(folder, status, changes)


def _status_soon(folder: Home) -> PlatformStatus | None:
    """Whoever holds the lock answers a moment later."""
    deadline = time.monotonic() + A_MOMENT
    while (status := client.status(folder)) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return status


def _start(folder: Home, options: state.Options, *, detach: bool, seed: bool) -> None:
    """Start a supervisor; RunningError when there is one by now."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    if options.observability:
        _fetch_tools()
    with _spawn(folder, options) as pipe:
        try:
            status = _wait_until_ready(folder, pipe)
            if seed:
                _seed_once(folder)
            else:
                folder.seeded.touch(mode=0o600)
            show_addresses(status)
            if detach:
                _require_healthy(status)
            else:
                click.echo("\nCtrl-C stops everything.")
                with Progress() as progress:
                    client.follow(pipe, progress)
                raise UnhealthyError(
                    "the supervisor ended; what it had started may still be serving",
                    f"Read {folder.log('supervisor')}; `titanium up` takes everything over.",
                )
        except KeyboardInterrupt:
            click.echo("\nstopping")
            with Progress() as progress:
                stop_platform(folder, progress)


def _fetch_tools() -> None:
    """Get Prometheus and Alertmanager if they are missing; the start goes on without them."""
    from titanium.observe.fetch import fetch_missing

    with Progress() as progress:
        fetch_missing(checkout(), lambda name, what: progress(Event(name, "done", what)))


def show_addresses(status: PlatformStatus) -> None:
    click.echo(f"\nTitanium is {status.state}")
    click.echo(f"  site     {status.url}/blog/")
    click.echo(f"  api      {status.url}/api/docs")
    click.echo(f"  https    {status.https_url}/  (CA: {status.home}/certs/ca/ca.crt)")
    if status.console:
        click.echo(f"  console  {status.console}/login?token={_console_token(status)}")
    for process in status.processes:
        if process.kind == "prometheus" and process.pid is not None:
            secret = f"{status.home}/secrets/observability/password"
            click.echo(f"  metrics  {process.address}  (user titanium, password in {secret})")
    click.echo(f"  state    {status.home}")
    show_notes(status)


def _console_token(status: PlatformStatus) -> str:
    try:
        return Home(Path(status.home)).secret("console", "token").read_text("ascii").strip()
    except OSError:
        return ""


def _require_healthy(status: PlatformStatus) -> None:
    """It runs, but a process that was running before may not be ready."""
    bad = [
        f"{one.name} is {one.state}"
        for one in status.processes
        if one.state != "ready" and not one.optional
    ]
    if bad:
        raise UnhealthyError(f"not all is well: {', '.join(bad)}", "See titanium status and logs.")


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _spawn(folder: Home, options: state.Options) -> BinaryIO:
    """Start the supervisor in a session of its own; the pipe on which it reports."""
    read_end, write_end = os.pipe()
    log = open_log(folder.log("supervisor"))
    arguments = [str(folder.root), json.dumps(asdict(options)), str(write_end)]
    try:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "titanium.supervise", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.root,
            pass_fds=(write_end,),
            start_new_session=True,
        )
    finally:
        os.close(write_end)
        os.close(log)
    return os.fdopen(read_end, "rb")


def _wait_until_ready(folder: Home, pipe: BinaryIO) -> PlatformStatus:
    with Progress() as progress:
        result = client.follow(pipe, progress)
    if result is None:
        raise UnhealthyError(
            "the supervisor ended before everything was ready", f"Read {folder.log('supervisor')}."
        )
    result.raise_failure()
    return PlatformStatus.from_json(result.body)


def _already_running(folder: Home, status: PlatformStatus, changes: _Changes) -> None:
    """Say so; carry out what can be changed while running."""
    deadline = time.monotonic() + PATIENCE
    while status.state == "starting" and time.monotonic() < deadline:
        time.sleep(0.2)
        status = client.status(folder) or status
    if option := changes.refused(state.load_options(folder)):
        raise RunningError(
            f"titanium is already running in {folder.root} with another {option} ({status.url})",
            "Stop it first: titanium down",
        )
    optional = {one.name for one in status.processes if one.optional}
    stopped = [one.name for one in status.processes if one.state == "stopped"]
    requests = [Request("start_service", name) for name in stopped]
    requests += [Request("scale", name, count) for name, count in changes.replicas.items()]
    for request in requests:
        with Progress() as progress:
            result = client.ask(folder, request, progress)
        if request.service not in optional:
            result.raise_failure()
        status = client.status(folder) or status
    click.echo(f"already running (supervisor {status.supervisor})")
    show_addresses(status)
    _require_healthy(status)


def _seed_once(folder: Home) -> None:
    """Offer the demo content to a new database. A failure is told and does not stop the start."""
    if folder.seeded.exists():
        return
    from titanium.demo.seed import seed_platform

    try:
        seeded = seed_platform(folder)
    except TitaniumError as error:
        click.echo(f"  {'demo content':<18} not written: {error.message}", err=True)
        return
    click.echo(
        f"  {'demo content':<18} {seeded.users_created} users, {seeded.posts_created} posts; "
        f"their password is in {seeded.password_file}"
    )
    folder.seeded.touch(mode=0o600)
