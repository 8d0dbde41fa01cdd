"""The address plan: which networks meet, and that none overlaps another."""

from __future__ import annotations

import ipaddress
import itertools
import socket
from dataclasses import dataclass

from titanium.errors import UsageError

Network = ipaddress.IPv4Network
Address = ipaddress.IPv4Address

VPC = "10.0.0.0/16"
OFFICE = "172.16.4.0/24"
LAPTOPS = "172.16.60.0/24"
# "This network", loopback, link-local (AWS uses it inside tunnels), multicast and reserved.
_SPECIAL = tuple(
    Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
)
# Network, server and broadcast address, two peers: less is no plan.
_LONGEST_PREFIX = 29


@dataclass(frozen=True)
class Plan:
    """The three networks; the defaults are those of the Terraform modules."""

    vpc: Network
    office: Network
    laptops: Network

    @property
    def server(self) -> Address:
        """The WireGuard server's address: the first of the laptops' network."""
        return self.laptops[1]

    @property
    def resolver(self) -> Address:
        """The VPC's own resolver: AWS reserves the third address for it."""
        return self.vpc[2]

    def is_for_a_peer(self, address: Address) -> bool:
        """Whether a laptop may have it: not the network's, the server's, the broadcast's."""
        taken = (self.laptops.network_address, self.server, self.laptops.broadcast_address)
        return address in self.laptops and address not in taken


def make_plan(vpc: str = VPC, office: str = OFFICE, laptops: str = LAPTOPS) -> Plan:
    """The plan of these networks; UsageError when one is no network or two overlap."""
    plan = Plan(
        network(vpc, "the VPC"), network(office, "the office"), network(laptops, "the laptops")
    )
    if plan.laptops.prefixlen > _LONGEST_PREFIX:
        raise UsageError(
            f"{plan.laptops} is too small for laptops", f"Give a /{_LONGEST_PREFIX} or larger."
        )
    named = {"the VPC": plan.vpc, "the office": plan.office, "the laptops": plan.laptops}
    for (one, first), (other, second) in itertools.combinations(named.items(), 2):
        if first.overlaps(second):
            raise UsageError(
                f"the network of {one} {first} overlaps that of {other} {second}",
                "Choose networks that are apart: an address of both is reached at neither end.",
            )
    return plan


def network(text: str, of: str) -> Network:
    """`10.0.0.0/16` as a network; UsageError says what is wrong with it."""
    if "/" not in text:
        raise UsageError(
            f"{text!r} is no network of {of}: the prefix length is missing", "Such as 10.0.0.0/16."
        )
    try:
        found = Network(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no network of {of}: {error}", "Such as 10.0.0.0/16."
        ) from None
    if any(found.overlaps(special) for special in _SPECIAL):
        raise UsageError(
            f"{found} cannot be the network of {of}: a part of it has another use everywhere",
            "Take a private one: of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        )
    return found


def overlaps_here(plan: Plan) -> list[str]:
    """This machine's own networks that hide a part of the VPC, as sentences.

    A home network that overlaps the VPC wins over the tunnel: those addresses stay unreachable.
    """
    import psutil

    found = []
    for interface, addresses in sorted(psutil.net_if_addrs().items()):
        for entry in addresses:
            if entry.family != socket.AF_INET or not entry.netmask or interface == "lo":
                continue
            own = Network(f"{entry.address}/{entry.netmask}", strict=False)
            if own.overlaps(plan.vpc):
                found.append(
                    f"this machine's network {own} ({interface}) overlaps the VPC's {plan.vpc}: "
                    "those addresses will not go through the tunnel from here"
                )
    return found
