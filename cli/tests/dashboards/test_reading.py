"""Grafana's JSON read back, and variables put into expressions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from titanium.dashboards.interpolate import ALL, Range, interpolate
from titanium.dashboards.model import DashboardError, Variable, load_dashboard
from titanium.dashboards.names import metric_names

pytestmark = pytest.mark.unit

SPAN = Range.last(3600, 1_000_003)
MANY = Variable("service", "query", "Service", include_all=True, all_value=".+")
ONE = Variable("one", "query", "One")
TEXT = Variable("search", "textbox", "Search")
VARIABLES = (MANY, ONE, TEXT)


@pytest.mark.parametrize("reference", ["$service", "${service}", "[[service]]", "${service:regex}"])
def test_every_way_to_write_a_variable_is_replaced(reference: str) -> None:
    text = f'x{{service=~"{reference}"}}'
    assert interpolate(text, {"service": ["blog"]}, VARIABLES, SPAN) == 'x{service=~"blog"}'


def test_all_and_several_values_become_regular_expressions() -> None:
    text = 'x{service=~"$service"}'
    assert interpolate(text, {"service": [ALL]}, VARIABLES, SPAN) == 'x{service=~".+"}'
    both = interpolate(text, {"service": ["a", "b.c"]}, VARIABLES, SPAN)
    assert both == 'x{service=~"(a|b\\\\.c)"}'


def test_text_cannot_leave_its_quotes() -> None:
    """What a person types into the search stays one string."""
    text = interpolate('{} |= "$search"', {"search": ['"} |= "x\\']}, VARIABLES, SPAN)
    assert text == '{} |= "\\"} |= \\"x\\\\"'


def test_a_value_is_not_read_for_variables_again() -> None:
    assert interpolate("$search", {"search": ["$one"]}, VARIABLES, SPAN) == "$one"


def test_intervals_are_long_enough_for_a_rate() -> None:
    assert interpolate("[$__interval]", {}, (), SPAN) == "[15s]"
    assert interpolate("[$__rate_interval] [${__range}]", {}, (), SPAN) == "[20s] [3600s]"
    assert interpolate("[$__rate_interval]", {}, (), Range.last(86_400, 1e6)) == "[365s]"


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(DashboardError, match=r"no variable \$nobody"):
        interpolate("$nobody", {}, VARIABLES, SPAN)


def test_the_end_of_a_regular_expression_is_no_variable() -> None:
    assert interpolate('x=~"5..$"', {}, (), SPAN) == 'x=~"5..$"'


def test_a_range_lies_on_whole_steps() -> None:
    assert Range.last(300, 1003) == Range(700, 1000, 5)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a Grafana dashboard"),
        ("{}", "KeyError 'panels'"),
        (json.dumps({"panels": [{}]}), "KeyError"),
    ],
)
def test_a_broken_file_is_named_with_its_reason(tmp_path: Path, document: str, reason: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(document)
    with pytest.raises(DashboardError, match=rf"mine\.json: .*{reason}"):
        load_dashboard(path)


def test_panels_of_a_collapsed_row_are_read(tmp_path: Path) -> None:
    place = {"x": 0, "y": 0, "w": 24, "h": 1}
    inner = {"id": 2, "type": "text", "gridPos": {**place, "y": 1}}
    row = {"id": 1, "type": "row", "gridPos": place, "panels": [inner]}
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({"uid": "u", "title": "t", "panels": [row], "templating": {"list": []}})
    )
    assert [panel.kind for panel in load_dashboard(path).panels] == ["row", "text"]


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ('sum by (a) (rate(x_total{b="c_d"}[1m]))', {"x_total"}),
        ("a:b:c / on (service) group_left (x) (1 - d:e)", {"a:b:c", "d:e"}),
        ('up{job=~"$service"} or on () vector(0)', {"up"}),
        ("x unless on () y @ end() offset 5m", {"x", "y"}),
        ('label_replace(vector(0), "a", "b", "", "")', set()),
        ("1e3 * NaN", set()),
    ],
)
def test_names_of_metrics_are_found(expr: str, names: set[str]) -> None:
    assert metric_names(expr) == names
