"""A stand-in for kubectl: a program on PATH that records each call and answers from fixtures.

No cluster can be started here. What the stand-in cannot show is said where it matters: it accepts
every argument, and applies nothing.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = '''#!{python}
"""Stands in for kubectl (and helm): see cli/tests/cloud/conftest.py."""
import json, os, subprocess, sys
from pathlib import Path
folder = Path({folder!r})
arguments = sys.argv[1:]
words = [Path(sys.argv[0]).name, *arguments]
answers = json.loads((folder / "answers.json").read_text())
line = " ".join(words)
chosen = next((one for one in answers if one["match"] in line), None)
reads = "--filename=-" in arguments or "--stdin" in arguments
call = {{"words": words, "kubeconfig": os.environ.get("KUBECONFIG")}}
if reads and not (chosen and chosen.get("real")):
    call["stdin"] = sys.stdin.read()
with (folder / "calls.jsonl").open("a") as file:
    file.write(json.dumps(call) + "\\n")
if chosen is None:
    sys.exit(f"no answer for: {{line}}")
if chosen.get("real"):
    done = subprocess.run(arguments[arguments.index("--") + 1:], env=os.environ | chosen["real"])
    sys.exit(done.returncode)
if chosen.get("once"):
    answers.remove(chosen)
    (folder / "answers.json").write_text(json.dumps(answers))
sys.stdout.write(chosen.get("out", ""))
sys.stderr.write(chosen.get("err", ""))
sys.exit(chosen.get("code", 0))
'''


@dataclass
class FakeKubectl:
    """What it answers, and what it was asked."""

    folder: Path

    def answer(self, match: str, out: Any = "", **more: Any) -> None:
        """A call whose words hold `match` gets `out` (text, or an object as JSON).

        `err`, `code`: its standard error and exit code; `once`: for one call only; `real`: run
        what follows `--` here, with these variables. The first answer that matches is taken.
        """
        file = self.folder / "answers.json"
        answers = json.loads(file.read_text())
        text = out if isinstance(out, str) else json.dumps(out)
        answers.append({"match": match, "out": text, **more})
        file.write_text(json.dumps(answers))

    @property
    def calls(self) -> list[dict[str, Any]]:
        file = self.folder / "calls.jsonl"
        text = file.read_text() if file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    @property
    def lines(self) -> list[str]:
        return [" ".join(call["words"]) for call in self.calls]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
    """The stand-in, first on PATH as kubectl and helm; kubeconfigs go into a temporary folder."""
    folder = tmp_path / "fake"
    (folder / "bin").mkdir(parents=True)
    for name in ("kubectl", "helm"):
        program = folder / "bin" / name
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
    (folder / "answers.json").write_text("[]")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("TITANIUM_CLOUD_HOME", str(tmp_path / "cloud"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return FakeKubectl(folder)


VERSION = {"serverVersion": {"major": "1", "minor": "32", "gitVersion": "v1.32.1"}}


@pytest.fixture
def chosen(fake: FakeKubectl, tmp_path: Path) -> FakeKubectl:
    """The same, with `local` as the cluster in use."""
    from titanium.cloud.targets import TARGETS, save

    save(TARGETS["local"], "apiVersion: v1\n")
    fake.answer("version --output=json", VERSION)
    return fake
