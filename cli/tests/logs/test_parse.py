"""Every line of every log becomes a Line: known formats are taken apart, none raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanium.logs.model import LEVELS, Line, service_of
from titanium.logs.parse import parse
from titanium.logs.show import as_json, printable, readable

pytestmark = pytest.mark.unit

TS = datetime(2026, 11, 21, 3, 0, 0, 125000, UTC).timestamp()


def line(text: str, process: str = "blog-0") -> Line:
    return parse(text.encode(), process, 1.0)


def test_a_line_of_an_app_has_its_members() -> None:
    text = (
        '{"event":"request","level":"warning","ts":"2026-11-21T03:00:00.125000Z","service":"blog",'
        '"instance":"blog-0","request_id":"r","trace_id":"t","status":200}'
    )
    found = line(text)
    assert (found.ts, found.level, found.service, found.process) == (
        TS,
        "warning",
        "blog",
        "blog-0",
    )
    assert (found.event, found.request_id, found.trace_id) == ("request", "r", "t")
    assert found.fields == {"instance": "blog-0", "status": 200}
    assert found.raw == text


def test_the_gateways_line_has_the_trace_of_its_traceparent() -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    found = line(json.dumps({"event": "request", "traceparent": parent}), "gateway-access")
    assert (found.service, found.trace_id) == ("gateway", "a" * 32)


@pytest.mark.parametrize(
    ("text", "level", "event", "fields"),
    [
        (
            "2026-11-21 03:00:00.125 UTC [30561] titanium@postgres FATAL:  starting up",
            "critical",
            "starting up",
            {"pid": 30561, "user": "titanium", "database": "postgres"},
        ),
        ("2026-11-21 03:00:00.125 UTC [1] LOG:  ready", "info", "ready", {"pid": 1}),
        (
            "[2026-11-21 03:00:00.125][12][error][main] [source/x.cc:1] no",
            "error",
            "[source/x.cc:1] no",
            {"logger": "main"},
        ),
        (
            'ts=2026-11-21T03:00:00.125Z caller=main.go:5 level=warn msg="a \\"b\\"" err=x',
            "warning",
            'a "b"',
            {"caller": "main.go:5", "err": "x"},
        ),
        (
            'time=2026-11-21T03:00:00.125Z level=INFO source=main.go:5 msg="ready"',
            "info",
            "ready",
            {"source": "main.go:5"},
        ),
        ("1795230000:signal-handler (1795230000) Received", "warning", "Received", None),
    ],
)
def test_formats_of_other_programs_are_known(
    text: str, level: str, event: str, fields: dict[str, object] | None
) -> None:
    found = line(text)
    assert (found.level, found.event) == (level, event)
    assert found.ts == pytest.approx(TS, abs=1)
    assert fields is None or {**found.fields, "time": None} | fields == {
        **found.fields,
        "time": None,
    }


def test_valkey_writes_local_time() -> None:
    found = line("29439:M 21 Nov 2026 02:06:46.314 # WARNING Memory", "redis")
    local = datetime(2026, 11, 21, 2, 6, 46, 314000).timestamp()  # noqa: DTZ001 - as it writes it
    assert (found.ts, found.level, found.event) == (local, "warning", "WARNING Memory")


def test_a_damaged_object_keeps_what_can_be_read() -> None:
    found = line('{"ts":"2026-11-21T03:00:00.125Z","level":"error","event":"half a li')
    assert (found.ts, found.level) == (TS, "error")
    assert found.event.startswith("{")


def test_a_line_without_a_time_gets_that_of_its_neighbour() -> None:
    assert line("Traceback (most recent call last):").ts == 1.0
    assert line("Traceback (most recent call last):").level == "error"
    assert line("ValueError: no").level == "error"
    assert line("  in between").level == "info"


@pytest.mark.parametrize("ts", ["true", "1e400", "-5", '"x"', '"9999-99-99"', "NaN", "[]", '""'])
def test_a_time_that_is_none_is_ignored(ts: str) -> None:
    assert line(f'{{"ts":{ts},"event":"x"}}').ts == 1.0


def test_members_of_unexpected_types_are_shown_all_the_same() -> None:
    deep = "[" * 5000 + "]" * 5000
    found = line(f'{{"event":{{"a":1}},"level":7,"request_id":5,"trace_id":{{}},"x":{deep}}}')
    assert found.raw.startswith("{")
    assert line('{"event":{"a":1},"request_id":5}').event == '{"a": 1}'
    assert line('{"event":{"a":1},"request_id":5}').request_id == "5"
    assert line('{"event":"\\ud800"}').event == "?"


def test_processes_belong_to_services() -> None:
    names = ("blog-0", "blog-12-sidecar", "gateway-access", "auth-admin", "migrate-user", "redis")
    assert [service_of(name) for name in names] == [
        *("blog", "blog", "gateway", "auth", "user", "redis")
    ]
    assert service_of("blog-comments-0") == "blog-comments"


_SEEDS = st.sampled_from(
    [
        b'{"ts":"2026-11-21T03:00:00Z","event":"x","level":"info"}',
        b"2026-11-21 03:00:00.125 UTC [1] a@b LOG:  x",
        b"29439:M 21 Nov 2026 02:06:46.314 # x",
        b"[2026-11-21 03:00:00.125][12][error][main] x",
        b'ts=2026-11-21T03:00:00.125Z level=info msg="x"',
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good line with something cut out, and something else in its place."""
    seed = draw(_SEEDS)
    start = draw(st.integers(0, len(seed)))
    end = draw(st.integers(start, len(seed)))
    return seed[:start] + draw(st.binary(max_size=20)) + seed[end:]


@given(st.one_of(st.binary(), damaged(), st.text().map(str.encode)))
def test_no_line_raises_or_harms_a_terminal(raw: bytes) -> None:
    found = parse(raw, "blog-0", 5.0)
    assert found.level in LEVELS
    assert 0 <= found.ts < 2**33
    shown = readable(found, 10)
    for code in ("\x1b[90m", "\x1b[0m", "\x1b["):
        shown = shown.replace(code, "")
    assert shown.isprintable() or not {"\x1b", "\n", "\r", "\x07"} & set(shown)
    json.loads(as_json(found))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=10,
)
NAMES = st.sampled_from(["ts", "level", "event", "msg", "request_id", "trace_id", "traceparent"])


@given(st.dictionaries(st.one_of(NAMES, st.text()), JSON))
def test_no_object_raises(members: dict[str, object]) -> None:
    found = parse(json.dumps(members).encode(), "blog-0", 5.0)
    assert isinstance(found.event, str)
    assert isinstance(found.request_id, str)
    readable(found, 10)
    json.loads(as_json(found))


def test_control_characters_become_visible() -> None:
    assert printable("a\x1b[31m\nb\u202e") == "a\\x1b[31m\\nb\\u202e"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "ts=" + "a" * 1_000_000,
        "x=" * 500_000,
        "ts=1 " + "@" * 1_000_000,
        "2026-11-21 03:00:00.1 UTC [1] " + "@" * 1_000_000,
        '{"' * 500_000,
        'ts=1 a="' * 100_000,
        "A." * 500_000,
        "[" * 1_000_000,
        "1" * 1_000_000,
    ],
)
def test_no_megabyte_takes_long(text: str) -> None:
    began = datetime.now(UTC)
    line(text)
    assert (datetime.now(UTC) - began).total_seconds() < 2
