"""The small pieces: numbers for people, charts, settings, runbooks, what is kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.tests.console.support import NOW, process
from titanium.checkout import checkout
from titanium.console import charts, signals, widgets
from titanium.console.cpu import CpuMeter
from titanium.console.injections import Injection, Injections
from titanium.console.notifications import KEEP, Notifications, Webhook
from titanium.console.pages.runbooks import rendered
from titanium.console.pages.service import public_settings
from titanium.console.prometheus import Series
from titanium.console.signals import Ranges

pytestmark = pytest.mark.unit
_LINKS = re.compile(r'href="/(runbooks|how-to)/([^"#]*)#?([^"]*)"')


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0 ms"),
        (0.00123, "1.23 ms"),
        (0.25, "250 ms"),
        (0.9999, "1 s"),
        (12.5, "12.5 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7200, "2 h"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    """As people say them."""
    assert widgets.duration(seconds) == text


def test_numbers_are_short() -> None:
    """Three digits that mean something; what is unknown is a dash."""
    assert widgets.number(0.0562) == "0.0562"
    assert widgets.number(1234.5) == "1,234"
    assert widgets.number(float("inf")) == "–"
    assert widgets.percent(0.00123, 2) == "0.12 %"
    assert widgets.percent(1.0) == "100 %"
    assert widgets.percent(None) == "–"
    assert widgets.size(999) == "999 B"
    assert widgets.size(14_200_000) == "14.2 MB"
    assert widgets.size(999_600) == "1 MB"
    assert widgets.ago(NOW - 150, NOW) == "2 min ago"
    assert widgets.ago(NOW + 5, NOW) == "just now"


def test_a_sparkline_of_nothing_is_a_base_line() -> None:
    """No division by zero, no gap in the table."""
    for points in ([], [(1.0, 0.0)], [(1.0, 0.0), (2.0, 0.0)], [(1.0, float("nan")), (2.0, 1.0)]):
        assert "H96" in widgets.sparkline(points)
    assert "nan" not in widgets.sparkline([(1.0, 1.0), (2.0, float("nan")), (3.0, 2.0)])


def ranges() -> Ranges:
    points = [(NOW - 900 + 5 * step, 0.001 * step) for step in range(181)]
    return Ranges(NOW, {signals.ERRORS: [Series({"service": "gateway"}, points)]})


def test_the_moment_of_an_injection_is_marked() -> None:
    """In the last minutes, not outside of them."""
    options = charts.zoom(
        charts.errors(ranges(), "gateway"), 300, [(NOW - 60, "blog"), (NOW - 600, "auth")]
    )
    (series,) = options["series"]
    assert [mark["name"] for mark in series["markLine"]["data"]] == ["blog"]
    assert min(moment for moment, _ in series["data"]) >= (NOW - 305) * 1000
    assert options["xAxis"]["min"] == (NOW - 300) * 1000


def test_an_axis_of_errors_never_magnifies_nothing() -> None:
    """One per cent at least; a round number above what there is."""
    assert charts.errors(Ranges(), "gateway")["yAxis"]["max"] == 0.01
    assert charts.errors(ranges(), "gateway")["yAxis"]["max"] == 0.2


def test_values_that_are_no_numbers_are_gaps() -> None:
    """JSON has no NaN."""
    drawn = widgets.line("x", [(1.0, float("nan")), (2.0, float("inf")), (3.0, 1.5)])
    assert [value for _, value in drawn["data"]] == [None, None, 1.5]


def test_settings_are_shown_without_secrets() -> None:
    """The path of a secret's file is none; a password in a URL is."""
    shown = dict(
        public_settings(
            {
                "API_TOKEN": "abc",
                "SECRETS_DIR": "/home/secrets/blog",
                "DATABASE_URL": "postgresql://me:pw@/blog",
                "JWT_ISSUER": "http://auth",
                "PATH": "/usr/bin",
            }
        )
    )
    assert shown["API_TOKEN"] == "(hidden)"
    assert shown["SECRETS_DIR"] == "/home/secrets/blog"
    assert "pw" not in shown["DATABASE_URL"]
    assert "PATH" not in shown


def test_runbooks_are_clean_html_that_links_within_the_console(tmp_path: Path) -> None:
    """Scripts in a file are not run."""
    path = tmp_path / "runbooks/A.md"
    path.parent.mkdir()
    path.write_text(
        "# A\n\nSee [B](B.md), [how](../how-to/operate.md#back-up), "
        "[rules](../../monitoring/rules).\n\n"
        "<script>x</script>\n\n| a |\n|---|\n| 1 |\n\n## Back up, `now`\n"
    )
    html = rendered(path, 1)
    assert 'href="/runbooks/B"' in html
    assert 'href="/how-to/operate#back-up"' in html
    assert "rules." in html
    assert "monitoring/rules" not in html
    assert '<h2 id="back-up-now">' in html
    assert "<script" not in html
    assert "<table>" in html


def test_every_link_of_a_runbook_leads_to_a_page() -> None:
    """With its heading, where it names one: nobody wants a dead end at night."""
    docs = checkout() / "docs"
    for path in sorted((docs / "runbooks").glob("*.md")):
        for page, name, place in _LINKS.findall(rendered(path, 0)):
            target = docs / page / f"{name}.md"
            assert target.is_file(), f"{path.name}: {page}/{name}"
            assert not place or f'id="{place}"' in rendered(target, 0), f"{path.name}: #{place}"


def test_what_is_kept_is_bounded() -> None:
    """However much Alertmanager tells and an operator breaks."""
    told, broken = Notifications(), Injections()
    delivery = Webhook.model_validate(
        {"alerts": [{"status": "firing", "labels": {"alertname": str(n)}} for n in range(300)]}
    )
    told.add(delivery)
    for number in range(300):
        broken.add(Injection("blog", str(number), "done"))
    assert len(told) == KEEP
    assert told.newest_first[0].name == "299"
    assert len(broken.newest_first) == 100


def test_cpu_is_averaged_and_possible() -> None:
    """Not of a process that was just restarted, nor more than the machine has."""
    meter = CpuMeter()
    assert meter.shares([process("a", cpu=1.0, pid=1), process("b", cpu=1.0, pid=2)], NOW) == {}
    later = [
        process("a", cpu=2.0, pid=1),
        process("b", cpu=1.0, pid=3),
        process("c", cpu=5.0, pid=4),
    ]
    assert meter.shares(later, NOW + 4) == {"a": 0.25}
    assert meter.shares([process("a", cpu=10_000.0, pid=1)], NOW + 5) == {}
