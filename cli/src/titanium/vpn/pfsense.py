"""What the office's pfSense is set to: read from AWS's description of the connection."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from titanium.errors import ConfigurationError, UsageError
from titanium.vpn.plan import Plan

if TYPE_CHECKING:
    import boto3

# As in terraform/modules/vpn/office.tf, in pfSense's and in strongSwan's words. A test compares.
ENCRYPTION = "AES256-GCM"
TAG_BITS = 128
HASH = "SHA384"
DH_GROUP = 20
IKE_SECONDS = 28800
ESP_SECONDS = 3600
IKE_PROPOSAL = "aes256gcm16-prfsha384-ecp384"
ESP_PROPOSAL = "aes256gcm16-ecp384"
_DPD_SECONDS = 10
# Below these, one end would renew in the middle of the other's renewal.
_REKEY_SHARE = 0.9
HIDDEN = "(hidden: --show-keys)"


@dataclass(frozen=True)
class Tunnel:
    """One of the two tunnels; `key` is None where AWS keeps it in Secrets Manager."""

    office: str
    aws: str
    office_inside: str
    aws_inside: str
    inside_prefix: int
    mss: int
    key: str | None


@dataclass(frozen=True)
class Connection:
    """A Site-to-Site connection; `key_secret` is the ARN of the secret with its keys."""

    name: str
    tunnels: tuple[Tunnel, ...]
    key_secret: str | None = None


def read(text: str, where: str, key_secret: str | None = None) -> Connection:
    """AWS's customer gateway configuration (XML) of a connection; ConfigurationError else."""
    try:
        # From AWS, or the person's own file; expat itself bounds what entities grow to.
        root = ElementTree.fromstring(text)  # noqa: S314
        tunnels = tuple(_tunnel(element) for element in root.iter("ipsec_tunnel"))
    except (ElementTree.ParseError, ValueError) as error:
        raise ConfigurationError(
            f"{where} is no configuration of a VPN connection: {error}",
            "Download it: VPC console, Site-to-Site VPN, Download configuration, Generic.",
        ) from None
    if not tunnels:
        raise ConfigurationError(
            f"{where} names no tunnel", "Is it the XML of a Site-to-Site VPN connection?"
        )
    return Connection(root.get("id", "vpn"), tunnels, key_secret)


def describe(session: boto3.Session, name: str | None) -> Connection:
    """The connection `name`, or the only one that is tagged as ours; UsageError else."""
    from titanium.aws import speaking_to_aws

    with speaking_to_aws():
        ec2 = session.client("ec2")
        if name:
            found = ec2.describe_vpn_connections(VpnConnectionIds=[name])["VpnConnections"]
        else:
            found = ec2.describe_vpn_connections(
                Filters=[{"Name": "tag:Project", "Values": ["titanium"]}]
            )["VpnConnections"]
    live = [one for one in found if one.get("State") not in ("deleted", "deleting")]
    if len(live) != 1:
        known = ", ".join(one["VpnConnectionId"] for one in live) or "none"
        raise UsageError(
            f"which VPN connection? In {session.region_name} there is: {known}",
            "Give --connection vpn-..., or apply with office_public_ip set.",
        )
    text = live[0].get("CustomerGatewayConfiguration")
    if not text:
        raise UsageError(
            f"AWS does not show the configuration of {live[0]['VpnConnectionId']}",
            "Its state must be available: see the VPC console, Site-to-Site VPN connections.",
        )
    return read(text, live[0]["VpnConnectionId"], live[0].get("PreSharedKeyArn"))


