"""Adds an item to a list of a YAML file that people write: the other lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any

import yaml

_STEP = re.compile(r"\[(\w+)=(.+)\]")


class NoSuchListError(Exception):
    """The file has no list at that place."""


def add_item(text: str, document: str, path: str, item: str) -> str:
    """`text` with `item` (YAML) at the end of the list at `path`; unchanged when it is in there.

    `document` is kind/name of the object that holds the list, or empty for a file of one document.
    `path` is made of keys, indices and `[key=value]`, joined by slashes. NoSuchListError.
    """
    found = _sequence(_document(text, document), path)
    wanted = yaml.safe_load(item)
    if wanted in _plain(found):
        return text
    if found.flow_style:
        end = found.value[-1].end_mark.index
        return f"{text[:end]}, {item}{text[end:]}"
    lines = text.splitlines(keepends=True)
    # A block ends where the next key begins.
    after = found.end_mark.line
    # What stands between the last item and the next key belongs to the key.
    while not lines[after - 1].strip() or lines[after - 1].lstrip().startswith(("#", "---")):
        after -= 1
    margin = " " * int(found.start_mark.column)
    added = f"{margin}- " + indent(item, f"{margin}  ").lstrip() + "\n"
    return "".join([*lines[:after], added, *lines[after:]])


def add_word(text: str, key: str, word: str) -> str:
    """`text` with `word` at the end of the words after `KEY=`, once. NoSuchListError."""
    line = re.search(rf"(?m)^\s*- {re.escape(key)}=(.*)$", text)
    if line is None:
        raise NoSuchListError
    if word in line[1].split():
        return text
    return f"{text[: line.end()]} {word}{text[line.end() :]}"


def object_text(text: str, kind: str, name: str) -> str:
    """The lines of one object of a file with several, comments included. NoSuchListError."""
    for part in re.split(r"(?m)^---\n", text):
        one = yaml.safe_load(part)
        if one and one["kind"] == kind and one["metadata"]["name"] == name:
            return part
    raise NoSuchListError


def _document(text: str, wanted: str) -> yaml.Node:
    for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
        if not wanted or f"{_scalar(node, 'kind')}/{_scalar(node, 'metadata/name')}" == wanted:
            return node
    raise NoSuchListError


def _sequence(node: yaml.Node, path: str) -> yaml.SequenceNode:
    for step in path.split("/"):
        node = _child(node, step)
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise NoSuchListError
    return node


def _child(node: yaml.Node, step: str) -> yaml.Node:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value  # type: ignore[no-any-return]
    elif isinstance(node, yaml.SequenceNode):
        if step.isdigit() and int(step) < len(node.value):
            return node.value[int(step)]  # type: ignore[no-any-return]
        if match := _STEP.fullmatch(step):
            for one in node.value:
                if _scalar(one, match[1]) == match[2]:
                    return one  # type: ignore[no-any-return]
    raise NoSuchListError


def _scalar(node: yaml.Node, path: str) -> str:
    try:
        for step in path.split("/"):
            node = _child(node, step)
    except NoSuchListError:
        return ""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _plain(sequence: yaml.SequenceNode) -> Iterator[Any]:
    """The items' values, as a loader gives them."""
    for node in sequence.value:
        yield yaml.safe_load(yaml.serialize(node))
