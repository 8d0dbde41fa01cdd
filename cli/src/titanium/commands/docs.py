"""`titanium docs`: regenerate from the code what is generated and committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from titanium.errors import TitaniumError


def generate(root: Path) -> dict[Path, str]:
    """Every generated file that is committed: path -> content."""
    from titanium import dashboards, monitoring
    from titanium.catalog import load_catalog
    from titanium.main import cli
    from titanium.mesh import kubernetes as edge_of_cluster
    from titanium.mesh import load_edge, load_policy
    from titanium.monitoring import kubernetes as monitoring_of_cluster
    from titanium.reference.cli_page import render_cli
    from titanium.reference.openapi import collect, merge
    from titanium.reference.page import render_page
    from titanium.reference.published import Published
    from titanium.reference.services_page import render_services

    catalog = load_catalog(root)
    document = merge(collect(catalog))
    text, page = json.dumps(document, indent=1, ensure_ascii=False) + "\n", render_page(document)
    folder = root / "docs" / "reference"
    observed = {**monitoring.generated(root, catalog), **dashboards.generated(root)}
    return {
        folder / "openapi.json": text,
        folder / "api.html": page,
        folder / "cli.md": render_cli(cli),
        folder / "services.md": render_services(catalog, load_policy(root), load_edge(root)),
        **observed,
        **edge_of_cluster.generated(root, catalog, Published(text, page)),
        **monitoring_of_cluster.generated(root, observed),
    }


def find_stale(files: Mapping[Path, str]) -> list[Path]:
    """Those whose content on disk is another, or that are missing."""
    return [path for path, text in files.items() if not path.exists() or path.read_text() != text]


def write(files: Mapping[Path, str], stale: Iterable[Path]) -> None:
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])


@click.command("docs")
@click.option("--check", is_flag=True, help="Write nothing; fail when a file is out of date.")
def command(check: bool) -> None:
    """Regenerate what is made from the code: reference, SLO rules, dashboards, cluster gateway.

    \b
    Examples:
      titanium docs
      titanium docs --check
    """
    from titanium.checkout import checkout

    root = checkout()
    files = generate(root)
    stale = find_stale(files)
    if check and stale:
        names = ", ".join(str(path.relative_to(root)) for path in stale)
        raise TitaniumError(f"Out of date: {names}.", "Run `make docs` and commit the result.")
    write(files, stale)
    click.echo(f"{len(files)} files, {len(stale)} {'stale' if check else 'rewritten'}.")
