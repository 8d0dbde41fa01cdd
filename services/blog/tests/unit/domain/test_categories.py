"""From a category's name to its key, slug and colour."""

import colorsys
import unicodedata

import pytest

from titanium_blog.domain.categories import (
    CONTRAST,
    DEFAULT_NAME,
    CategoryName,
    color_of,
    contrast_with_white,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", [None, "", "   ", "\u3000"])
def test_no_name_means_the_default_category(text: str | None) -> None:
    assert CategoryName.of(text).name == DEFAULT_NAME


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Travel", "TRAVEL"),
        ("Travel", "  travel  "),
        ("a  b", "A b"),
        ("여행", unicodedata.normalize("NFD", "여행")),
        ("ＡＢＣ", "abc"),
        ("Straße", "STRASSE"),
    ],
)
def test_spellings_of_one_name_are_one_category(one: str, other: str) -> None:
    assert CategoryName.of(one).key == CategoryName.of(other).key
    assert CategoryName.of(one).slug == CategoryName.of(other).slug
    assert CategoryName.of(one).color == CategoryName.of(other).color


def test_a_name_is_kept_in_composed_form_without_space_around_it() -> None:
    decomposed = unicodedata.normalize("NFD", " 여행 ")
    assert CategoryName.of(decomposed).name == "여행"


@pytest.mark.parametrize(
    ("name", "slug"), [("Web Development", "web-development"), ("여행 이야기", "여행-이야기")]
)
def test_a_plain_name_is_readable_in_its_slug(name: str, slug: str) -> None:
    assert CategoryName.of(name).slug == slug


def test_names_that_lose_something_in_a_slug_stay_apart() -> None:
    names = ["C", "C++", "C#", "c--", "!!!", "???", "a-b", "a b", "a_b", "x" * 50, "😀", "𝟙", "ㅋ"]
    slugs = {CategoryName.of(name).slug for name in names}
    assert len(slugs) == len(names)
    assert all(slug and slug.strip("-") == slug for slug in slugs)


def test_a_digest_in_a_slug_cannot_be_taken_by_a_name() -> None:
    taken = CategoryName.of("c++").slug
    assert CategoryName.of(taken).slug != taken
    assert CategoryName.of(taken.replace("-", " ")).slug != taken


def test_every_colour_is_readable_under_white_text() -> None:
    colors = {color_of(f"category {number}") for number in range(2000)}
    assert min(contrast_with_white(color) for color in colors) >= CONTRAST > 4.5
    assert len(colors) > 300


def test_a_colour_depends_on_the_name_alone() -> None:
    assert CategoryName.of("Travel").color == CategoryName.of("travel").color
    assert color_of("travel") != color_of("food")


def test_contrast_of_black_and_white_is_that_of_the_standard() -> None:
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    assert colorsys.rgb_to_hls(0, 0, 0)[1] == 0
