"""The part of LogQL that the console answers from log files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from titanium.console.prometheus import Prometheus
from titanium.dashboards.answers import Sources, ask
from titanium.dashboards.interpolate import Range
from titanium.dashboards.logql import Count, Stream, count, parse, select
from titanium.dashboards.model import DashboardError, Panel, Target
from titanium.logs import Line, LogFolder

pytestmark = pytest.mark.unit


def line(ts: float = 100.0, level: str = "info", service: str = "blog", **fields: Any) -> Line:
    raw = orjson.dumps({"level": level, "service": service, **fields}).decode()
    return Line(ts, level, service, f"{service}-0", fields.get("event", ""), fields=fields, raw=raw)


LINES = [
    line(101, event="request", status=200),
    line(103, "error", event="request", status=500, path='/a"b'),
    line(106, "warning", "auth", event="slow"),
]


def stream(text: str) -> list[Line]:
    expression = parse(text)
    assert isinstance(expression, Stream)
    return select(expression, LINES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{service="blog"}', [0, 1]),
        ('{service!="blog"}', [2]),
        ('{service=~"a.*|b.*"}', [0, 1, 2]),
        ('{service=~"blo"}', []),
        ('{service!~"a.+"}', [0, 1]),
        ('{service=~".+",level="error"}', [1]),
        ('{service=~".+"} |= "request" != "500"', [0]),
        ('{service=~".+"} |~ "s(low|tatus\\":5)"', [1, 2]),
        ('{service=~".+"} !~ `request`', [2]),
        ('{service=~".+"} |= ""', [0, 1, 2]),
        ('{service=~".+"} | json | status="500"', [1]),
        ('{service=~".+"} | json | status!="500" | event="request"', [0]),
        ('{service=~".+"} | json | level=~"warning|error"', [1, 2]),
        ('{service=~".+"} | json | path="/a\\"b"', [1]),
        ('{service=~".+"} | json | nowhere=""', [0, 1, 2]),
        ('{service=~".+"} | json | __error__=""', [0, 1, 2]),
    ],
)
def test_streams_choose_lines(text: str, found: list[int]) -> None:
    assert stream(text) == [LINES[at] for at in found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "character 1: expected {, sum, rate or count_over_time before 'the end'"),
        ("{}", "expected a label before '}'"),
        ('{job="x"}', r"labels out of service, level, process \(not job\)"),
        ('{service="x"} | logfmt', "expected = or != or =~ or !~ before 'the end'"),
        ('{service="x"} | status="500"', r"\| json before the filter of status"),
        ('{service="x"} |= 5', "expected a text in quotes before '5'"),
        ('{service=~"("}', "not a regular expression"),
        ('{service="x"} and', "expected the end before 'and'"),
        ('topk(5, {service="x"})', "expected sum, rate or count_over_time before 'topk"),
        ('rate({service="x"})', r"expected \[ before '\)'"),
        ('rate({service="x"}[0s])', "a length of time above 0"),
        ('sum(sum by (level) (rate({service="x"}[1m])))', "inside of sum"),
    ],
)
def test_what_is_not_understood_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DashboardError, match=message):
        parse(text)


def counted(text: str) -> dict[tuple[tuple[str, str], ...], list[float]]:
    expression = parse(text)
    assert isinstance(expression, Count)
    series = count(expression, LINES, Range(100, 110, 5))
    return {labels: [value for _, value in points] for labels, points in series.items()}


def test_counts_belong_to_the_window_that_ends_at_the_point() -> None:
    assert counted('sum(count_over_time({service=~".+"}[5s]))') == {(): [0, 2, 1]}
    assert counted('sum(count_over_time({service=~".+"}[10s]))') == {(): [0, 2, 3]}


def test_a_line_at_a_point_belongs_to_it_and_not_to_the_one_a_window_later() -> None:
    expression = parse('sum(count_over_time({service=~".+"}[5s]))')
    assert isinstance(expression, Count)
    series = count(expression, [line(105)], Range(100, 110, 5))
    assert [value for _, value in series[()]] == [0, 1, 0]


def test_labels_after_by_part_the_lines() -> None:
    for text in (
        'sum by (level) (rate({service="blog"} | json [5s]))',
        'sum(rate({service="blog"} | json [5s])) by (level)',
    ):
        assert counted(text) == {
            (("level", "info"),): [0, 0.2, 0],
            (("level", "error"),): [0, 0.2, 0],
        }


def test_nothing_is_zero() -> None:
    assert counted('sum by (level) (count_over_time({service="nobody"}[5s]))') == {
        (("level", ""),): [0, 0, 0]
    }


async def test_lines_and_counts_come_from_the_log_files(tmp_path: Path) -> None:
    """The newest lines first matter: what the folder holds is what the panel shows."""
    (tmp_path / "blog-0.log").write_text(
        "".join(
            f'{{"ts":"2026-01-01T00:00:{second:02}.000Z","level":"{level}","service":"blog",'
            f'"event":"e{second}"}}\n'
            for second, level in ((1, "info"), (2, "error"), (3, "info"))
        )
    )
    (tmp_path / "auth-0.log").write_text(
        '{"ts":"2026-01-01T00:00:02.500Z","level":"error","service":"auth","event":"other"}\n'
    )
    start = 1_767_225_600.0  # 2026-01-01T00:00:00Z
    sources = Sources(Prometheus("http://127.0.0.1:1"), LogFolder(tmp_path))
    panel = Panel(
        1, "logs", "t", "d", 0, 0, 24, 8,
        (
            Target("A", '{service="blog"} | json | level="error"', "loki"),
            Target("B", 'sum by (level) (count_over_time({service="blog"}[10s]))', "loki"),
        ),
    )  # fmt: skip
    lines, counts = await ask(panel, (), {}, Range(start, start + 10, 5), sources)
    assert [found.event for found in lines.lines] == ["e2"]
    newest = {series.labels["level"]: series.points[-1][1] for series in counts.series}
    assert newest == {"info": 2, "error": 1}
    assert counts.note == ""
