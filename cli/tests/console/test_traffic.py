"""The map of traffic."""

from __future__ import annotations

import re

import pytest

from cli.tests.console.support import fault, process, sample, snapshot, status
from titanium.catalog import load_catalog
from titanium.checkout import checkout
from titanium.console import signals, trafficmap
from titanium.console.prometheus import Sample
from titanium.console.traffic import Edge, Graph, graph

pytestmark = pytest.mark.unit
CATALOG = load_catalog(checkout())


def requests(source: str, destination: str, rate: float, code: str = "2xx") -> Sample:
    return sample(
        signals.PAIR_REQUESTS, rate, source=source, destination=destination, code_class=code
    )


def edge(found: Graph, source: str, destination: str) -> Edge:
    return next(
        item for item in found.edges if (item.source, item.destination) == (source, destination)
    )


def test_without_metrics_there_is_what_the_catalog_declares() -> None:
    """Users reach the gateway, the gateway every service with routes; needs are stores."""
    found = graph(CATALOG, snapshot())
    pairs = {(item.source, item.destination) for item in found.edges}
    assert {("users", "gateway"), ("gateway", "blog"), ("user", "auth")} <= pairs
    assert {("blog", "postgres"), ("blog", "redis"), ("auth", "postgres")} <= pairs
    assert ("auth", "redis") not in pairs
    assert all(item.health == "idle" and item.rate is None for item in found.edges)


def test_an_edge_has_its_rate_errors_latency_and_mutual_tls() -> None:
    """Errors are the share of 5xx."""
    pair = {"source": "gateway", "destination": "blog"}
    found = graph(
        CATALOG,
        snapshot(
            (
                requests("gateway", "blog", 9.0),
                requests("gateway", "blog", 1.0, "5xx"),
                sample(signals.PAIR_LATENCY, 0.012, **pair, quantile="0.95"),
                sample(signals.PAIR_MTLS, 1.0, **pair),
            )
        ),
    )
    measured = edge(found, "gateway", "blog")
    assert (measured.rate, measured.errors, measured.p95, measured.mtls) == (10, 0.1, 0.012, 1)
    assert measured.health == "bad"
    drawing = trafficmap.draw(found)
    assert "10/s · 12 ms<" in drawing
    assert ">10 % errors<" in drawing
    assert 'class="lock locked"' in drawing


def test_a_call_that_nobody_declared_is_shown_as_bad() -> None:
    """The mesh should deny it; seeing it is news."""
    found = graph(CATALOG, snapshot((requests("auth", "blog", 1.0),)))
    undeclared = edge(found, "auth", "blog")
    assert not undeclared.declared
    assert undeclared.health == "bad"
    assert "undeclared" in trafficmap.edge_table(found)


def test_connections_without_mutual_tls_are_seen() -> None:
    """An open lock, and how many."""
    pair = {"source": "gateway", "destination": "auth"}
    found = graph(
        CATALOG,
        snapshot((requests("gateway", "auth", 1.0), sample(signals.PAIR_MTLS, 0.5, **pair))),
    )
    assert 'class="lock open"' in trafficmap.draw(found)
    assert "50 % of connections" in trafficmap.edge_table(found)


def test_a_fault_and_a_dead_service_are_seen_on_the_map() -> None:
    """Where it was injected, and what is down."""
    shown = snapshot(
        status=status(
            process("gateway", "gateway"),
            process("blog-0"),
            process("user-0", state="failed"),
            faults=(fault("blog"),),
        )
    )
    drawing = trafficmap.draw(graph(CATALOG, shown))
    assert "fault injected" in drawing
    assert "failed" in drawing


def test_boxes_do_not_overlap() -> None:
    """However many services there are."""
    drawing = trafficmap.draw(graph(CATALOG, snapshot()))
    places = [
        (float(x), float(y))
        for x, y in re.findall(r'class="node \w+" transform="translate\((\S+) (\S+)\)"', drawing)
    ]
    assert len(places) == len(set(places)) == 7
    for number, (x, y) in enumerate(places):
        for other_x, other_y in places[number + 1 :]:
            assert abs(x - other_x) >= trafficmap.BOX[0] or abs(y - other_y) >= trafficmap.BOX[1], (
                x,
                y,
            )