def settings(connection: Connection, plan: Plan, *, show_keys: bool) -> list[tuple[str, str]]:
    """Lines for a person at pfSense's web interface: (field, value); a heading has no value."""
    lines: list[tuple[str, str]] = []
    for number, tunnel in enumerate(connection.tunnels, 1):
        lines += [
            (f"Tunnel {number}: VPN > IPsec > Tunnels > Add P1", ""),
            ("Description", f"{connection.name} {number}"),
            ("Key Exchange version", "IKEv2"),
            ("Interface", f"the one with {tunnel.office}"),
            ("Remote Gateway", tunnel.aws),
            ("Authentication Method", "Mutual PSK"),
            ("My identifier", f"IP address {tunnel.office}"),
            ("Peer identifier", "Peer IP address"),
            ("Pre-Shared Key", _shown_key(connection, tunnel, show_keys=show_keys)),
            ("Encryption Algorithm", f"{ENCRYPTION}, {TAG_BITS} bits"),
            ("Hash", HASH),
            ("DH Group", f"{DH_GROUP} (nist ecp384)"),
            ("Life Time", f"{IKE_SECONDS}"),
            ("Child SA Start Action", "Initiate at start"),
            ("Dead Peer Detection", f"on, delay {_DPD_SECONDS}, max failures 3"),
            (f"Tunnel {number}: Show Phase 2 Entries > Add P2", ""),
            ("Mode", "Routed (VTI)"),
            ("Local Network", f"Network {tunnel.office_inside}/{tunnel.inside_prefix}"),
            ("Remote Network", f"Address {tunnel.aws_inside}"),
            ("Protocol", "ESP"),
            ("Encryption Algorithms", f"{ENCRYPTION}, {TAG_BITS} bits; no other"),
            ("PFS key group", f"{DH_GROUP} (nist ecp384)"),
            ("Life Time", f"{ESP_SECONDS}"),
            ("Automatically ping host", tunnel.aws_inside),
        ]
    first = connection.tunnels[0]
    return [
        *lines,
        ("Once for both tunnels", ""),
        ("Interfaces > Assignments", "add both VTI interfaces, enable them, no addresses"),
        ("System > Routing > Gateway Groups", "AWS: tunnel 1 as tier 1, tunnel 2 as tier 2"),
        ("System > Routing > Static Routes", f"{plan.vpc} through tunnel 1's gateway"),
        ("Firewall > Rules > LAN", f"pass {plan.office} to {plan.vpc}, gateway AWS (the group)"),
        ("Firewall > Rules > IPsec", f"pass {plan.vpc} to {plan.office}, only what it needs"),
        ("VPN > IPsec > Advanced > MSS clamping", f"on, {first.mss}"),
    ]


def swanctl(connection: Connection, plan: Plan) -> str:
    """The first tunnel as strongSwan's swanctl.conf: for an office without pfSense, and for tests.

    Holds the key. One tunnel only: both would claim the same networks.
    """
    tunnel = connection.tunnels[0]
    if tunnel.key is None:
        secret = connection.key_secret
        raise UsageError(
            f"the key of {connection.name} is not in its description",
            f"It is in a secret: aws secretsmanager get-secret-value --secret-id {secret}"
            if secret
            else "The VPC console names the secret that it is in.",
        )
    rekey = {
        "ike": int(IKE_SECONDS * _REKEY_SHARE),
        "esp": int(ESP_SECONDS * _REKEY_SHARE),
    }
    return f"""\
connections {{
  aws {{
    version = 2
    local_addrs = {tunnel.office}
    remote_addrs = {tunnel.aws}
    proposals = {IKE_PROPOSAL}
    rekey_time = {rekey["ike"]}s
    dpd_delay = {_DPD_SECONDS}s
    keyingtries = 0
    local {{
      auth = psk
      id = {tunnel.office}
    }}
    remote {{
      auth = psk
      id = {tunnel.aws}
    }}
    children {{
      vpc {{
        local_ts = {plan.office}
        remote_ts = {plan.vpc}
        esp_proposals = {ESP_PROPOSAL}
        rekey_time = {rekey["esp"]}s
        start_action = start
        dpd_action = restart
      }}
    }}
  }}
}}
secrets {{
  ike-aws {{
    id = {tunnel.aws}
    secret = "{tunnel.key}"
  }}
}}
"""


def _shown_key(connection: Connection, tunnel: Tunnel, *, show_keys: bool) -> str:
    if tunnel.key is None:
        return f"in Secrets Manager: {connection.key_secret or 'see the VPC console'}"
    return tunnel.key if show_keys else HIDDEN


def _tunnel(element: ElementTree.Element) -> Tunnel:
    key = element.findtext("ike/pre_shared_key", "").strip()
    hidden = not key or key.upper() == "REDACTED"
    if not hidden and not all(char.isalnum() or char in "._" for char in key):
        raise ValueError("a pre-shared key has characters that AWS does not use")
    prefix = element.findtext("customer_gateway/tunnel_inside_address/network_cidr", "30")
    return Tunnel(
        _address(element, "customer_gateway/tunnel_outside_address/ip_address"),
        _address(element, "vpn_gateway/tunnel_outside_address/ip_address"),
        _address(element, "customer_gateway/tunnel_inside_address/ip_address"),
        _address(element, "vpn_gateway/tunnel_inside_address/ip_address"),
        int(prefix),
        int(element.findtext("ipsec/tcp_mss_adjustment", "1379")),
        None if hidden else key,
    )


def _address(element: ElementTree.Element, path: str) -> str:
    text = element.findtext(path, "").strip()
    if not text:
        raise ValueError(f"it has no {path}")
    return str(ipaddress.IPv4Address(text))
