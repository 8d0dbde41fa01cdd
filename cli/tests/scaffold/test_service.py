"""`titanium new service`: names, addresses, and a folder that is whole or not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from titanium import main
from titanium.catalog import load_catalog
from titanium.checkout import checkout
from titanium.errors import EXIT_USAGE, ConfigurationError, TitaniumError, UsageError
from titanium.scaffold.render import sort_imports
from titanium.scaffold.service import new_service

pytestmark = pytest.mark.unit


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout that has nothing but the declarations of its services."""
    for file in checkout().glob("services/*/service.toml"):
        if file.parent.name in ("auth", "blog", "user"):
            target = tmp_path / "services" / file.parent.name
            target.mkdir(parents=True)
            shutil.copy(file, target)
    return tmp_path


def names(root: Path) -> set[str]:
    return {path.name for path in (root / "services").iterdir()}


@pytest.mark.parametrize("name", ["comments", "order-history", "x1"])
def test_a_new_service_is_declared_with_database_and_routes(root: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    folder = new_service(root, name)
    service = load_catalog(root)[name]
    assert service.needs.postgres == name.replace("-", "_")
    assert {route.match.path for route in service.routes} == {f"/api/{name}"}
    package = folder / "src" / service.app.partition(".")[0]
    for part in ("main.py", "settings.py", "domain", "adapters", "http", "migrations", "py.typed"):
        assert (package / part).exists()
    left = [path for path in folder.rglob("*") if "<<" in path.name or path.suffix == ".jinja"]
    assert not left
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a",
        "Comments",
        "1st",
        "a_b",
        "a--b",
        "a-",
        "-a",
        "a/b",
        "..",
        "x" * 25,
        "한글",
        "a\n",
    ],
)
def test_a_name_of_the_wrong_form_is_refused_with_the_rule(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name") as raised:
        new_service(root, name)
    assert "order-history" in raised.value.hint
    assert names(root) == {"auth", "blog", "user"}


@pytest.mark.parametrize(
    "name", ["gateway", "kit", "titanium", "internal", "postgres", "demo", "template1", "pg-stats"]
)
def test_reserved_names_are_refused(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is reserved"):
        new_service(root, name)


@pytest.mark.parametrize("name", ["blog-owner", "blog-0", "blog-sidecar", "user-admin"])
def test_a_name_that_a_part_of_another_service_has_is_refused(root: Path, name: str) -> None:
    with pytest.raises(UsageError, match="part of another service"):
        new_service(root, name)


def test_an_address_that_another_service_answers_is_refused(root: Path) -> None:
    for name in ("users", "posts", "categories", "login", "register"):
        with pytest.raises(UsageError, match=f"/api/{name} belongs to the service"):
            new_service(root, name)
    with pytest.raises(UsageError, match="/api/docs is answered by the gateway"):
        new_service(root, "docs")


def test_a_folder_that_exists_is_left_alone(root: Path) -> None:
    new_service(root, "comments")
    marker = root / "services" / "comments" / "mine"
    marker.touch()
    with pytest.raises(UsageError, match="exists already"):
        new_service(root, "comments")
    assert marker.exists()


def test_nothing_is_left_behind_when_the_folder_cannot_be_written(root: Path) -> None:
    (root / "services" / ".comments.new").touch()
    with pytest.raises(TitaniumError, match="cannot be written"):
        new_service(root, "comments")
    assert "comments" not in names(root)


def test_a_checkout_that_is_wrong_already_is_said_first(root: Path) -> None:
    (root / "services" / "blog" / "service.toml").write_text("nonsense")
    with pytest.raises(ConfigurationError, match="blog"):
        new_service(root, "comments")
    assert "comments" not in names(root)


def test_imports_of_our_own_are_sorted_by_module_and_nothing_else_moves() -> None:
    source = (
        "import b\n\nfrom titanium_z.a import x\nfrom titanium_kit.b import y\n\nfrom a import z\n"
    )
    sorted_source = (
        "import b\n\nfrom titanium_kit.b import y\nfrom titanium_z.a import x\n\nfrom a import z\n"
    )
    assert sort_imports(source) == sorted_source


def test_the_command_says_what_to_do_next(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TITANIUM_ROOT", str(root))
    assert main.run(["new", "service", "comments"]) == 0
    out = capsys.readouterr().out
    assert "services/comments is there." in out
    assert "curl http://127.0.0.1:8080/api/comments" in out
    assert main.run(["new", "service", "comments"]) == EXIT_USAGE
    assert "next:  " in capsys.readouterr().err
