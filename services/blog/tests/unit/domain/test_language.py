"""The language of a text."""

import pytest

from titanium_blog.domain.language import language_of

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
