"""Five formats of one report; each says the same amounts and is well-formed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.tests.cost.support import fixture, priced, resource
from titanium.commands.cost import FORMATS as OFFERED
from titanium.cost.compare import compare, costs_in, costs_of, is_estimate
from titanium.cost.model import Component, Price, dollars
from titanium.cost.show import FORMATS, infracost, markdown
from titanium.cost.show.report import Report, price_of, quantity_of, signed
from titanium.errors import ConfigurationError

pytestmark = pytest.mark.unit

NASTY = 'module.a["<script>alert(1)</script>|`*@all*"].aws_eip.this'
MOMENT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def report(**more: Any) -> Report:
    change = fixture("change")
    assert change.before is not None
    estimate = priced(*change.resources)
    comparison = compare("what exists", costs_of(priced(*change.before)), costs_of(estimate))
    return replace(Report("change.json", estimate, MOMENT, comparison=comparison), **more)


def nasty() -> Report:
    one = replace(resource("aws_eip"), address=NASTY, module='module.a["<script>"]')
    return Report("<b>|plan", priced(one), MOMENT, budget=Decimal(1))


def test_the_command_offers_what_there_is() -> None:
    assert set(OFFERED) == set(FORMATS)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_has_the_total_and_ends_with_a_line(form: str) -> None:
    text = FORMATS[form](report())
    assert "404.74" in text or "404.7353" in text
    assert text.endswith("\n")


def test_the_table_is_aligned_and_has_modules_total_and_notes() -> None:
    text = FORMATS["table"](report(budget=Decimal(400), actions="the plan: 2 delete"))
    assert "TOTAL A MONTH  $404.74" in text
    assert re.search(r"^network +\$46\.72$", text, re.MULTILINE)
    assert "$4.74 above the budget of $400.00" in text
    assert "$43.87 less than what exists ($448.61)" in text
    assert "  - module.database.aws_instance.node[2]  -$43.87" in text
    assert "by usage: $0.059 per GB" in text
    assert "note: prices of ap-northeast-2, 2026-10-01" in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_json_has_the_field_names_of_infracost() -> None:
    data = json.loads(FORMATS["json"](report()))
    assert data["version"] == "0.2"
    assert data["currency"] == "USD"
    assert set(data) == {
        *("version", "metadata", "currency", "projects", "timeGenerated", "summary"),
        *("totalHourlyCost", "totalMonthlyCost", "pastTotalHourlyCost", "pastTotalMonthlyCost"),
        *("diffTotalHourlyCost", "diffTotalMonthlyCost"),
    }
    (project,) = data["projects"]
    assert set(project) == {
        *("name", "metadata", "pastBreakdown", "breakdown", "diff", "summary"),
    }
    found = {one["name"]: one for one in project["breakdown"]["resources"]}
    node = found["module.database.aws_instance.node[0]"]
    assert node["resourceType"] == "aws_instance"
    assert node["tags"]["Schedule"] == "office-hours"
    assert node["monthlyCost"] == "43.872"
    assert node["costComponents"][0] == {
        "name": "Instance (Linux, on demand, t2.medium)",
        "unit": "hours",
        "hourlyQuantity": "1",
        "monthlyQuantity": "730",
        "price": "0.0576",
        "hourlyCost": "0.0576",
        "monthlyCost": "42.048",
    }
    nat = found["module.network.aws_nat_gateway.this"]["costComponents"][1]
    assert (nat["monthlyQuantity"], nat["monthlyCost"]) == (None, None)
    assert Decimal(data["totalMonthlyCost"]) == report().estimate.total
    assert Decimal(data["diffTotalMonthlyCost"]) == Decimal("-43.872")
    assert data["summary"]["totalUnsupportedResources"] == 0
    assert project["breakdown"]["freeResources"][0]["metadata"]["reason"]


def test_json_never_writes_an_exponent() -> None:
    price = Price("x", Decimal(100), "month")
    one = replace(
        priced(resource("aws_eip")).priced[0], components=(Component("a", "b", price, Decimal(1)),)
    )
    text = infracost.render(replace(report(), estimate=replace(report().estimate, priced=(one,))))
    assert '"100"' in text
    assert "E+" not in text


def test_json_is_read_back_for_a_comparison() -> None:
    data = json.loads(FORMATS["json"](report()))
    assert is_estimate(data)
    assert costs_in(data, "x") == costs_of(report().estimate)


@pytest.mark.parametrize(
    "damaged",
    [
        {"projects": [{}]},
        {"projects": 1},
        {"projects": [{"breakdown": {"resources": [{"name": "a", "monthlyCost": "much"}]}}]},
    ],
)
def test_a_damaged_estimate_is_refused(damaged: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="looks like an estimate and is none"):
        costs_in(damaged, "old.json")


def test_markdown_begins_with_total_change_and_verdict() -> None:
    lines = FORMATS["markdown"](report(budget=Decimal(450))).splitlines()
    assert lines[0] == markdown.MARKER
    assert lines[1] == "### Cost: $404.74 a month"
    assert "$43.87 less than what exists ($448.61)." in lines
    assert "Within the budget of $450.00: $45.26 left." in lines
    assert "| network | $46.72 |" in lines
    assert "| `module.database.aws_instance.node[2]` | $43.87 |  | -$43.87 |" in lines


def test_markdown_marks_what_is_over_the_budget() -> None:
    assert "### ❌ Cost: $404.74" in FORMATS["markdown"](report(budget=Decimal(1)))


def test_names_cannot_break_out_of_markdown() -> None:
    text = FORMATS["markdown"](nasty())
    assert '`module.a["<script>alert(1)</script>¦\'*@all*"].aws_eip.this`' in text
    assert "<script>" not in re.sub(r"`[^`]*`", "", text)
    rows = [line for line in text.splitlines() if line.startswith("|") and "aws_eip" in line]
    assert all(row.count("|") == 6 for row in rows)


def test_names_cannot_break_out_of_html_and_svg() -> None:
    for form in ("html", "svg"):
        text = FORMATS[form](nasty())
        assert "<script" not in text
        assert "<b>" not in text


class Balanced(HTMLParser):
    """Fails on a tag that is closed and was not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_balanced_page_without_anything_from_elsewhere() -> None:
    for one in (report(budget=Decimal(100), actions="the plan: 1 create"), nasty()):
        text = FORMATS["html"](one)
        parser = Balanced()
        parser.feed(text)
        assert parser.open == []
        assert "<svg" in text
        assert not re.search(r'(src|href)="', text)


