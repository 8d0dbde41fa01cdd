"""The list of peers: a JSON file that Terraform reads as variables. Public keys only."""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from titanium.errors import ConfigurationError, StateError, UsageError
from titanium.files import write_atomically
from titanium.vpn.keys import check_public_key
from titanium.vpn.plan import Address, Plan

FILE = Path("terraform/environments/aws/peers.auto.tfvars.json")
VARIABLE = "vpn_peers"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_KEYS = {"name", "public_key", "address"}


@dataclass(frozen=True)
class Peer:
    """One laptop: its name, its public key (base64) and its address in the laptops' network."""

    name: str
    public_key: str
    address: str


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Two commands at once would give two laptops one address: the second waits."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StateError(
            f"cannot use the folder {path.parent}: {error.strerror}",
            "Give the file that Terraform reads with --peers.",
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def load(path: Path, plan: Plan) -> list[Peer]:
    """The peers in `path`; none when there is no file. ConfigurationError names file and entry."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(
            f"cannot read {path}: {error.strerror}", "Check its permissions."
        ) from None
    except (ValueError, RecursionError) as error:
        said = str(error).partition(";")[0]
        raise ConfigurationError(f"{path} is no JSON: {said}", "Restore it from Git.") from None
    if not isinstance(document, dict) or not isinstance(document.get(VARIABLE), list):
        raise _wrong(path, f"it has no list {VARIABLE}")
    if others := sorted(set(document) - {VARIABLE}):
        raise _wrong(path, f"it has {others[0]} besides {VARIABLE}, which would be lost")
    peers = [_peer(path, entry, plan) for entry in document[VARIABLE]]
    for key in ("name", "public_key", "address"):
        values = [getattr(peer, key) for peer in peers]
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise _wrong(path, f"two peers have the {key} {twice}")
    return peers


def save(path: Path, peers: list[Peer]) -> None:
    """Write the list in one step, ordered by address; StateError when that fails."""
    ordered = sorted(peers, key=lambda peer: ipaddress.IPv4Address(peer.address))
    document = {VARIABLE: [asdict(peer) for peer in ordered]}
    try:
        write_atomically(path, json.dumps(document, indent=2) + "\n", 0o644, durable=True)
    except OSError as error:
        raise StateError(f"cannot write {path}: {error.strerror}", "Nothing was changed.") from None


def check_name(name: str) -> str:
    """The same name; UsageError when it is none."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a peer's name",
            "Give 1 to 32 lower-case letters, digits and hyphens, such as alice-laptop.",
        )
    return name


def new_peer(
    peers: list[Peer], plan: Plan, name: str, public_key: str, address: str | None
) -> Peer:
    """A peer that fits the others, with the lowest free address unless one is given.

    UsageError: the name, key or address is taken or none, or no address is left.
    """
    check_name(name)
    check_public_key(public_key, f"of {name}")
    for peer in peers:
        if peer.name == name:
            raise UsageError(
                f"there is a peer {name} already ({peer.address})",
                f"Choose another name, or first: titanium vpn peer revoke {name}",
            )
        if peer.public_key == public_key:
            raise UsageError(
                f"this public key belongs to {peer.name} already",
                "Every laptop has a key pair of its own.",
            )
    return Peer(name, public_key, str(_address(peers, plan, address)))


def _address(peers: list[Peer], plan: Plan, wanted: str | None) -> Address:
    taken = {peer.address: peer.name for peer in peers}
    if wanted is None:
        free = (one for one in plan.laptops.hosts() if plan.is_for_a_peer(one))
        address = next((one for one in free if str(one) not in taken), None)
        if address is None:
            raise UsageError(
                f"every address of {plan.laptops} is taken", "Revoke who has left, or enlarge it."
            )
        return address
    try:
        address = Address(wanted)
    except ValueError:
        raise UsageError(f"{wanted!r} is no IPv4 address", f"One of {plan.laptops}.") from None
    if not plan.is_for_a_peer(address):
        raise UsageError(
            f"{address} cannot be a laptop's address",
            f"One of {plan.laptops}, but not {plan.server}, which is the server's.",
        )
    if str(address) in taken:
        raise UsageError(
            f"{address} belongs to {taken[str(address)]}", "Leave --address out: one is chosen."
        )
    return address


def _peer(path: Path, entry: Any, plan: Plan) -> Peer:
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise _wrong(path, f"each peer has {', '.join(sorted(_KEYS))}, but one is {entry!r:.80}")
    if not all(isinstance(value, str) for value in entry.values()):
        raise _wrong(path, f"a value of peer {entry['name']!r} is no text")
    peer = Peer(**entry)
    try:
        check_name(peer.name)
        check_public_key(peer.public_key, f"of {peer.name}")
        fits = plan.is_for_a_peer(Address(peer.address))
    except (UsageError, ValueError) as error:
        raise _wrong(path, str(error)) from None
    if not fits:
        raise _wrong(path, f"{peer.name}'s address {peer.address} is none of {plan.laptops}")
    return peer


def _wrong(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: {what}", "Correct it, or restore it from Git.")
