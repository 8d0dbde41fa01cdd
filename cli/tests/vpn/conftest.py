"""A home folder and a list of peers of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from titanium.main import cli

SERVER_KEY = "fE/wdxzl0klVp/IR8UcaoGUMjqaWi3jAd7KzHKFS6Ds="


@dataclass
class Vpn:
    """Runs `titanium vpn`; `failure` is the message of the error that ended it."""

    home: Path
    peers: Path

    def __call__(self, *arguments: str) -> Result:
        extra = ["--peers", str(self.peers)] if arguments[0] == "peer" else []
        return CliRunner().invoke(cli, ["vpn", *arguments, *extra])

    def add(self, name: str, *arguments: str) -> Result:
        """`peer add` with a server, so that nothing is looked up."""
        server = ["--endpoint", "198.51.100.7", "--server-key", SERVER_KEY]
        return self("peer", "add", name, *server, *arguments)

    def configuration(self, name: str) -> Path:
        return self.home / ".config/titanium/vpn" / f"{name}.conf"


@pytest.fixture
def vpn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vpn:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Vpn(home, tmp_path / "peers.auto.tfvars.json")


@pytest.fixture
def failure() -> Callable[[Result], str]:
    """The error that ended a command: its message and hint, on one line each."""
    from titanium.errors import TitaniumError

    def message(result: Result) -> str:
        assert isinstance(result.exception, TitaniumError), (result.output, result.exception)
        assert "\n" not in result.exception.message
        assert result.exception.hint
        return result.exception.message

    return message
