"""Terms of texts and queries."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titanium_blog.domain import search

pytestmark = pytest.mark.unit


def test_words_are_folded() -> None:
    assert list(search.lexemes("Café, NAÏVE ＡＢＣ Straße")) == ["cafe", "naive", "abc", "strasse"]


def test_korean_is_indexed_as_pairs_and_a_last_character() -> None:
    assert list(search.lexemes("한국어")) == ["한국", "국어", "어"]


def test_runs_of_different_scripts_are_apart() -> None:
    assert list(search.lexemes("파이썬3은 Python3")) == [
        *("파이", "이썬", "썬"),
        "3",
        "은",
        "python3",
    ]


def test_decomposed_korean_is_the_same_as_composed() -> None:
    import unicodedata

    assert list(search.lexemes(unicodedata.normalize("NFD", "검색"))) == ["검색", "색"]


def test_voiced_kana_are_not_folded_away() -> None:
    assert list(search.lexemes("がか")) == ["がか", "か"]


def test_words_of_the_title_weigh_more() -> None:
    assert search.vector("one", "one two") == "'one':1A,2 'two':3"


def test_a_vector_is_bounded() -> None:
    vector = search.vector("t", " ".join(f"w{n}" for n in range(20_000)) + " w1" * 100)
    assert len(vector.split()) == search.MAX_LEXEMES
    assert max(int(p) for p in re.findall(r":(\d+)", vector)) == search.MAX_LEXEMES
    repeated = search.vector("", "a " * 50_000)
    assert repeated == "'a':1,2,3,4"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Search", "'search':*"),
        ("a", "'a'"),
        ("한", "'한':*"),
        ("검색어 Fast", "'검색' & '색어' & 'fast':*"),
        ("same same", "'same':*"),
        ("!!! & | :* '", None),
        ("", None),
    ],
)
def test_a_query_wants_every_term(text: str, query: str | None) -> None:
    assert search.query(text) == query


def test_a_query_has_a_bounded_number_of_terms() -> None:
    query = search.query(" ".join(f"w{n}" for n in range(100)))
    assert query
    assert query.count("&") == search.MAX_TERMS - 1


@given(st.text())
def test_no_text_makes_a_term_that_needs_quoting(text: str) -> None:
    for lexeme in search.lexemes(text):
        assert re.fullmatch(r"[^\s'\\:&|!()<>*\x00]{1,64}", lexeme)


@given(st.text(alphabet="한국어검색 abc", min_size=1))
def test_a_text_has_the_terms_of_every_query_made_from_it(text: str) -> None:
    terms = set(search.lexemes(text))
    for term in (search.query(text) or "").split(" & "):
        name = term.strip("':*")
        assert not name or name in terms or any(known.startswith(name) for known in terms)
