"""What a laptop or the office must know of AWS's side: from Terraform's outputs, or from AWS."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from titanium.errors import ToolMissingError, UsageError
from titanium.vpn.keys import check_public_key
from titanium.vpn.laptop import Server

PORT = 51820
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.?")
_PATIENCE = 60.0
_GIVE = "Give --endpoint HOST and --server-key KEY, or apply terraform/environments/aws first."


@dataclass(frozen=True)
class Outputs:
    """The environment's output `vpn` when Terraform last applied; None where it said nothing."""

    endpoint: str | None = None
    public_key: str | None = None
    public_key_parameter: str | None = None
    connection: str | None = None


def outputs(folder: Path) -> Outputs:
    """Terraform's outputs in `folder`; empty where there is no terraform, no state or no VPN."""
    from titanium.terraform import Terraform, data_folder, find_terraform, own_configuration

    if not folder.is_dir():
        return Outputs()
    try:
        # Read only: a folder that was never initialized has no outputs, and stays as it is.
        terraform = Terraform(
            find_terraform(), folder.absolute(), data_folder(folder), own_configuration()
        )
        done = terraform.attempt("output", "-json", timeout=_PATIENCE)
        vpn = json.loads(done.stdout)["vpn"]["value"] if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError, KeyError, OSError, ToolMissingError):
        vpn = {}
    vpn = vpn if isinstance(vpn, dict) else {}
    address = _text(vpn, "wireguard_public_ip")
    return Outputs(
        f"{address}:{vpn.get('wireguard_port') or PORT}" if address else None,
        _text(vpn, "wireguard_public_key"),
        _text(vpn, "wireguard_public_key_parameter"),
        _text(vpn, "connection_id"),
    )


def find_server(
    folder: Path, endpoint: str | None, public_key: str | None, region: str | None
) -> Server:
    """The server that is given, completed by Terraform's outputs and AWS; UsageError else."""
    known = Outputs() if endpoint and public_key else outputs(folder)
    endpoint = endpoint or known.endpoint
    if endpoint is None:
        raise UsageError(f"the server's address is not known: {_why_not(folder)}", _GIVE)
    public_key = public_key or known.public_key
    if public_key is None and known.public_key_parameter is not None:
        public_key = _parameter(known.public_key_parameter, region)
    if public_key is None:
        raise UsageError("the server's public key is not known", _GIVE)
    return Server(check_endpoint(endpoint), check_public_key(public_key, "the server's"))


def _why_not(folder: Path) -> str:
    """Why Terraform does not say it."""
    from titanium.terraform import find_terraform

    try:
        find_terraform()
    except ToolMissingError as error:
        return error.message
    return f"{folder} has no outputs yet"


def check_endpoint(text: str) -> str:
    """`host` or `host:port` as `host:port`; UsageError when it is neither."""
    host, _, port = text.partition(":")
    number = port or str(PORT)
    valid = number.isascii() and number.isdigit() and 0 < int(number) < 65536
    if valid and host.replace(".", "").isdigit():
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            valid = False
    if not valid or not _HOST.fullmatch(host):
        raise UsageError(
            f"{text!r} is no address of a server", "Such as 198.51.100.7 or vpn.example.org:51820."
        )
    return f"{host}:{number}"


def _parameter(name: str, region: str | None) -> str:
    """The public key that the server wrote to Parameter Store on its first boot."""
    from titanium.aws import session, speaking_to_aws

    with speaking_to_aws():
        value = session(region).client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    try:
        return check_public_key(value, f"in {name}")
    except UsageError:
        raise UsageError(
            f"the server has not written its public key to {name} yet",
            "It does so on its first boot, within about three minutes. Then try again.",
        ) from None


def _text(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) and value else None
