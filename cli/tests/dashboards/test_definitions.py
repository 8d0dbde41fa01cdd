"""The dashboards as they are generated: complete, stable, and about metrics that are recorded."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from titanium.dashboards import FOLDER, generated
from titanium.dashboards.boards import boards
from titanium.dashboards.figures import unit_of
from titanium.dashboards.interpolate import Range, interpolate
from titanium.dashboards.logql import parse
from titanium.dashboards.model import LOKI, PROMETHEUS, Dashboard, load_dashboards
from titanium.dashboards.names import SYNTHETIC, metric_names

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
DASHBOARDS = load_dashboards(ROOT / FOLDER)
UIDS = {
    "titanium-golden-signals",
    "titanium-service",
    "titanium-mesh",
    "titanium-postgresql",
    "titanium-redis",
    "titanium-gateway",
    "titanium-slo",
    "titanium-logs",
}
# What every engine has: recorded names (with a colon), the applications' and exporters' own.
OWN = re.compile(r"titanium_|http_server_|process_|pg_|redis_|node_|up$|.+:")


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for board in boards():
        for panel in board.json()["panels"]:
            if panel["type"] != "row":
                yield f"{board.uid}: {panel['title']}", panel


def test_the_files_are_what_the_definitions_say() -> None:
    for path, text in generated(ROOT).items():
        assert path.read_text("utf-8") == text, f"{path.name}: run `titanium docs`"


def test_uids_are_the_documented_ones() -> None:
    """Bookmarks and links of other dashboards hold them."""
    assert sorted(board.uid for board in boards()) == sorted(UIDS)


def test_every_panel_has_a_title_a_description_and_a_unit() -> None:
    for where, panel in panels():
        assert panel["title"], where
        assert len(panel["description"]) > 10, where
        if panel["type"] != "text":
            assert unit_of(panel["fieldConfig"]["defaults"]["unit"]), where


def test_panel_ids_are_unique_and_no_two_panels_overlap() -> None:
    for board in boards():
        placed = board.json()["panels"]
        ids = Counter(panel["id"] for panel in placed)
        assert max(ids.values()) == 1, board.uid
        cells: Counter[tuple[int, int]] = Counter()
        for panel in placed:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24, f"{board.uid}: {panel['title']}"
            for x in range(place["x"], place["x"] + place["w"]):
                cells.update((x, y) for y in range(place["y"], place["y"] + place["h"]))
        assert max(cells.values()) == 1, board.uid


def test_no_expression_depends_on_the_mesh_that_is_used() -> None:
    """Envoy's and Istio's names differ: only the recording rules know them."""
    for where, panel in panels():
        for target in panel.get("targets", []):
            if target["datasource"]["type"] == PROMETHEUS:
                for name in metric_names(target["expr"]) - SYNTHETIC:
                    assert OWN.match(name), f"{where}: {name}"


def test_every_recorded_name_is_recorded_for_the_local_mesh_and_for_istio() -> None:
    folder = ROOT / "monitoring" / "rules"
    recorded = {path.stem: _recorded(path) for path in folder.glob("*.yaml")}
    for engine, other in (("local", "istio"), ("istio", "local")):
        names = set().union(*(found for file, found in recorded.items() if file != other))
        for where, panel in panels():
            for target in panel.get("targets", []):
                if target["datasource"]["type"] == PROMETHEUS:
                    used = {name for name in metric_names(target["expr"]) if ":" in name}
                    assert used <= names, f"{where}: {engine} does not record {used - names}"


def _recorded(path: Path) -> set[str]:
    groups = yaml.safe_load(path.read_text("utf-8"))["groups"]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_every_expression_can_be_interpolated_and_logql_parsed(dashboard: Dashboard) -> None:
    span = Range.last(3600, 1_000_000)
    choices = {one.name: ["value"] for one in dashboard.variables}
    for panel in dashboard.panels:
        for target in panel.targets:
            expr = interpolate(target.expr, choices, dashboard.variables, span)
            assert "$" not in expr, expr
            if target.source == LOKI:
                parse(expr)


def test_a_row_without_data_never_hides_a_row_with_data() -> None:
    """`x or vector(0)` has two series where x has labels: the 0 must stand back for any x."""
    for where, panel in panels():
        for target in panel.get("targets", []):
            assert " or vector(" not in target["expr"], where


def test_provisioning_names_the_folder_and_every_data_source() -> None:
    folder = ROOT / "monitoring" / "provisioning"
    sources = yaml.safe_load((folder / "datasources" / "titanium.yaml").read_text("utf-8"))
    kinds = [source["type"] for source in sources["datasources"]]
    assert kinds == ["prometheus", "loki", "alertmanager"]
    provider = yaml.safe_load((folder / "dashboards" / "titanium.yaml").read_text("utf-8"))
    assert provider["providers"][0]["folder"] == "Titanium"


def test_the_files_are_plain_json_that_grafana_imports() -> None:
    for path in (ROOT / FOLDER).glob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        assert document["schemaVersion"] >= 39, path.name
        assert document["templating"]["list"][0]["type"] == "datasource", path.name
