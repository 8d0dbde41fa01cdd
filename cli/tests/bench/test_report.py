"""docs/performance.md and its chart."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from cli.tests.bench.support import circumstances, report, result, steps
from titanium.bench.chart import Bar, draw
from titanium.bench.model import Report
from titanium.bench.report import chart, markdown, table

pytestmark = pytest.mark.unit

SVG = "{http://www.w3.org/2000/svg}"


def parse(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own document


def test_the_report_names_machine_date_versions_and_command() -> None:
    text = markdown(report(), circumstances())
    line = next(line for line in text.splitlines() if line.startswith("Measured on"))
    for part in ("2026-01-31", "`titanium bench`", "2 cores", "Some Processor", "8 GiB"):
        assert part in line
    assert "Python 3.11.7, Envoy 1.40.0" in line


def test_the_report_shows_every_step_with_its_share_and_percentiles() -> None:
    text = markdown(report(), circumstances())
    row = "| `cached-post` | what cached-post does | 4,500 | 45.0 % | 5.00 | 10.00 | 20.00 | 0 |"
    assert row in text
    # Mixed traffic comes at a fixed rate: a share of the limit would say nothing.
    assert "| `mixed` | what mixed does | 100 |  | 12.50 | 25.00 | 50.00 | 0 |" in text


def test_the_report_says_which_targets_were_missed() -> None:
    slow = {**steps(), "create": result("create", 400)}
    text = markdown(replace(report(), results=slow), circumstances())
    assert "| Creating posts, durable | at least 500 /s | 400 /s | **missed** |" in text
    assert text.count("| met |") == 13


def test_processor_time_is_shown_in_percent_and_for_each_request() -> None:
    text = markdown(report(), circumstances())
    assert "| `cached-post` | 50 |" in text
    assert "| `cached-post` | 0.111 |" in text  # half a core for 4,500 a second


def test_memory_is_shown_both_ways_with_sums() -> None:
    text = markdown(report(), circumstances())
    assert "| **all** | **800** | **400** | **1600** | **800** |" in text


def test_the_cost_of_observability_is_told_process_by_process() -> None:
    text = markdown(report(), circumstances())
    assert "950 requests a second with observability, 1,000" in text
    assert "5.0 % lost" in text
    assert "takes 10.0 % of one core" in text
    assert "| *prometheus* | 8.50 |  | 350 |" in text
    assert "| blog-0 | 2.00 | 0.50 | 1 |" in text


def test_logins_are_compared_with_the_hashes_of_the_same_run() -> None:
    assert "50.0 verifications a second; logins reach 80.0 % of that" in markdown(
        report(), circumstances()
    )


def test_the_report_tells_nothing_about_whose_machine_it_was() -> None:
    text = markdown(report(), circumstances())
    assert platform.node() not in text
    assert not re.search(r"/(home|tmp|root|Users)/", text)


def test_a_report_without_measurements_is_still_a_document() -> None:
    text = markdown(Report({}), circumstances())
    assert text.startswith("# Performance\n")
    assert "## Memory" not in text
    assert "## Observability" not in text
    assert "## Start" not in text


def test_every_table_of_the_report_is_rectangular() -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", markdown(report(), circumstances()), re.MULTILINE)
    assert len(blocks) >= 5
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_a_table_aligns_numbers_to_the_right() -> None:
    assert table(("a", "b"), [("x", "1")], "lr") == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_the_chart_is_well_formed_and_has_a_bar_for_each_step_but_the_mixed_one() -> None:
    root = parse(chart(report()))
    assert root.tag == f"{SVG}svg"
    drawn = [one for one in root.iter(f"{SVG}rect") if one.get("class") != "track"]
    assert len(drawn) == len(steps()) - 1


def test_the_chart_has_its_figures_as_text_for_those_who_cannot_see_it() -> None:
    description = parse(chart(report())).find(f"{SVG}desc")
    assert description is not None
    assert "cached-post: 4,500/s · 45.0 %" in (description.text or "")


def test_the_chart_follows_the_readers_light_or_dark_setting() -> None:
    assert "prefers-color-scheme: dark" in chart(report())


def test_texts_cannot_break_the_chart() -> None:
    root = parse(draw("<a> & b", '"', [Bar("<script>", 0.5, "x & y")]))
    assert [one.text for one in root.iter(f"{SVG}text")] == ["<a> & b", "<script>", "x & y", '"']


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.5, 1.0, 7.0])
def test_a_bar_never_leaves_its_track(share: float) -> None:
    track, bar = parse(draw("", "", [Bar("a", share, "")])).iter(f"{SVG}rect")
    assert 0 <= float(bar.get("width", "-1")) <= float(track.get("width", "0"))


def test_a_bar_below_its_target_looks_different() -> None:
    assert Bar("a", 0.4, "", 0.45).style == "missed"
    assert Bar("a", 0.45, "", 0.45).style == "bar"
    assert Bar("a", 0.4, "").style == "reference"
