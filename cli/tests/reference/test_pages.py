"""The generated pages of docs/reference."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from titanium.catalog import load_catalog
from titanium.main import cli
from titanium.mesh import load_edge, load_policy
from titanium.reference.cli_page import render_cli
from titanium.reference.services_page import render_services

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


def services_page() -> str:
    return render_services(load_catalog(ROOT), load_policy(ROOT), load_edge(ROOT))


def test_every_visible_command_has_a_section() -> None:
    page = render_cli(cli)
    for name in cli.list_commands(click.Context(cli)):
        assert f"\n## titanium {name}\n" in page
    assert "\n## titanium db import-sqlite\n" in page


def test_hidden_commands_and_options_stay_out() -> None:
    group = click.Group("tool")
    group.add_command(click.Command("seen", params=[click.Option(["--odd"], hidden=True)]))
    group.add_command(click.Command("unseen", hidden=True))
    page = render_cli(group, "tool")
    assert "## tool seen" in page
    assert "unseen" not in page
    assert "--odd" not in page


def test_the_command_page_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = render_cli(cli)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TITANIUM_HOME", "/elsewhere")
    assert render_cli(cli) == before


def test_every_declared_route_and_call_is_in_the_tables() -> None:
    page = services_page()
    for service in load_catalog(ROOT):
        for route in service.routes:
            assert f"`{route.match.path}`" in page
        for call in service.calls:
            assert f"| {service.name} | {call.service} | {call.method} `{call.path}`" in page


def test_what_is_not_declared_is_shown_as_denied() -> None:
    assert "| auth | - | denied | 1 allowed |" in services_page()


def test_the_committed_pages_are_those_of_the_code() -> None:
    """The same comparison as `titanium docs --check`, without the OpenAPI document's processes."""
    folder = ROOT / "docs" / "reference"
    assert (folder / "services.md").read_text("utf-8") == services_page()
    assert (folder / "cli.md").read_text("utf-8") == render_cli(cli)
