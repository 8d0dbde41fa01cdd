"""Markdown to HTML: what it looks like, what it costs and that nothing in it can run."""

import time
from contextlib import suppress

import pytest

from titanium_blog.adapters import markdown
from titanium_blog.adapters.markdown import MarkdownRenderer, Turns, excerpt_of, render, to_html
from titanium_blog.domain import limits
from titanium_blog.domain.errors import TooComplexError

pytestmark = pytest.mark.unit


def test_the_usual_marks_become_tags() -> None:
    html = to_html("# T\n\n*a* **b** `c` ~~d~~\n\n- x\n- y\n\n> q\n\n```python\nx = 1\n```\n")
    for part in (
        "<h1>T</h1>",
        "<em>a</em> <strong>b</strong> <code>c</code> <del>d</del>",
        "<li>x</li>",
        "<blockquote>",
        '<pre><code class="language-python">x = 1\n</code></pre>',
    ):
        assert part in html


def test_table_cells_are_aligned_without_style() -> None:
    html = to_html("|a|b|c|d|\n|:-|:-:|-:|-|\n|1|2|3|4|")
    for side in ("left", "center", "right"):
        assert f'<td class="align-{side}">' in html
    assert "style" not in html
    assert "<td>4</td>" in html


def test_raw_html_is_shown_as_text() -> None:
    assert "&lt;b&gt;" in to_html("<b>x</b>")


def test_links_give_no_reputation_and_no_opener() -> None:
    assert to_html("[x](https://e.com)") == (
        '<p><a href="https://e.com" rel="nofollow noopener">x</a></p>\n'
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:/x"]
)
def test_other_schemes_are_not_linked(url: str) -> None:
    assert "href" not in to_html(f"[x]({url}) <{url}>")
    assert "src=" not in to_html(f"![x]({url})")


def test_only_language_classes_are_kept_on_code() -> None:
    assert 'class="language-c++"' in to_html("```c++\nx\n```")
    assert "class" not in to_html("```\u202eevil\nx\n```")


def test_an_excerpt_is_plain_text_cut_between_words() -> None:
    assert excerpt_of(to_html("a *b* `<c>` &amp; d")) == "a b <c> & d"
    long = excerpt_of(to_html("word " * 200))
    assert long.endswith("word…")
    assert 190 <= len(long) <= 201


def test_an_excerpt_is_prose_where_there_is_any() -> None:
    code = "# Title\n\n```sql\nSELECT\n```\n\n|a|\n|-|\n|b|\n"
    assert excerpt_of(to_html(f"{code}\nIt is *slow*.\n\n## More\n\n- one")) == "It is slow. one"
    assert excerpt_of(to_html(code)) == "Title SELECT a b"


def test_an_excerpt_without_spaces_is_cut_anyway() -> None:
    assert excerpt_of(to_html("가" * 500)) == "가" * 200 + "…"


def test_an_excerpt_of_an_image_alone_is_empty() -> None:
    assert excerpt_of(to_html("![x](https://e.com/i.png)")) == ""


N = 30_000
HOSTILE = {
    "brackets": "[" * N,
    "images": "![" * (N // 2),
    "links": "[](" * (N // 3),
    "emphasis": "*a **b " * (N // 7),
    "mixed emphasis": "a**b" + "c* " * (N // 3),
    "quotes": ">" * N,
    "lists": "- " * (N // 2),
    "nested lists": "".join(" " * (2 * i) + "- a\n" for i in range(170)),
    "backticks": "".join("`" * i + " " for i in range(1, 240)),
    "references": "[a]: b\n" * (N // 7),
    "open references": "[a\n" * (N // 3),
    "entities": "&#x" * (N // 3),
    "ampersands": "&" * N,
    "less than": "<" * N,
    "wide table": "|a" * 2_000 + "\n" + "|-" * 2_000 + "\n" + "|a\n" * 1_000,
    "long table": "|a|b|\n|-|-|\n" + "|a|b|\n" * (N // 6),
    "lines": "a\n" * (N // 2),
    "items": "1. a\n" * (N // 5),
    "pairs": "[" * (N // 2) + "]" * (N // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markdown_costs_a_bounded_amount_of_work(name: str) -> None:
    """Either rendered or refused; processor seconds, far above what is seen."""
    began = time.thread_time()
    with suppress(TooComplexError):
        rendered = render("t", HOSTILE[name][:N])
        assert len(rendered.html) <= 2 * limits.HTML
    assert time.thread_time() - began < 5


def test_deep_nesting_is_refused_and_long_lists_are_not() -> None:
    with pytest.raises(TooComplexError, match="nests more than 100"):
        to_html(">" * 101 + " a")
    assert to_html(">" * 100 + " a").count("<blockquote>") == 100
    assert to_html("- a\n\ntext\n\n" * 1_000).count("<ul>") == 1_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a Vec<String> b", "a Vec&lt;String&gt; b"),
        ("<div>\n*foo* <script>alert(1)</script>\n</div>", "&lt;script&gt;alert(1)"),
        ("`<i>` <b>x</b>", "<code>&lt;i&gt;</code> &lt;b&gt;x&lt;/b&gt;"),
        ("```\n<b>\n```", "<code>&lt;b&gt;\n</code>"),
        ("<https://a.example>", '<a href="https://a.example" rel="nofollow noopener">'),
    ],
)
def test_raw_html_of_every_kind_is_shown_as_text(text: str, shown: str) -> None:
    assert shown in to_html(text)


def test_text_that_looks_like_a_cells_style_stays_text() -> None:
    text = '<td style="text-align: left">'
    assert "&lt;td style=" in to_html(text)


def test_too_much_html_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HTML", 100)
    with pytest.raises(TooComplexError, match="100 characters"):
        to_html("&" * 99)


@pytest.mark.parametrize("length", [10, markdown.INLINE + 1])
async def test_short_and_long_texts_are_rendered_alike(length: int) -> None:
    text = "a " * (length // 2 + 1)
    rendered = await MarkdownRenderer(Turns()).render("t", text)
    assert rendered == render("t", text)
    assert rendered.version == markdown.VERSION
