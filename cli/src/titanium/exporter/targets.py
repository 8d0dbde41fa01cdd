"""What Prometheus is to scrape: its HTTP service discovery, from the processes that run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from titanium.layout import HOST, Home
from titanium.supervise.protocol import ProcessStatus

_SIDECAR = "-sidecar"
# Envoy leaves out what was never used, which is most of its thousands of figures.
_ENVOY = "/stats/prometheus?usedonly"
_APP = "/internal/metrics"
# Jobs with an exposition of our own.
_OWN = {"postgres": "/postgres/metrics", "redis": "/redis/metrics"}


def instance_of(process: ProcessStatus) -> str:
    """`blog-0` for the app blog-0 and for its sidecar."""
    if process.kind == "sidecar":
        return process.name.removesuffix(_SIDECAR)
    return process.name


def service_of(process: ProcessStatus) -> str:
    """The service that it belongs to; what belongs to none is one of its own."""
    return process.service or process.name


def source(home: Home, process: ProcessStatus) -> tuple[Path, str] | None:
    """Unix socket and path of a process's own metrics; None when it has none."""
    instance = instance_of(process)
    if process.kind == "app":
        return home.app_socket(instance), _APP
    if process.kind in ("sidecar", "gateway"):
        return home.admin_socket(instance), _ENVOY
    return None


def discovery(processes: Iterable[ProcessStatus], port: int) -> list[dict[str, Any]]:
    """Prometheus' http_sd document: a group for each target, all of them on our own port."""
    groups = [_group(port, "platform", "platform", "platform", "/platform/metrics")]
    for process in processes:
        kind = process.kind
        if kind in ("app", "sidecar", "gateway"):
            path = f"/processes/{process.name}/metrics"
        elif kind in _OWN:
            path = _OWN[kind]
        else:
            continue
        groups.append(_group(port, kind, service_of(process), instance_of(process), path))
    return groups


def _group(port: int, job: str, service: str, instance: str, path: str) -> dict[str, Any]:
    labels = {"job": job, "service": service, "instance": instance, "__metrics_path__": path}
    return {"targets": [f"{HOST}:{port}"], "labels": labels}
