"""`scripts/bootstrap.py`: sets up once, is quick afterwards, and says what went wrong."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/bootstrap.py"


@pytest.fixture(scope="module")
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.unit
@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "no space left"),
        ("urllib3 NewConnectionError: Failed to establish", "index cannot be reached"),
        ("ERROR: Could not find x==1 (from versions: none)", "index cannot be reached"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM", "does not match its hash"),
        ("text\nERROR: Something else\nERROR: more", "pip failed: Something else"),
        ("", "pip failed: no reason given"),
    ],
)
def test_what_pip_says_becomes_one_line(bootstrap: ModuleType, output: str, words: str) -> None:
    error = bootstrap.explain(output, Path(".venv/bootstrap.log"))
    assert words in error.message
    assert error.hint
    assert "\n" not in error.message + error.hint


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout, with a space in its path, whose lock names nothing."""
    root = tmp_path / "check out"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "scripts")
    (root / "requirements").mkdir()
    for name in ("local", "dev"):
        (root / "requirements" / f"{name}.txt").write_text("")
    package = root / "cli/src/titanium"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "main.py").write_text("import sys\ndef main(): print('args', sys.argv[1:])\n")
    (root / "services/one/src/titanium_one").mkdir(parents=True)
    (root / "services/one/src/titanium_one/__init__.py").touch()
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "scripts/bootstrap.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.integration
def test_it_sets_up_once_and_again_only_when_something_changed(checkout: Path) -> None:
    done = run(checkout)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    program = checkout / ".venv/bin/titanium"
    said = subprocess.run([program, "a b"], capture_output=True, text=True)
    assert said.stdout == "args ['a b']\n", said.stderr
    python = checkout / ".venv/bin/python"
    assert subprocess.run([python, "-c", "import titanium_one"]).returncode == 0

    began = time.monotonic()
    done = run(checkout)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert time.monotonic() - began < 5

    (checkout / "services/two/src/titanium_two").mkdir(parents=True)
    (checkout / "services/two/src/titanium_two/__init__.py").touch()
    assert run(checkout).stdout == "", "a new service of ours needs no installation"
    assert subprocess.run([python, "-c", "import titanium_two"]).returncode == 0

    assert "is ready" in run(checkout, "--dev").stdout
    assert run(checkout).stdout == "", "the environment for development serves for both"


@pytest.mark.integration
def test_a_tool_of_its_own_is_beside_and_leaves_ours_alone(checkout: Path) -> None:
    (checkout / "requirements/tool.txt").write_text("")
    done = run(checkout, "--only", "tool")
    assert "setting up .venv/tool: 0 packages" in done.stdout, done.stderr
    assert (checkout / ".venv/tool/bin/python").exists()
    assert not (checkout / ".venv/bin").exists()
    assert run(checkout, "--only", "tool").stdout == ""
    (checkout / "requirements/tool.txt").write_text("# changed\n")
    assert "is ready" in run(checkout, "--only", "tool").stdout


@pytest.mark.integration
def test_a_package_that_cannot_be_had_is_an_error_in_two_lines(checkout: Path) -> None:
    (checkout / "requirements/local.txt").write_text("./nothing-1.0-py3-none-any.whl\n")
    done = run(checkout)
    assert done.returncode == 1
    assert [line[:5] for line in done.stderr.splitlines()] == ["error", "next:"]
    assert run(checkout).returncode == 1, "a failed set-up does not count as done"


@pytest.mark.integration
def test_an_unknown_argument_shows_the_usage(checkout: Path) -> None:
    assert run(checkout, "--only", "nothing").returncode == 2
    done = run(checkout, "--fast")
    assert done.returncode == 2
    assert "bootstrap.py [--dev]" in done.stderr
