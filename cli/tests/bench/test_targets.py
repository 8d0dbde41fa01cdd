"""What the platform has to reach, on the edge and just beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.tests.bench.support import load, login, memory, observability, report, result, steps
from titanium.bench.model import MIXED, Growth, Memory, Report, Result, Round
from titanium.bench.targets import TARGETS, judge

pytestmark = pytest.mark.unit


def missed(found: Report) -> list[str]:
    return [verdict.target.title for verdict in judge(found) if not verdict.met]


def test_a_report_on_the_edge_meets_every_target() -> None:
    assert len(judge(report())) == len(TARGETS)
    assert missed(report()) == []


@pytest.mark.parametrize(
    ("step", "title"),
    [
        (result("cached-post", 4499), "Cached post, share of the limit"),
        (result("cached-list", 4499), "Cached list, share of the limit"),
        (result("uncached-post", 1499), "Uncached post, share of the limit"),
        (result("create", 499), "Creating posts, durable"),
        (login(39.5, 50), "Logins, share of the argon2id rate"),
        (result(MIXED, 100, p95=25.1), "Mixed traffic, 95th percentile"),
        (Result(MIXED, "", (Round(load(100, broken=1)),)), "Mixed traffic, errors"),
        (Result("search", "", (Round(load(100, refused=1)),)), "All other steps, errors"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_step_just_beside_its_target_misses_it_alone(step: Result, title: str) -> None:
    assert missed(replace(report(), results={**steps(), step.name: step})) == [title]


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (replace(report(), second_start=8.1), "Second start"),
        (replace(report(), loaded=memory(802)), "Resident memory of the platform"),
        (replace(report(), idle=memory(802)), "Resident memory of the platform"),
        (replace(report(), growth=Growth(1, 2, 2.0, 3.1)), "List page with many posts"),
        (replace(report(), observability=observability(rate=949)), "Cached posts lost to"),
        (replace(report(), observability=observability(megabytes=351)), "Memory of all processes"),
        (replace(report(), observability=observability(idle=8.6)), "Observability at rest"),
    ],
)
def test_what_is_no_step_can_miss_too(found: Report, title: str) -> None:
    assert [name.startswith(title) for name in missed(found)] == [True]


def test_what_was_not_measured_is_not_judged() -> None:
    assert judge(Report({})) == []
    only = judge(Report({"cached-post": result("cached-post", 9000)}))
    assert [verdict.target.title for verdict in only] == [
        "Cached post, share of the limit",
        "All other steps, errors",
    ]


def test_the_platforms_memory_leaves_out_what_only_observes() -> None:
    beside = Memory({**memory(800).processes, "prometheus": (0, 340_000_000)})
    assert missed(replace(report(), loaded=beside)) == []
    heavy = Memory({**memory(800).processes, "prometheus": (0, 360_000_000)})
    assert missed(replace(report(), loaded=heavy)) == [
        "Memory of all processes that observe, shared pages once"
    ]


def test_a_run_that_was_faster_with_observability_lost_nothing() -> None:
    found = replace(report(), observability=observability(rate=1100))
    assert missed(found) == []


def test_figures_are_written_as_people_read_them() -> None:
    texts = {verdict.target.title: verdict for verdict in judge(report())}
    cached = texts["Cached post, share of the limit"]
    assert cached.target.words == "at least 45 %"
    assert cached.target.text(0.4567) == "45.7 %"
    assert texts["Mixed traffic, 95th percentile"].target.words == "at most 25 ms"
    assert texts["Creating posts, durable"].target.text(1234.56) == "1,235 /s"
    assert texts["Mixed traffic, errors"].target.text(0) == "0"
