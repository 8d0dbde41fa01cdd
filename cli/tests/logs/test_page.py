"""The logs page: its address holds the filters, and no line becomes markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanium.console.loglines import rows
from titanium.console.pages.logs import Filters
from titanium.logs.parse import parse

pytestmark = pytest.mark.unit

ALLOWED = {"details", "summary", "time", "b", "span", "small", "i", "dl", "dt", "dd", "pre", "a"}


class Tags(HTMLParser):
    """Collects elements and attributes, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


def harmless(html: str) -> None:
    found = Tags(html)
    assert found.tags <= ALLOWED
    assert found.attributes <= {"class", "title", "href"}
    assert all(one.startswith(("/logs?", "/traces/", "/services/")) for one in found.links)


def test_a_line_links_to_its_trace_and_its_request() -> None:
    trace = "0123456789abcdef" * 2
    members = {"ts": "2026-11-20T03:00:00Z", "event": "x", "request_id": "a b", "trace_id": trace}
    html = rows([parse(json.dumps(members).encode(), "blog-0", 1.0)])
    assert f'href="/traces/{trace}"' in html
    assert f'href="/logs?trace_id={trace}"' in html
    assert 'href="/logs?request_id=a%20b"' in html
    assert 'href="/services/blog"' in html
    harmless(html)


def test_what_a_request_was_comes_first() -> None:
    members = {"event": "request", "bytes": 1, "status": 200, "path": "/x", "method": "GET"}
    html = rows([parse(json.dumps(members).encode(), "gateway-access", 1.0)])
    brief = html.partition("<small>")[2].partition("</small>")[0]
    names = [part.partition("</i>")[0] for part in brief.split("<i>")[1:]]
    assert names == ["method", "path", "status", "bytes"]


def test_a_hostile_line_is_text() -> None:
    evil = "</pre></dl></details><script>alert(1)</script><img src=x onerror='alert(1)' \">"
    members = {"event": evil, evil: evil, "request_id": evil, "trace_id": evil, "level": evil}
    for raw in (json.dumps(members), evil, f"ts=1 level=info msg={evil}"):
        html = rows([parse(raw.encode(), f"x{evil}-0", 1.0)])
        assert "<script" not in html
        assert "<img" not in html
        harmless(html)


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.lists(st.text()))))
def test_no_member_becomes_markup(members: dict[str, object]) -> None:
    harmless(rows([parse(json.dumps(members).encode(), "blog-0", 1.0)]))


def test_a_megabyte_is_cut_and_says_so() -> None:
    members = {"event": "e" * 1_000_000, "x": "y" * 1_000_000, **{f"k{n}": n for n in range(999)}}
    html = rows([parse(json.dumps(members).encode(), "blog-0", 1.0)])
    assert len(html) < 40_000
    assert "1,000,000 characters" in html
    assert "more members" in html


def test_a_page_of_large_lines_is_bounded() -> None:
    """However much each of them says: a browser has to take all of it."""
    members = {"event": "e" * 9_000, **{f"k{n}": "y" * 9_000 for n in range(60)}}
    line = parse(json.dumps(members).encode(), "blog-0", 1.0)
    assert len(rows([line] * 300)) < 8_000_000
    assert len(rows([line] * 2_000)) < 16_000_000


def test_an_address_and_its_filters_are_the_same() -> None:
    filters = Filters("blog", "error", "a&b=c/d 한", "r", "AB", "1h")
    address = filters.address
    assert address.startswith("/logs?service=blog&level=error&text=a%26b%3Dc%2Fd+")
    query = filters.query(10_000.0)
    assert query.services == {"blog"}
    assert query.levels == {"error", "critical"}
    assert (query.text, query.request_id, query.trace_id) == ("a&b=c/d 한", "r", "ab")
    assert query.since == 6400.0
    assert Filters().address == "/logs"


def test_an_address_that_makes_no_sense_is_read_as_well_as_it_can_be() -> None:
    found = Filters.of({"level": "loud", "since": "1y", "text": "x" * 9999, "other": "y"})
    assert found == Filters(text="x" * 500)
