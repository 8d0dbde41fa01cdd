"""Fills templates in: plain files with `<<name>>` in the place of what differs.

`__package__` and `__name__` in a path are replaced too; the suffix `.jinja` keeps tools from
reading the templates as code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import groupby

from jinja2 import Environment, StrictUndefined

SUFFIX = ".jinja"
_OWN = "from titanium_"


def render_tree(template: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Every file of `templates/<template>`: relative path -> content."""
    # The output is source code, not HTML: nothing is to be escaped.
    environment = Environment(  # noqa: S701
        variable_start_string="<<",
        variable_end_string=">>",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    rendered = {}
    for path, text in _walk(files("titanium.scaffold") / "templates" / template, ""):
        target = path.removesuffix(SUFFIX)
        for part in ("package", "name"):
            target = target.replace(f"__{part}__", variables[part])
        content = environment.from_string(text).render(variables)
        rendered[target] = sort_imports(content) if target.endswith(".py") else content
    return rendered


def sort_imports(source: str) -> str:
    """Our own imports in order of their modules: it depends on the new package's name."""
    lines: list[str] = []
    for own, group in groupby(source.splitlines(keepends=True), lambda x: x.startswith(_OWN)):
        block = list(group)
        lines += sorted(block, key=lambda line: line.split()[1]) if own else block
    return "".join(lines)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{prefix}{item.name}"
        if item.is_dir():
            yield from _walk(item, f"{path}/")
        elif item.name.endswith(SUFFIX):
            yield path, item.read_text("utf-8")
