"""`/traffic`: who calls whom, drawn from the mesh's metrics."""

from __future__ import annotations

from nicegui import ui

from titanium.console import tables, trafficmap
from titanium.console.backend import Backend
from titanium.console.poller import Snapshot
from titanium.console.shell import frame, live
from titanium.console.traffic import graph
from titanium.console.widgets import Live, panel

LEGEND = (
    '<span class="legend"><i class="good"></i>healthy<i class="warn"></i>0.1 % errors or more'
    '<i class="bad"></i>1 % or more<i class="idle"></i>no requests'
    '<i class="store"></i>declared need of a store</span>'
)


def register(backend: Backend) -> None:
    @ui.page("/traffic")
    def traffic() -> None:
        with frame(backend, "Traffic"):
            _content(backend)


def _content(backend: Backend) -> None:
    first = backend.poller.snapshot
    now = graph(backend.catalog, first)
    concerns = Live(tables.concerns(first, tables.now()))
    with panel("Traffic of the last minute", LEGEND):
        drawing = Live(trafficmap.draw(now))
    with panel("Connections"):
        figures = Live(trafficmap.edge_table(now))

    def show(snapshot: Snapshot) -> None:
        current = graph(backend.catalog, snapshot)
        concerns.show(tables.concerns(snapshot, tables.now()))
        drawing.show(trafficmap.draw(current))
        figures.show(trafficmap.edge_table(current))

    live(backend, show)
