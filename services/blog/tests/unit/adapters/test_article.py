"""A post's body as pages show it."""

from __future__ import annotations

import time

import pytest

from titanium_blog.adapters import highlight
from titanium_blog.adapters.article import Article, ArticleRenderer, Heading, article
from titanium_blog.adapters.markdown import Turns
from titanium_blog.domain import limits

pytestmark = pytest.mark.unit


def test_headings_follow_the_title_without_gaps() -> None:
    """The title is the page's only `h1`; screen readers jump from level to level."""
    made = article("### a\n\n###### b\n\n# c\n\n## d\n\n#### e\n\n## f")
    assert [heading.level for heading in made.contents] == [2, 3, 2, 3, 4, 3]
    assert '<h4 id="s-e">e</h4>' in made.html


def test_headings_have_names_of_their_own() -> None:
    made = article("# Same\n\n# Same\n\n# 한글 *제목* `<b>`\n\n# !!!\n\n# s")
    assert made.contents == (
        Heading(2, "s-same", "Same"),
        Heading(2, "s-same-2", "Same"),
        Heading(2, "s-한글-제목-b", "한글 제목 <b>"),
        Heading(2, "s-section", "!!!"),
        Heading(2, "s-s", "s"),
    )


def test_thousands_of_headings_of_one_name_take_little_time() -> None:
    """Their numbers are not looked for from the beginning each time."""
    began = time.thread_time()
    made = article("# a\n" * (limits.CONTENT // 4)).html
    assert time.thread_time() - began < 3
    assert 'id="s-a-25000"' in made


def test_numbered_names_do_not_meet_written_ones() -> None:
    made = article("# a\n# a\n# a 2\n# a\n# a 2\n# a 4\n# a")
    names = [heading.id for heading in made.contents]
    assert len(set(names)) == len(names) == 7


def test_code_is_coloured_and_says_its_language() -> None:
    made = article("```python\ndef f(): return 'a<b'\n```").html
    assert made.startswith('<div class="code" data-language="python"><pre><code>')
    assert '<span class="k">def </span><span class="f">f</span>' in made
    assert "<span class=\"s\">'a&lt;b'" in made


@pytest.mark.parametrize("fence", ["", "nope", "<b>", '"onload=', "python onload=x"])
def test_code_of_no_known_language_is_shown_as_it_is(fence: str) -> None:
    made = article(f"```{fence}\nif a < b && c: pass\n```").html
    assert "onload" not in made.partition("<code>")[0]
    if "python" not in fence:
        assert "<code>if a &lt; b &amp;&amp; c: pass\n</code>" in made


def test_what_does_not_fit_can_be_scrolled_by_keyboard() -> None:
    assert '<pre tabindex="0">' in article(f"```\n{'x' * 37}\n```").html
    assert '<pre tabindex="0">' in article(f"```\n{'가' * 19}\n```").html
    assert "<pre><code>" in article("```\nx\n```").html
    assert '<div class="table" tabindex="0"><table>' in article("|a|\n|-|\n|b|").html


def test_images_wait_until_they_are_near_and_come_encrypted() -> None:
    made = article("![x](http://e.com/i.png) ![y](https://e.com/j.png)").html
    assert made.count('loading="lazy"') == 2
    assert 'src="https://e.com/i.png"' in made


def test_nobody_can_write_our_attributes() -> None:
    text = '<div class="code" data-language="x" tabindex="0"><span class="k" id="s-a">x</span>'
    assert "<div" not in article(text).html
    assert "<span" not in article(text).html
    assert 'id="s-x"' not in article('[a](https://e.com "<h2>x</h2>")').html


@pytest.mark.parametrize(
    ("text", "minutes"), [("word " * 230, 1), ("word " * 1150, 5), ("가" * 960, 2), ("", 1)]
)
def test_the_time_to_read_depends_on_the_script(text: str, minutes: int) -> None:
    assert article(text).minutes == minutes


def test_known_languages_are_known_to_pygments() -> None:
    for language in highlight.LANGUAGES:
        assert highlight.to_html("x = 1", language, highlight.Budget())


def test_colours_take_bounded_time() -> None:
    block = "```yaml\n" + ("? " * 190 + "\n") * 25 + "```\n\n"
    text = (block * 50)[: limits.CONTENT]
    article("```yaml\na: 1\n```")
    began = time.thread_time()
    article(text)
    assert time.thread_time() - began < 2


def test_colours_keep_every_character() -> None:
    source = "def f():\n    return 'é'  # 한글\n\n\n"
    for language in ("python", "yaml", "html", "bash", "diff"):
        colored = highlight.to_html(source, language, highlight.Budget())
        plain = colored.replace("</span>", "")
        for kind in highlight.CLASSES:
            plain = plain.replace(f'<span class="{kind}">', "")
        assert plain == source


async def test_a_version_of_a_post_is_rendered_once() -> None:
    renderer = ArticleRenderer(Turns())
    first = await renderer.of_post(1, 1, "# One")
    assert await renderer.of_post(1, 1, "ignored") is first
    assert (await renderer.of_post(1, 2, "# Two")).contents[0].text == "Two"


async def test_long_texts_are_rendered_as_well_as_short_ones() -> None:
    made = await ArticleRenderer(Turns()).render("# One\n\n" + "word " * 10_000)
    assert isinstance(made, Article)
    assert made.contents == (Heading(2, "s-one", "One"),)
