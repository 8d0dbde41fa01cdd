"""`titanium tools`: the programs that the platform runs, and where they come from."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from titanium.checkout import checkout
from titanium.errors import ToolMissingError

EPILOG = """\b
Examples:
  titanium tools                 what is there, and what is missing
  titanium tools fetch           get what is missing out of Debian's packages
Nothing is installed: packages are unpacked into .venv/debian of the checkout.
"""
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Tool:
    """A row: `path` None when it is missing; `note` is then why and what to do."""

    name: str
    version: str
    path: Path | None
    note: str = ""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show every program that the platform runs: version and place, or how to get it."""
    if context.invoked_subcommand is None:
        _show(list(tools(checkout())))


@command.command()
def fetch() -> None:
    """Fetch what is missing of Prometheus and Alertmanager, without installing anything."""
    from titanium.observe import fetch as fetching

    root = checkout()
    missing = fetching.missing(root)
    if not missing:
        click.echo("nothing is missing")
    for program in missing:
        click.echo(f"  {program.package:<24} fetching Debian's package")
        found = fetching.fetch(program, root)
        # A setting that names nothing hides what was fetched.
        program.find(root)
        click.echo(f"  {program.package:<24} {found}")


def tools(root: Path) -> Iterator[Tool]:
    """All of them, in the order of their importance."""
    from titanium import tools as found
    from titanium.observe.fetch import failure_of, remedy

    def postgres() -> Path:
        return found.find_postgres_bin() / "postgres"

    for name, find in (
        ("envoy", found.find_envoy),
        ("postgres", postgres),
        ("valkey", found.find_redis),
    ):
        try:
            yield _found(name, find())
        except ToolMissingError as error:
            yield Tool(name, "", None, f"{error.message}. Next: {error.hint}")
    for program in found.DEBIAN_PROGRAMS:
        name = program.what.lower()
        try:
            yield _found(name, program.find(root))
        except ToolMissingError as error:
            reason = failure_of(program, root) or error.message
            yield Tool(name, "", None, f"{reason}. Next: {remedy(program)}")


def _found(name: str, path: Path) -> Tool:
    return Tool(name, _version(path), path)


def _version(program: Path) -> str:
    """The first thing that looks like a version in what it says of itself."""
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    # Envoy begins with its own path, which may hold Python's version.
    found = _VERSION.search((done.stdout or done.stderr).replace(str(program), ""))
    return found.group() if found else "unknown"


def _show(rows: list[Tool]) -> None:
    for tool in rows:
        where = str(tool.path) if tool.path else "missing"
        click.echo(f"{tool.name:<13} {tool.version:<9} {where}")
    for tool in rows:
        if tool.note:
            click.echo(f"\n{tool.name}: {tool.note}")
