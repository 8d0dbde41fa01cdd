"""The traces pages: a clear picture, no markup from spans; and the request that is traced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.tests.traces.support import TRACE, span
from titanium.console.spans import breakdown, log_links, span_facts, trace_table, waterfall_html
from titanium.errors import TitaniumError, UsageError
from titanium.traces import Event, Span, Trace, TraceStore, waterfall
from titanium.traces.ask import trace_request

EVIL = '</div><script>alert(1)</script>"\' onclick=alert(1) x="'


def trace(*spans: Span) -> Trace:
    return Trace(TRACE, tuple(spans), dropped=3)


@pytest.mark.unit
def test_a_waterfall_shows_place_length_depth_and_state() -> None:
    found = trace(
        span(1, 0, 0, 100, "gateway"),
        span(2, 1, 25, 75, "blog", "error", service__instance__id="blog-0", component="proxy"),
    )
    html = waterfall_html(found, waterfall(found), f"{2:016x}")
    assert "left:25.000%;width:50.000%" in html
    assert 'class="span error critical chosen"' in html
    assert "padding-left:14px" in html
    assert "<b>blog-0 sidecar</b>" in html
    assert "3 spans were too many" in html
    parts = breakdown(waterfall(found))
    assert parts.index("blog") < parts.index("gateway") or "gateway 50 ms (50 %)" in parts
    assert "(50 %)" in parts


@pytest.mark.unit
def test_nothing_in_a_span_becomes_markup() -> None:
    one = span(1, 0, 0, 100, EVIL, x=EVIL, **{"guid:x-request-id": EVIL})
    hostile = Span(
        **{
            **{name: getattr(one, name) for name in Span.__slots__},
            "name": EVIL,
            "events": (Event(one.start_ns, EVIL, {EVIL: EVIL}),),
        }
    )
    store = TraceStore()
    store.add([hostile])
    found = trace(hostile)
    rows = waterfall(found)
    for html in (
        waterfall_html(found, rows, ""),
        breakdown(rows),
        span_facts(hostile, rows[0]),
        trace_table(store.list(), 0.0),
        log_links(found),
    ):
        assert "<script" not in html
        assert 'onclick=alert(1) x="' not in html


@pytest.mark.unit
def test_an_enormous_trace_is_drawn_in_part() -> None:
    found = trace(*(span(n, 1 if n > 1 else 0, n, n + 1) for n in range(1, 2001)))
    html = waterfall_html(found, waterfall(found), "")
    assert html.count('role="listitem"') == 400
    assert "1,600 more spans" in html


@pytest.mark.unit
def test_links_lead_to_the_logs_of_the_request() -> None:
    html = log_links(trace(span(1, **{"guid:x-request-id": "r-1"})))
    assert "/logs?request_id=r-1" in html
    assert f"/logs?trace_id={TRACE}" in html


@pytest.fixture
def gateway() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A server on a free port, and the headers of the requests that it was sent."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append({**{k.lower(): v for k, v in self.headers.items()}, "path": self.path})
            self.send_response(503)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"no")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, heard
        server.shutdown()
        thread.join()


@pytest.mark.integration
def test_the_request_asks_to_be_traced(gateway: tuple[int, list[dict[str, str]]]) -> None:
    port, heard = gateway
    asked = trace_request(port, "/api/posts?limit=5")
    assert asked.status == 503
    assert heard[0]["path"] == "/api/posts?limit=5"
    version, trace_id, _, flags = heard[0]["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", asked.trace_id, "01")


@pytest.mark.integration
@pytest.mark.parametrize("path", ["", "api", "/a b", "/\r\nX: y", "http://x/", "/한", "/" * 3000])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        trace_request(1, path)


@pytest.mark.integration
def test_a_gateway_that_is_away_is_said_in_words() -> None:
    with pytest.raises(TitaniumError, match="port 1 did not answer"):
        trace_request(1, "/")
