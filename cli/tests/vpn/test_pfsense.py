"""What the office's pfSense is set to."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from titanium.checkout import checkout
from titanium.vpn import pfsense

from .conftest import Vpn

pytestmark = pytest.mark.unit

Failure = Callable[[Result], str]
KEYS = ("kFb1xQ7e.Zr2T_vN8mHs4Ay6", "Wd3pL9u_Jc5gX.oE0iRz7Kt2")


def configuration(keys: tuple[str, str] = KEYS) -> str:
    """As AWS describes a connection (shortened)."""
    tunnels = "".join(
        f"""<ipsec_tunnel>
          <customer_gateway>
            <tunnel_outside_address><ip_address>203.0.113.10</ip_address></tunnel_outside_address>
            <tunnel_inside_address><ip_address>169.254.1{n}.2</ip_address>
              <network_mask>255.255.255.252</network_mask><network_cidr>30</network_cidr>
            </tunnel_inside_address>
          </customer_gateway>
          <vpn_gateway>
            <tunnel_outside_address><ip_address>198.51.100.{n}</ip_address></tunnel_outside_address>
            <tunnel_inside_address><ip_address>169.254.1{n}.1</ip_address></tunnel_inside_address>
          </vpn_gateway>
          <ike><authentication_protocol>sha1</authentication_protocol>
            <pre_shared_key>{key}</pre_shared_key></ike>
          <ipsec><tcp_mss_adjustment>1379</tcp_mss_adjustment></ipsec>
        </ipsec_tunnel>"""
        for n, key in enumerate(keys, 1)
    )
    return f'<?xml version="1.0"?><vpn_connection id="vpn-0a1">{tunnels}</vpn_connection>'


@pytest.fixture
def xml(tmp_path: Path) -> Path:
    path = tmp_path / "vpn.xml"
    path.write_text(configuration())
    return path


def test_every_field_of_both_tunnels_is_listed_and_keys_are_hidden(vpn: Vpn, xml: Path) -> None:
    """A screen may be seen: keys are shown when asked for."""
    shown = vpn("pfsense", "--file", str(xml)).output
    for text in ("198.51.100.1", "198.51.100.2", "169.254.11.2/30", "Routed (VTI)", "AES256-GCM"):
        assert text in shown
    assert not any(key in shown for key in KEYS)
    assert all(key in vpn("pfsense", "--file", str(xml), "--show-keys").output for key in KEYS)


def test_keys_in_secrets_manager_are_said_to_be_there(
    vpn: Vpn, tmp_path: Path, failure: Failure
) -> None:
    """AWS then describes the connection without them."""
    path = tmp_path / "vpn.xml"
    path.write_text(configuration(("REDACTED", "REDACTED")))
    assert "in Secrets Manager" in vpn("pfsense", "--file", str(path), "--show-keys").output
    result = vpn("pfsense", "--file", str(path), "--format", "swanctl")
    assert failure(result) == "the key of vpn-0a1 is not in its description"


def test_algorithms_and_lifetimes_are_those_of_the_terraform_module() -> None:
    """Each end offers one set: if they differ, no tunnel comes up."""
    text = (checkout() / "terraform/modules/vpn/office.tf").read_text()
    values = dict(re.findall(r"^    (\w+) += (\[.*?\]|\d+)", text, re.MULTILINE))
    assert values["encryption"] == '["AES256-GCM-16"]'
    assert values["integrity"] == '["SHA2-384"]'
    assert values["dh_groups"] == f"[{pfsense.DH_GROUP}]"
    assert int(values["ike_lifetime"]) == pfsense.IKE_SECONDS
    assert int(values["esp_lifetime"]) == pfsense.ESP_SECONDS
    assert (pfsense.ENCRYPTION, pfsense.HASH, pfsense.TAG_BITS) == ("AES256-GCM", "SHA384", 128)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not xml", "is no configuration of a VPN connection"),
        ("<vpn_connection/>", "names no tunnel"),
        ("<a><ipsec_tunnel/></a>", "it has no customer_gateway/tunnel_outside_address/ip_address"),
        (configuration(('a"\n}', "b")), "a pre-shared key has characters that AWS does not use"),
        (configuration().replace("198.51.100.1", "nowhere"), "nowhere"),
    ],
)
def test_what_is_no_description_of_a_connection_is_refused(
    vpn: Vpn, tmp_path: Path, failure: Failure, text: str, message: str
) -> None:
    """Also a key that would break out of the file that it goes into."""
    path = tmp_path / "vpn.xml"
    path.write_text(text)
    assert message in failure(vpn("pfsense", "--file", str(path)))


def test_missing_file_region_credentials_and_boto3_are_one_line_each(
    vpn: Vpn, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with an exit status of its own kind."""
    assert "cannot read" in failure(vpn("pfsense", "--file", "/nowhere"))
    assert failure(vpn("pfsense")) == "no AWS region is set"
    result = vpn("pfsense", "--region", "ap-northeast-2")
    assert failure(result) == "there are no AWS credentials"
    assert getattr(result.exception, "exit_code", None) == 2
    monkeypatch.setitem(sys.modules, "boto3", None)
    result = vpn("pfsense", "--region", "ap-northeast-2")
    assert "boto3 is not installed" in failure(result)
    assert getattr(result.exception, "exit_code", None) == 7
