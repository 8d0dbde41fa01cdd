"""What the supervisor knows, as metrics: processes, faults, certificates."""

from __future__ import annotations

from pathlib import Path

from titanium.certificate_files import certificate_in
from titanium.exporter.exposition import Family, counter, gauge
from titanium.exporter.supervisor import Sight
from titanium.exporter.targets import service_of
from titanium.supervise.protocol import PlatformStatus


class Platform:
    """Turns looks at the platform into metrics."""

    def __init__(self, certificates: Path) -> None:
        self._certificates = Certificates(certificates)
        self._starts: dict[str, tuple[int, float]] = {}

    def families(self, sight: Sight) -> list[Family]:
        """Without a supervisor nobody knows about processes and faults: they are left out."""
        up = gauge("titanium_supervisor_up", "Whether the supervisor answers (1) or not (0).")
        found = [up.add(sight.status is not None), self._certificates.family()]
        if sight.status is not None:
            found += [*self._processes(sight.status, sight.at), _faults(sight.status)]
        return found

    def _processes(self, status: PlatformStatus, now: float) -> list[Family]:
        ready = gauge("titanium_process_ready", "Whether the process is ready (1) or not (0).")
        restarts = counter(
            "titanium_process_restarts_total", "Starts after a crash since the supervisor started."
        )
        memory = gauge(
            "titanium_process_resident_memory_bytes",
            "Resident memory of the process with its children.",
        )
        cpu = counter(
            "titanium_process_cpu_seconds_total",
            "User and system time of the process with its children.",
        )
        start = gauge("titanium_process_start_time_seconds", "When it started, in epoch seconds.")
        for process in status.processes:
            labels = {"process": process.name, "kind": process.kind, "service": service_of(process)}
            ready.add(process.state == "ready", **labels)
            restarts.add(process.restarts, **labels)
            if process.pid is not None:
                memory.add(process.memory, **labels)
                cpu.add(process.cpu, **labels)
                began = self._start(process.name, process.pid, now - process.uptime)
                start.add(began, **labels)
        return [ready, restarts, memory, cpu, start]

    def _start(self, name: str, pid: int, seen: float) -> float:
        """The first answer for a pid: later ones differ by the time that a status takes."""
        if self._starts.get(name, (0, 0.0))[0] != pid:
            self._starts[name] = pid, round(seen, 1)
        return self._starts[name][1]


def _faults(status: PlatformStatus) -> Family:
    family = gauge("titanium_fault_active", "Whether a fault is being injected into the service.")
    active = {fault.service for fault in status.faults}
    services = {process.service for process in status.processes if process.kind == "app"}
    for service in sorted(services | active):
        family.add(service in active, service=service)
    return family


class Certificates:
    """When the certificates of a run expire; a file is read again when it was replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[int, float]] = {}

    def family(self) -> Family:
        """The CA is called `ca`, the gateway's https certificate `gateway-https`.

        A file without a certificate in it has expired for all that anyone can tell: 0.
        """
        family = gauge(
            "titanium_certificate_expiry_timestamp_seconds", "End of validity, in epoch seconds."
        )
        for path in sorted((*self._folder.glob("*/sds-*.json"), self._folder / "ca" / "ca.crt")):
            try:
                changed = path.stat().st_mtime_ns
            except OSError:
                continue
            if self._read.get(path, (0, 0.0))[0] != changed:
                self._read[path] = changed, _expiry(path)
            family.add(self._read[path][1], name=_name(path))
        return family


def _expiry(path: Path) -> float:
    certificate = certificate_in(path)
    return certificate.not_valid_after_utc.timestamp() if certificate is not None else 0.0


def _name(path: Path) -> str:
    return f"{path.parent.name}-https" if path.name == "sds-server.json" else path.parent.name
