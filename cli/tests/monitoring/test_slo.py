"""The rules that are generated from the services' objectives."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
import yaml

from titanium.catalog import LATENCIES_MS, Catalog, Service, Slo, load_catalog
from titanium.catalog import Needs as ServiceNeeds
from titanium.mesh.render.stats import HISTOGRAM_BOUNDS
from titanium.monitoring import generated
from titanium.monitoring.slo import slo_rules

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


def catalog(**promises: Slo) -> Catalog:
    services = {
        name: Service(name, "x:y", "d", (), (), ServiceNeeds(), slo, Path(f"{name}.toml"))
        for name, slo in promises.items()
    }
    return Catalog(MappingProxyType(services))


def test_every_service_has_two_objectives_and_a_threshold() -> None:
    text = slo_rules(catalog(shop=Slo(availability=99.95, latency_p95_ms=1000)))
    (group,) = yaml.safe_load(text)["groups"]
    objectives = [
        (rule["labels"], rule["expr"])
        for rule in group["rules"]
        if rule["record"] == "service:slo_objective:ratio"
    ]
    assert objectives == [
        ({"service": "shop", "slo": "availability"}, "vector(0.9995)"),
        ({"service": "shop", "slo": "latency"}, "vector(0.95)"),
    ]
    (slow,) = [rule for rule in group["rules"] if rule["record"] == "service:http_slow:rate1m"]
    assert slow["labels"] == {"service": "shop"}
    assert 'service="shop",le="1000"' in slow["expr"]


@pytest.mark.parametrize(
    ("percent", "ratio"), [(99.9, "0.999"), (50, "0.5"), (99.9999, "0.999999"), (29.7, "0.297")]
)
def test_ratios_have_no_floating_dust(percent: float, ratio: str) -> None:
    text = slo_rules(catalog(shop=Slo(availability=percent, latency_p95_ms=5)))
    assert f"expr: vector({ratio})\n" in text


def test_equal_catalogs_give_equal_text() -> None:
    promises = {"b": Slo(availability=99, latency_p95_ms=5)}
    assert slo_rules(catalog(**promises)) == slo_rules(catalog(**promises))


def test_a_service_may_only_promise_what_the_proxies_measure() -> None:
    assert set(LATENCIES_MS) <= set(HISTOGRAM_BOUNDS)


def test_the_committed_rules_are_those_of_the_services() -> None:
    for path, text in generated(ROOT, load_catalog(ROOT)).items():
        assert path.read_text("utf-8") == text, f"{path} is out of date: run `make docs`"
