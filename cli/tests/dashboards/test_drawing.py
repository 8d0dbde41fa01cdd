"""Panels drawn: ECharts options and HTML from answers, without a browser."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from titanium.console.prometheus import Series
from titanium.dashboards import blocks, charts
from titanium.dashboards.answers import Answer
from titanium.dashboards.figures import COLORS, color_of, written
from titanium.dashboards.interpolate import Range
from titanium.dashboards.model import DashboardError, Panel, Target
from titanium.logs import Line

pytestmark = pytest.mark.unit

SPAN = Range(0, 300, 5)
STEPS = ((-math.inf, "green"), (0.5, "orange"), (1.0, "red"))


def panel(kind: str = "timeseries", **options: Any) -> Panel:
    return Panel(1, kind, "A title", "Why it matters.", 0, 0, 12, 8, **options)


def answer(*series: Series, legend: str = "{{service}}", ref: str = "A") -> Answer:
    return Answer(Target(ref, "x", "prometheus", legend), list(series))


BLOG = Series({"service": "blog"}, [(0, 0.1), (5, 0.2)])
AUTH = Series({"service": "auth"}, [(5, 0.6)])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0042, "s", "4.2 ms"),
        (4.2, "ms", "4.2 ms"),
        (0.5, "percentunit", "50 %"),
        (0.00123, "percentunit", "0.12 %"),
        (12_345_678, "bytes", "12.3 MB"),
        (2000, "Bps", "2 kB/s"),
        (4.11, "reqps", "4.11 /s"),
        (1234, "short", "1,234"),
        (90_000, "dtdurations", "1 d 1 h"),
        (0, "s", "0"),
        (math.nan, "s", "–"),
        (None, "short", "–"),
        (math.inf, "short", "–"),
    ],
)
def test_values_are_written_for_people(value: float | None, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(DashboardError, match="'furlongs'"):
        written(1, "furlongs")


def test_the_highest_threshold_that_is_reached_gives_the_colour() -> None:
    assert color_of(0.1, STEPS) == COLORS["green"]
    assert color_of(0.5, STEPS) == COLORS["orange"]
    assert color_of(7, STEPS) == COLORS["red"]
    assert color_of(math.nan, STEPS) == COLORS["text"]


def test_lines_have_names_milliseconds_and_the_whole_range() -> None:
    options = charts.draw(panel(unit="ms"), [answer(BLOG, AUTH)], SPAN)
    assert [series["name"] for series in options["series"]] == ["auth", "blog"]
    assert options["series"][1]["data"] == [[0, 0.0001], [5000, 0.0002]]
    assert (options["xAxis"]["min"], options["xAxis"]["max"]) == (0, 300_000)


def test_stacked_series_meet_at_every_moment() -> None:
    drawn = panel(custom={"stacking": {"mode": "normal"}})
    options = charts.draw(drawn, [answer(BLOG, AUTH)], SPAN)
    assert [series["data"][0] for series in options["series"]] == [[0, 0.0], [0, 0.1]]
    assert {series["stack"] for series in options["series"]} == {"all"}


def test_bars_and_colours_by_name() -> None:
    overrides = {"blog": {"color": {"mode": "fixed", "fixedColor": "red"}}}
    drawn = panel(custom={"drawStyle": "bars"}, overrides=overrides)
    options = charts.draw(drawn, [answer(BLOG)], SPAN)
    assert options["series"][0]["type"] == "bar"
    assert options["series"][0]["itemStyle"] == {"color": COLORS["red"]}


def test_a_hole_in_the_data_is_a_hole_in_the_line() -> None:
    holed = Series({}, [(0, 1.0), (200, 1.0)])
    options = charts.draw(panel(), [answer(holed)], SPAN)
    assert options["series"][0]["data"] == [[0, 1.0], [5000, None], [200_000, 1.0]]


def test_thresholds_are_drawn_when_the_values_come_near_them() -> None:
    drawn = panel(steps=STEPS, custom={"thresholdsStyle": {"mode": "line"}})
    near = charts.draw(drawn, [answer(AUTH)], SPAN)
    assert [one["yAxis"] for one in near["series"][0]["markLine"]["data"]] == [0.5, 1.0]
    far = charts.draw(drawn, [answer(Series({}, [(0, 0.01)]))], SPAN)
    assert far["series"][0]["markLine"]["data"] == []


@pytest.mark.parametrize("kind", sorted(charts.CHARTS))
@pytest.mark.parametrize("series", [[], [BLOG], [BLOG, AUTH], [Series({}, [(0, math.nan)])]])
def test_every_chart_is_json_whatever_the_answer(kind: str, series: list[Series]) -> None:
    drawn = panel(kind, unit="percentunit", steps=STEPS, minimum=0, maximum=1)
    json.dumps(charts.draw(drawn, [answer(*series)], SPAN), allow_nan=False)


def test_a_gauge_writes_its_value() -> None:
    drawn = panel("gauge", unit="percentunit", steps=STEPS, maximum=2)
    dial = charts.draw(drawn, [answer(AUTH)], SPAN)["series"][0]
    assert dial["detail"]["formatter"] == "60 %"
    bands = [[0.25, COLORS["green"]], [0.5, COLORS["orange"]], [1.0, COLORS["red"]]]
    assert dial["axisLine"]["lineStyle"]["color"] == bands


def test_a_full_bar_says_how_much_it_is() -> None:
    drawn = panel("bargauge", unit="dtdurations", maximum=60)
    bar = charts.draw(drawn, [answer(Series({}, [(0, 3600)]))], SPAN)["series"][0]["data"][0]
    assert (bar["value"], bar["label"]["formatter"]) == (60, "1 h")


def html(drawn: Panel, *answers: Answer) -> str:
    return blocks.draw(drawn, answers, lambda text: f"<p>{text}</p>")


def test_a_stat_shows_its_newest_number_with_its_colour() -> None:
    shown = html(panel("stat", unit="percentunit", steps=STEPS), answer(BLOG))
    assert "20 %" in shown
    assert COLORS["green"] in shown
    assert "no data" in html(panel("stat"), answer())


def test_a_table_merges_its_queries_by_labels() -> None:
    drawn = panel(
        "table",
        overrides={
            "Errors": {"unit": "percentunit", "thresholds": STEPS},
            "Service": {"links": [{"url": "/d/titanium-service?var-service=${__value.raw}"}]},
        },
        transformations={
            "organize": {
                "renameByName": {"Value #A": "Errors", "service": "Service", "Value #B": "Rate"},
                "indexByName": {"service": 0, "Value #A": 1, "Value #B": 2},
            }
        },
    )
    shown = html(drawn, answer(BLOG, AUTH), answer(BLOG, ref="B"))
    assert shown.index("Service") < shown.index("Errors") < shown.index("Rate")
    assert shown.count("<tr>") == 3
    assert 'href="/dashboards/titanium-service?service=auth"' in shown
    assert "60 %" in shown
    assert "–" in shown


def test_names_from_outside_are_text_and_no_html() -> None:
    evil = "<img src=x onerror=alert(1)>"
    series = Series({"service": evil}, [(0, 1.0)])
    rename = {"organize": {"renameByName": {"service": "Service"}}}
    lines = Answer(Target("A", "x", "loki"), lines=[Line(0, "info", evil, evil, evil, raw=evil)])
    for shown in (
        html(panel("stat"), answer(series, series)),
        html(panel("table", transformations=rename), answer(series)),
        html(panel("logs"), lines),
    ):
        assert "&lt;img" in shown
        assert "<img" not in shown


def test_text_goes_through_the_markdown_renderer() -> None:
    assert html(panel("text", options={"content": "words"})) == "<p>words</p>"


def test_a_kind_that_nobody_draws_is_named() -> None:
    with pytest.raises(DashboardError, match="'heatmap'"):
        html(panel("heatmap"))
