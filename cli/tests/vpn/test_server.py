"""What is known of AWS's side: from options, Terraform's outputs, or AWS."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from titanium.checkout import checkout
from titanium.vpn import plan
from titanium.vpn.server import PORT

from .conftest import SERVER_KEY, Vpn

pytestmark = pytest.mark.unit

Failure = Callable[[Result], str]


def test_the_address_plan_is_that_of_the_environment() -> None:
    """Who changes one gives the other with an option; the defaults are the same."""
    text = (checkout() / "terraform/environments/aws/variables.tf").read_text()
    for name, value in {
        "cidr": plan.VPC,
        "office_cidr": plan.OFFICE,
        "wireguard_cidr": plan.LAPTOPS,
        "wireguard_port": str(PORT),
    }.items():
        block = re.search(rf'variable "{name}" {{(.*?)^}}', text, re.DOTALL | re.MULTILINE)
        assert block, name
        assert re.search(rf'default += "?{re.escape(value)}"?$', block[1], re.MULTILINE), name


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """A program `terraform` on PATH that prints these outputs (or fails, for None)."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def answer(outputs: Any) -> None:
        program = folder / "terraform"
        text = json.dumps({name: {"value": value} for name, value in (outputs or {}).items()})
        end = "" if outputs is not None else "sys.exit('no state')"
        program.write_text(f"#!{sys.executable}\nimport sys\n{end}\nprint({text!r})\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return answer


def test_terraforms_outputs_say_where_the_server_is(
    vpn: Vpn, terraform: Callable[[Any], None]
) -> None:
    """After an apply nothing has to be typed."""
    terraform(
        {
            "vpn": {
                "wireguard_public_ip": "203.0.113.4",
                "wireguard_port": 51821,
                "wireguard_public_key": SERVER_KEY,
            }
        }
    )
    result = vpn("peer", "add", "alice")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "Endpoint = 203.0.113.4:51821" in vpn.configuration("alice").read_text()


@pytest.mark.parametrize(
    "outputs", [None, {}, {"vpn": {"wireguard_public_ip": None}}, {"vpn": None}, {"vpn": ["x"]}]
)
def test_without_an_address_nothing_is_added(
    vpn: Vpn, terraform: Callable[[Any], None], failure: Failure, outputs: Any
) -> None:
    """No state, no outputs, or no server yet."""
    terraform(outputs)
    assert "the server's address is not known" in failure(vpn("peer", "add", "alice"))
    assert not vpn.peers.exists()
    assert not vpn.configuration("alice").exists()


def test_a_missing_terraform_is_said(
    vpn: Vpn, failure: Failure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is not the folder that has no outputs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TITANIUM_TERRAFORM", raising=False)
    assert "Terraform was not found" in failure(vpn("peer", "add", "alice"))
    assert not vpn.peers.exists()


def test_without_the_servers_key_nothing_is_added(
    vpn: Vpn, terraform: Callable[[Any], None], failure: Failure
) -> None:
    """A configuration with a wrong key would connect to nobody."""
    terraform({"vpn": {"wireguard_public_ip": "203.0.113.4", "wireguard_public_key": None}})
    assert failure(vpn("peer", "add", "alice")) == "the server's public key is not known"
    assert not vpn.peers.exists()


@pytest.mark.parametrize("endpoint", ["", "a b", "h:0", "h:70000", "h:x", "300.1.2.3", "-h", "h;x"])
def test_an_endpoint_is_a_host_and_a_port(vpn: Vpn, failure: Failure, endpoint: str) -> None:
    """It goes into a file that a privileged program reads."""
    given = ["--endpoint", endpoint] if endpoint else ["--endpoint", ":51820"]
    result = vpn("peer", "add", "alice", *given, "--server-key", SERVER_KEY)
    assert "is no address of a server" in failure(result)
    assert not vpn.peers.exists()