def test_svg_has_a_bar_for_the_total_and_each_module() -> None:
    for budget in (None, Decimal(300), Decimal(450)):
        root = ElementTree.fromstring(FORMATS["svg"](report(budget=budget)))  # noqa: S314 - our own
        texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"total", "(root)", "database", "network"} <= set(texts)
        marks = list(root.iter("{http://www.w3.org/2000/svg}line"))
        assert len(marks) == (0 if budget is None else 1)
        over = "missed" in [one.get("class") for one in root.iter()]
        assert over is (budget == 300)


def test_a_long_module_name_is_cut_in_the_chart() -> None:
    one = replace(resource("aws_eip"), module="module.a_name_that_goes_on_and_on")
    text = FORMATS["svg"](Report("p", priced(one), MOMENT))
    assert ">a_name_that_goes_o…<" in text


def test_an_empty_plan_has_every_format() -> None:
    empty = Report("nothing", priced(), MOMENT, budget=Decimal(1))
    for render in FORMATS.values():
        assert render(empty)
    assert "TOTAL A MONTH  $0.00" in FORMATS["table"](empty)


def test_the_budget_holds_to_the_cent() -> None:
    total = report().estimate.total
    assert str(total) != "404.74"
    assert not report(budget=Decimal("404.74")).over
    assert report(budget=Decimal("404.73")).over
    assert not report().over


def test_a_comparison_names_what_came_went_and_changed() -> None:
    before = {"a": Decimal(1), "b": Decimal(2), "same": Decimal(5), "cent": Decimal("1.001")}
    after = {"b": Decimal(5), "c": Decimal(4), "same": Decimal(5), "cent": Decimal(1)}
    result = compare("old", before, after)
    assert [(one.address, str(one.difference)) for one in result.changes] == [
        ("c", "4"),
        ("b", "3"),
        ("a", "-1"),
    ]
    assert result.difference == Decimal("5.999")


def test_amounts_in_words() -> None:
    assert dollars(Decimal("-3.005")) == "-$3.01"
    assert dollars(Decimal("1054.85")) == "$1,054.85"
    assert (signed(Decimal(3)), signed(Decimal(-3)), signed(Decimal(0))) == (
        "+$3.00",
        "-$3.00",
        "$0.00",
    )
    price = Price("x", Decimal(1), "hour")
    assert quantity_of(Component("a", "h", price, Decimal(1460))) == "1,460"
    assert quantity_of(Component("a", "h", price, Decimal("369.345"))) == "369.35"
    assert quantity_of(Component("a", "h", price, None)) == ""
    prices = [Price("x", Decimal(usd), "h") for usd in ("0.1", "5.00", "0.0576", "12")]
    shown = [price_of(Component("a", "h", one, None)) for one in prices]
    assert shown == ["$0.10 per h", "$5.00 per h", "$0.0576 per h", "$12.00 per h"]
