"""What the guides tell people to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from titanium.main import cli

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
# After a prompt, or as a piece of code; not what errors say (`titanium is ...`, `...: ...`).
TITANIUM = re.compile(
    r"(?:^\$ |`)(?:\.venv/bin/)?titanium (?!is )((?:(?!: )[^`|;&#<>\n])+)(?=[`|;&#<>\n])",
    re.MULTILINE,
)
FILE = re.compile(r"(?<![\w/])(?:scripts|k8s-manifests|argocd|monitoring)/[\w./-]*\w\.\w+")
KUSTOMIZATION = re.compile(r"kubectl \w+ (?:-k|kustomize) ([\w/.-]*\w)")
MAKE = re.compile(r"(?:^\$ |`|&& )make ([a-z-]+)", re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_scripts_and_make_targets_that_are_named_exist(guide: Path) -> None:
    text = guide.read_text("utf-8")
    assert [path for path in FILE.findall(text) if not (ROOT / path).is_file()] == []
    for folder in KUSTOMIZATION.findall(text):
        assert (ROOT / folder / "kustomization.yaml").is_file(), folder
    targets = TARGET.findall((ROOT / "Makefile").read_text("utf-8"))
    assert set(MAKE.findall(text)) <= set(targets)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_commands_that_are_named_exist_with_their_options(guide: Path) -> None:
    for line in TITANIUM.findall(guide.read_text("utf-8")):
        command: click.Command = cli
        for word in line.split():
            if isinstance(command, click.Group) and re.fullmatch(r"[a-z-]+", word):
                found = command.get_command(click.Context(command), word)
                assert found is not None, f"titanium {line}"
                command = found
            elif word.startswith("--"):
                assert word.partition("=")[0] in options(command), f"titanium {line}"


def options(command: click.Command) -> set[str]:
    """The names of a command's options, also those that switch off."""
    names = {"--help"}
    for one in command.params:
        names |= {*one.opts, *one.secondary_opts}
    return names
