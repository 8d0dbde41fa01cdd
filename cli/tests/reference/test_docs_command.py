"""`titanium docs`, with the services' own processes that print their OpenAPI documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanium.commands.docs import generate
from titanium.main import run

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


def test_everything_generated_is_known_to_the_command() -> None:
    folders: dict[str, set[str]] = {}
    for path in generate(ROOT):
        folders.setdefault(str(path.parent.relative_to(ROOT)), set()).add(path.name)
    assert folders["docs/reference"] == {"openapi.json", "api.html", "cli.md", "services.md"}
    assert folders["monitoring/rules"] == {"slo.yaml"}
    for folder in ("monitoring/dashboards", "services/gateway/kubernetes"):
        assert folders[folder] == {path.name for path in (ROOT / folder).iterdir()}


def test_check_writes_nothing_and_finds_what_is_out_of_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against a generator that says something else for one file."""
    page = ROOT / "docs" / "reference" / "cli.md"
    before = page.read_text("utf-8")
    monkeypatch.setattr("titanium.commands.docs.generate", lambda _root: {page: "other"})
    assert run(["docs", "--check"]) == 1
    assert "Out of date: docs/reference/cli.md." in capsys.readouterr().err
    assert page.read_text("utf-8") == before


def test_what_is_out_of_date_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "new" / "page.md"
    monkeypatch.setattr("titanium.commands.docs.generate", lambda _root: {page: "text"})
    assert run(["docs"]) == 0
    assert page.read_text("utf-8") == "text"
    assert "1 files, 1 rewritten." in capsys.readouterr().out
