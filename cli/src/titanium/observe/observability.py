"""Everything that watches a run: what of it can run here, its files, its processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from titanium.errors import ToolMissingError
from titanium.files import write_if_changed
from titanium.layout import Home, Ports
from titanium.observe import configuration, fetch, processes
from titanium.provision.secret_files import secret
from titanium.supervise.spec import ProcessSpec
from titanium.tools import ALERTMANAGER, PROMETHEUS, DebianProgram

TEMPLATE = Path("monitoring/alertmanager/local.yaml")
RULES = Path("monitoring/rules")
# Rules that read what only a cluster's mesh has.
_NOT_HERE = ("istio.yaml",)


@dataclass(frozen=True, slots=True)
class Observability:
    """`prometheus` and `alertmanager` are programs, None when missing; `notes` say what is missing
    and what to do about it."""

    root: Path
    home: Home
    ports: Ports
    prometheus: Path | None
    alertmanager: Path | None
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, root: Path, home: Home, ports: Ports) -> Observability:
        """Look for the programs; what is missing is a note, never an error."""
        absent: list[DebianProgram] = []

        def find(program: DebianProgram) -> Path | None:
            try:
                return program.find(root)
            except ToolMissingError:
                absent.append(program)
                return None

        prometheus, alertmanager = find(PROMETHEUS), find(ALERTMANAGER)
        notes = [fetch.note(absent, root)] if absent else []
        if alertmanager is not None and not (root / TEMPLATE).is_file():
            alertmanager = None
            notes.append(f"{root / TEMPLATE} is missing: no alerts are sent. Next: restore it")
        return cls(root, home, ports, prometheus, alertmanager, tuple(notes))

    @property
    def console(self) -> str:
        """The console's address."""
        return self._console.address

    @property
    def token(self) -> Path:
        """Secret of the console's operator."""
        return self.home.secret(processes.CONSOLE, "token")

    def prepare(self) -> None:
        """Write secrets and configuration. OSError when the disk does not play along."""
        for name in (processes.CONSOLE, processes.EXPORTER):
            (self.home.run / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.token, configuration.scrape_token(self.home)):
            secret(path)
        alerting = self.alertmanager is not None
        text = configuration.prometheus(self.home, self.ports, alerting=alerting)
        write_if_changed(self._prometheus_file, text)
        self._write_web()
        self._copy_rules()
        if alerting:
            template = (self.root / TEMPLATE).read_text("utf-8")
            text = configuration.alertmanager(template, self.home, self.ports)
            write_if_changed(self._alertmanager_file, text)

    def processes(self) -> tuple[ProcessSpec, ...]:
        """What runs beside the platform; call after `prepare`."""
        home, ports = self.home, self.ports
        env = processes.environment(self.root, ports)
        specs = [processes.exporter_process(home, ports, env)]
        if self.prometheus is not None:
            rules = sorted(self._rules.glob("*.yaml"))
            inputs = (self._prometheus_file, self._web_file, *rules)
            specs.append(processes.prometheus_process(home, ports, self.prometheus, inputs))
        if self.alertmanager is not None:
            inputs = (self._alertmanager_file, self._web_file)
            unpacked = ALERTMANAGER.unpacked(self.root)
            ours = self.alertmanager.is_relative_to(unpacked)
            specs.append(
                processes.alertmanager_process(
                    home,
                    ports,
                    self.alertmanager,
                    inputs,
                    unpacked / ALERTMANAGER.data if ours else None,
                )
            )
        return (*specs, self._console)

    @property
    def _console(self) -> ProcessSpec:
        env = processes.environment(self.root, self.ports)
        return processes.console_process(self.home, self.ports, env)

    @property
    def _prometheus_file(self) -> Path:
        return self.home.config / processes.PROMETHEUS / "prometheus.yml"

    @property
    def _alertmanager_file(self) -> Path:
        return self.home.config / processes.ALERTMANAGER / "alertmanager.yml"

    @property
    def _web_file(self) -> Path:
        return self._prometheus_file.with_name("web.yml")

    def _write_web(self) -> None:
        try:
            current = self._web_file.read_text("utf-8", "replace")
        except FileNotFoundError:
            current = ""
        word = secret(configuration.password(self.home))
        write_if_changed(self._web_file, configuration.web(word, current))

    @property
    def _rules(self) -> Path:
        return self.home.config / processes.PROMETHEUS / "rules"

    def _copy_rules(self) -> None:
        self._rules.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted = {
            path.name: path
            for path in (self.root / RULES).glob("*.yaml")
            if path.name not in _NOT_HERE
        }
        for path in self._rules.glob("*.yaml"):
            if path.name not in wanted:
                path.unlink()
        for name, path in wanted.items():
            write_if_changed(self._rules / name, path.read_text("utf-8", "replace"))
