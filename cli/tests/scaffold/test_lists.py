"""Adding an item to a list of a YAML file: one line more, every other one as it was."""

from __future__ import annotations

import pytest

from titanium.scaffold.lists import NoSuchListError, add_item, add_word, object_text

pytestmark = pytest.mark.unit

TEXT = """\
# Why it is so.
resources:
  - auth
  - blog  # last
# About images.
images:
- name: a
  newTag: "1"

kinds: [x, y]  # two
"""
OBJECTS = """\
# First.
kind: A
metadata: {name: one}
spec:
  rules:
    - from:
        - auth
      to: 1
---
kind: A
metadata: {name: two}
spec:
  rules:
    - from:
        - auth
        # Comment of the next key.
      to: 1
"""


def test_a_block_list_gains_a_line_before_the_comment_of_the_next_key() -> None:
    changed = add_item(TEXT, "", "resources", "comments")
    assert changed == TEXT.replace("# last\n", "# last\n  - comments\n")


def test_an_item_of_several_lines_has_the_lists_margin() -> None:
    changed = add_item(TEXT, "", "images", 'name: b\nnewTag: "2"')
    assert changed == TEXT.replace('"1"\n', '"1"\n- name: b\n  newTag: "2"\n')


def test_a_flow_list_stays_on_its_line() -> None:
    assert add_item(TEXT, "", "kinds", "z") == TEXT.replace("y]", "y, z]")


def test_an_object_is_found_by_kind_and_name() -> None:
    changed = add_item(OBJECTS, "A/two", "spec/rules/0/from", "user")
    first, second = changed.split("---\n")
    assert first == OBJECTS.partition("---\n")[0]
    assert "        - auth\n        - user\n        # Comment" in second
    assert object_text(OBJECTS, "A", "one") == first


def test_a_member_is_found_by_one_of_its_values() -> None:
    text = "all:\n  - name: a\n    files:\n      - x\n  - name: b\n    files:\n      - y\n"
    assert add_item(text, "", "all/[name=a]/files", "z") == text.replace(
        "      - x\n", "      - x\n      - z\n"
    )


@pytest.mark.parametrize(
    ("path", "item"), [("resources", "auth"), ("kinds", "x"), ("images", "{name: a, newTag: '1'}")]
)
def test_what_is_there_is_not_added_again(path: str, item: str) -> None:
    assert add_item(TEXT, "", path, item) == TEXT


@pytest.mark.parametrize("path", ["nothing", "resources/7", "images/[name=z]/x", "images/0/name"])
def test_a_list_that_is_not_there_is_said(path: str) -> None:
    with pytest.raises(NoSuchListError):
        add_item(TEXT, "", path, "x")
    with pytest.raises(NoSuchListError):
        add_item(OBJECTS, "A/three", "spec/rules", "x")


def test_a_word_is_added_once() -> None:
    text = "literals:\n  - NAMES=a b\n  - OTHER=c\n"
    assert add_word(text, "NAMES", "c") == text.replace("a b", "a b c")
    assert add_word(text, "NAMES", "b") == text
    with pytest.raises(NoSuchListError):
        add_word(text, "NONE", "c")
