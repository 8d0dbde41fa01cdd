"""What every page of the console is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nicegui import Client

from titanium.catalog import Catalog
from titanium.console.injections import Injections
from titanium.console.notifications import Notifications
from titanium.console.poller import Poller
from titanium.console.prometheus import Prometheus
from titanium.layout import Home, Ports
from titanium.logs import LogFolder
from titanium.supervise.link import SupervisorLink
from titanium.traces import TraceStore


def somebody_looks() -> bool:
    """Whether a page of this console is open in a browser."""
    return any(client.has_socket_connection for client in Client.instances.values())


@dataclass
class Backend:
    """One run, seen from its console. `root` is the checkout, `token` the operator's.

    `poller` is the one reader of supervisor and Prometheus for all open pages; pages show its
    snapshot. `notifications` and `injections` live as long as the console.
    """

    home: Home
    ports: Ports
    root: Path
    catalog: Catalog
    token: str
    prometheus: Prometheus
    supervisor: SupervisorLink
    logs: LogFolder
    traces: TraceStore
    notifications: Notifications = field(default_factory=Notifications)
    injections: Injections = field(default_factory=Injections)
    poller: Poller = field(init=False)

    def __post_init__(self) -> None:
        self.poller = Poller(self.supervisor.status, self.prometheus, somebody_looks)
