"""Who calls whom: the declared calls together with the measured ones."""

from __future__ import annotations

from dataclasses import dataclass

from titanium.catalog import Catalog
from titanium.console import signals
from titanium.console.poller import Snapshot
from titanium.console.signals import Metrics, value
from titanium.console.tables import ERRORS_BAD, ERRORS_WARN, service_state
from titanium.layout import GATEWAY

USERS, POSTGRES, REDIS = "users", "postgres", "redis"


@dataclass(frozen=True, slots=True)
class Edge:
    """Requests from `source` to `destination` in the last minute; None is unknown.

    `errors` and `mtls` are ratios, `p95` seconds; `declared` is whether the catalog allows it;
    an edge to a store (`store`) is never measured.
    """

    source: str
    destination: str
    rate: float | None = None
    errors: float | None = None
    p95: float | None = None
    mtls: float | None = None
    declared: bool = True
    store: bool = False

    @property
    def health(self) -> str:
        """good, warn, bad, or idle without requests."""
        if not self.rate:
            return "idle"
        if (self.errors or 0.0) >= ERRORS_BAD or not self.declared:
            return "bad"
        return "warn" if (self.errors or 0.0) >= ERRORS_WARN else "good"


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the map: `column` 0 users, 1 gateway, 2 services, 3 stores."""

    name: str
    column: int
    state: str
    fault: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(catalog: Catalog, snapshot: Snapshot) -> Graph:
    """The map of now: every declared edge, and every measured one, declared or not."""
    declared = _declared(catalog)
    measured = {
        (sample.labels["source"], sample.labels["destination"])
        for sample in snapshot.metrics.get(signals.PAIR_REQUESTS, ())
        if sample.value > 0 and {"source", "destination"} <= sample.labels.keys()
    }
    edges = [
        _measure(snapshot.metrics, source, destination, (source, destination) in declared)
        for source, destination in sorted(declared | measured)
    ]
    edges += [
        Edge(service.name, store, store=True)
        for service in catalog
        for store, needed in ((POSTGRES, service.needs.postgres), (REDIS, service.needs.redis))
        if needed
    ]
    faulty = {fault.service for fault in snapshot.status.faults} if snapshot.status else set()
    nodes = [Node(USERS, 0, "ready"), Node(GATEWAY, 1, service_state(snapshot, GATEWAY))]
    nodes += [
        Node(name, 2, service_state(snapshot, name), name in faulty) for name in catalog.names
    ]
    stores = {edge.destination for edge in edges if edge.store}
    nodes += [Node(name, 3, service_state(snapshot, name)) for name in sorted(stores)]
    known = {node.name for node in nodes}
    others = {end for edge in edges for end in (edge.source, edge.destination)} - known
    nodes += [Node(name, 3, "unknown") for name in sorted(others)]
    return Graph(tuple(nodes), tuple(edges))


def _declared(catalog: Catalog) -> set[tuple[str, str]]:
    pairs = {(USERS, GATEWAY)}
    for service in catalog:
        if service.routes:
            pairs.add((GATEWAY, service.name))
        pairs |= {(service.name, call.service) for call in service.calls}
    return pairs


def _measure(metrics: Metrics, source: str, destination: str, declared: bool) -> Edge:
    pair = {"source": source, "destination": destination}
    rate: float | None = None
    errors: float | None = None
    if any(
        sample.labels.get("source") == source and sample.labels.get("destination") == destination
        for sample in metrics.get(signals.PAIR_REQUESTS, ())
    ):
        rate = signals.total(metrics, signals.PAIR_REQUESTS, **pair)
        failed = signals.total(metrics, signals.PAIR_REQUESTS, **pair, code_class="5xx")
        errors = failed / rate if rate else 0.0
    return Edge(
        source,
        destination,
        rate,
        errors,
        value(metrics, signals.PAIR_LATENCY, **pair, quantile="0.95"),
        value(metrics, signals.PAIR_MTLS, **pair),
        declared,
    )
