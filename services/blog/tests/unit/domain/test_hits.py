"""Where the words of a search stand."""

from __future__ import annotations

import time
import unicodedata

import pytest

from titanium_blog.domain.hits import Wanted

pytestmark = pytest.mark.unit


def marked(query: str, text: str) -> str:
    return "".join(f"[{p.text}]" if p.hit else p.text for p in Wanted(query).parts(text))


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("post", "Posts and a repost", "[Post]s and a repost"),
        ("ÉCLAIR", "an eclair, an éclair", "an [eclair], an [éclair]"),
        ("김치", "신김치로 김치찌개를", "신[김치]로 [김치]찌개를"),
        ("김치찌개", "김치와 찌개", "[김치]와 [찌개]"),
        ("치", "김치 치즈", "김[치] [치]즈"),
        ("sql 검색", "SQL로 전문검색", "[SQL]로 전문[검색]"),
        ("a", "a cat, A dog", "[a] cat, [A] dog"),
        ("ｆｕｌｌ", "full width", "[full] width"),
        ("straße", "STRASSE", "[STRASSE]"),
        ("ss", "ein Straß", "ein Straß"),
        ("<b>", "a <b> c", "a <[b]> c"),
        ("", "nothing", "nothing"),
        ("!?", "nothing!?", "nothing!?"),
        ("one", "", ""),
    ],
)
def test_hits_are_what_the_search_finds(query: str, text: str, expected: str) -> None:
    assert marked(query, text) == expected


def test_decomposed_text_is_composed_first() -> None:
    assert marked("김치", unicodedata.normalize("NFD", "김치찌개")) == "[김치]찌개"


def test_nothing_is_lost() -> None:
    text = "ﬁne ² Straße 김치 e\u0301 İstanbul \U0001f600 ﷺ"
    for query in ("f", "fi", "2", "s", "김", "e", "i", "صلى"):
        parts = Wanted(query).parts(text)
        assert "".join(part.text for part in parts) == unicodedata.normalize("NFC", text)


def test_the_place_of_the_first_hit_is_cut_between_words() -> None:
    text = f"{'before ' * 50}needle {'after ' * 50}"
    place = Wanted("needle").around(text)
    assert place is not None
    assert place.startswith("…before before")
    assert "before needle after" in place
    assert place.endswith("after…")
    assert len(place) <= 202
    assert Wanted("haystack").around(text) is None
    assert Wanted("needle").around("a needle") == "a needle"
    long = Wanted("가").around("나" * 500 + "가" + "나" * 500)
    assert long is not None
    assert len(long) <= 202


@pytest.mark.parametrize(
    "query",
    ["가" * 199 + "나", " ".join("가" * length for length in range(1, 19)), "가나 " * 66],
)
def test_no_query_takes_long(query: str) -> None:
    """One page looks into twenty such texts, which their author chose with the query in mind."""
    wanted, text = Wanted(query), "가" * 5_990 + " 가나"
    began = time.thread_time()
    assert wanted.around(text)
    assert wanted.parts(text[:400])
    assert time.thread_time() - began < 0.1
