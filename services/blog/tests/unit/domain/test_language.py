"""The language of a text."""

import pytest

from titanium_blog.domain.language import language_of, preferred

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("안녕하세요", "ko"),
        ("FastAPI와 PostgreSQL로 블로그 만들기", "ko"),
        ("Hello world", "en"),
        ("A long English text that names 서울 once", "en"),
        ("123 !", "en"),
        ("", "en"),
    ],
)
def test_a_text_is_korean_when_a_fifth_of_its_letters_are(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("KO-kr", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en;q=0.4, ko;q=0.6", "ko"),
        ("en, ko", "en"),
        ("ko, en", "ko"),
        ("fr, de", "en"),
        ("fr;q=1.0, ko;q=0.1", "ko"),
        ("ko;q=0", "en"),
        ("*", "en"),
        ("ko;q=2", "en"),
        ("ko;;q=1", "en"),
        ("korean", "en"),
        (", ," * 500 + "ko", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_readers_get_the_language_that_they_like_best(header: str, language: str) -> None:
    assert preferred(header) == language
