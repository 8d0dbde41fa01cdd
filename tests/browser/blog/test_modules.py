"""Parts of the writers' scripts that no journey reaches in full, called in a page."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.browser.blog.visitor import Visit, Visitor
from titanium_blog.http.web.assets import asset

pytestmark = pytest.mark.e2e


def call(visitor: Visitor, module: str, name: str, *arguments: Any) -> Any:
    """What a function that a module exports answers, in a page of the blog."""
    return visitor.page.evaluate(
        "async ([address, name, parts]) => (await import(address))[name](...parts)",
        [asset(module), name, list(arguments)],
    )


def test_a_comparison_holds_both_texts_whole_and_what_is_the_same_is_the_same(
    visit: Visit,
) -> None:
    reader = visit()
    reader.go("/blog/login")
    chance = random.Random(6)  # noqa: S311 - the same texts each time
    pairs = [("", ""), ("a", ""), ("", "a"), ("a\nb\nc", "a\nc"), ("a\na", "a\na\na")]
    for _ in range(60):
        texts = ["\n".join(chance.choices("abc", k=chance.randrange(12))) for _ in range(2)]
        pairs.append((texts[0], texts[1]))
    pairs.append(("\n".join(map(str, range(5_000))), "\n".join(map(str, range(9_999, 5_000, -1)))))
    for mine, theirs in pairs:
        parts = call(reader, "diff.js", "compare", mine, theirs)
        assert [line for part in parts for line in part["mine"]] == mine.split("\n")
        assert [line for part in parts for line in part["theirs"]] == theirs.split("\n")
        assert all(part["mine"] == part["theirs"] for part in parts if part["same"])


def test_a_comparison_marks_no_more_than_what_differs(visit: Visit) -> None:
    reader = visit()
    reader.go("/blog/login")
    parts = call(reader, "diff.js", "compare", "one\ntwo\nthree\nfour", "one\n2\nthree\nfour\nfive")
    assert [part["mine"] for part in parts if not part["same"]] == [["two"], []]
    assert [part["theirs"] for part in parts if not part["same"]] == [["2"], ["five"]]


def test_words_that_the_server_stores_alike_are_no_change(visit: Visit) -> None:
    reader = visit()
    reader.go("/blog/login")
    words = {"title": "A title", "content": "one\ntwo", "category": "Caf\u00e9 notes"}
    other = {"title": " A title ", "content": "one\r\ntwo", "category": "Cafe\u0301  notes"}
    assert call(reader, "publication.js", "same", words, other)
    assert not call(reader, "publication.js", "same", words, {**other, "content": "one\ntwo "})
    assert not call(reader, "publication.js", "same", words, None)
