"""Adding, listing and revoking laptops."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from titanium.vpn.keys import make_key_pair

from .conftest import SERVER_KEY, Vpn

pytestmark = pytest.mark.unit

Failure = Callable[[Result], str]


def field(text: str, name: str) -> str:
    return next(line.split(" = ", 1)[1] for line in text.splitlines() if line.startswith(name))


def test_a_laptop_gets_an_address_a_file_of_its_own_and_its_public_key_on_the_list(
    vpn: Vpn,
) -> None:
    """The private key is in the file alone, and belongs to the public key on the list."""
    import base64

    result = vpn.add("alice")
    assert result.exit_code == 0, result.output
    file = vpn.configuration("alice")
    text = file.read_text()
    private = field(text, "PrivateKey")
    public = X25519PrivateKey.from_private_bytes(base64.b64decode(private)).public_key()
    peers = json.loads(vpn.peers.read_text())
    assert peers == {
        "vpn_peers": [
            {
                "name": "alice",
                "public_key": base64.b64encode(public.public_bytes_raw()).decode(),
                "address": "172.16.60.2",
            }
        ]
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert private not in result.output
    assert private not in vpn.peers.read_text()
    assert field(text, "Address") == "172.16.60.2/32"
    assert field(text, "Endpoint") == "198.51.100.7:51820"
    assert field(text, "PublicKey") == SERVER_KEY
    assert field(text, "AllowedIPs") == "10.0.0.0/16, 172.16.60.1/32"


def test_keys_made_elsewhere_leave_no_private_key_here(vpn: Vpn) -> None:
    """The list has the given key; the configuration is shown with a gap."""
    public = make_key_pair().public
    result = vpn.add("bob", "--public-key", public)
    assert result.exit_code == 0, result.output
    assert "PrivateKey = (the private key, which never left its machine)" in result.output
    assert public in vpn.peers.read_text()
    assert not vpn.configuration("bob").exists()


@pytest.mark.parametrize("wrong", [("--dns", "dns"), ("--vpc", "10.0.0.0"), ("--address", "x")])
def test_a_mistake_with_keys_made_elsewhere_adds_nothing(
    vpn: Vpn, failure: Failure, wrong: tuple[str, str]
) -> None:
    """What is refused is refused whole."""
    assert failure(vpn.add("bob", "--public-key", make_key_pair().public, *wrong))
    assert not vpn.peers.exists()


def test_addresses_are_the_lowest_free_ones_and_return_when_revoked(vpn: Vpn) -> None:
    """The server's address is never given out; the list is ordered."""
    for name in ("a", "b", "c"):
        assert vpn.add(name).exit_code == 0
    assert vpn("peer", "revoke", "b").exit_code == 0
    assert vpn.add("d").exit_code == 0
    peers = json.loads(vpn.peers.read_text())["vpn_peers"]
    assert [(one["name"], one["address"]) for one in peers] == [
        ("a", "172.16.60.2"),
        ("d", "172.16.60.3"),
        ("c", "172.16.60.4"),
    ]
    listed = vpn("peer", "list").output
    assert "3 peers; 250 addresses left in 172.16.60.0/24" in listed
    assert json.loads(vpn("peer", "list", "--json").output) == peers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alice"], "there is a peer alice already (172.16.60.2)"),
        (["Bob"], "'Bob' cannot be a peer's name"),
        (["-x"], "'-x' cannot be a peer's name"),
        (["bob", "--address", "172.16.60.2"], "172.16.60.2 belongs to alice"),
        (["bob", "--address", "172.16.60.1"], "172.16.60.1 cannot be a laptop's address"),
        (["bob", "--address", "172.16.60.255"], "172.16.60.255 cannot be a laptop's address"),
        (["bob", "--address", "10.0.0.9"], "10.0.0.9 cannot be a laptop's address"),
        (["bob", "--address", "many"], "'many' is no IPv4 address"),
        (["bob", "--public-key", "short"], "'short' is no WireGuard public key (of bob)"),
        (["bob", "--public-key", "A" * 43 + "="], "is no WireGuard public key"),
        (["bob", "--public-key", SERVER_KEY[:-2] + "t="], "is no WireGuard public key"),
        (["bob", "--qr-file", "x.gif"], "x.gif is neither .png nor .svg"),
        (["bob", "--dns", "dns"], "--dns 'dns' is no IPv4 address"),
        (["bob", "--vpc", "172.16.0.0/12"], "overlaps that of the office 172.16.4.0/24"),
        (["bob", "--laptops", "172.16.4.128/25"], "overlaps that of the laptops 172.16.4.128/25"),
        (["bob", "--laptops", "172.16.60.0/30"], "172.16.60.0/30 is too small for laptops"),
        (["bob", "--vpc", "10.0.0.1/16"], "'10.0.0.1/16' is no network of the VPC"),
        (["bob", "--vpc", "10.0.0.0"], "the prefix length is missing"),
        (["bob", "--vpc", "127.0.0.0/8"], "127.0.0.0/8 cannot be the network of the VPC"),
        (["bob", "--vpc", "0.0.0.0/0"], "0.0.0.0/0 cannot be the network of the VPC"),
        (["bob", "--office", "169.254.4.0/24"], "169.254.4.0/24 cannot be the network of"),
        (["bob", "--laptops", "239.0.0.0/24"], "239.0.0.0/24 cannot be the network of"),
        (["bob", "--vpc", "fd00::/8"], "'fd00::/8' is no network of the VPC"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    vpn: Vpn, failure: Failure, arguments: list[str], message: str
) -> None:
    """One line says why; list and files stay as they were."""
    vpn.add("alice")
    before = vpn.peers.read_text()
    if arguments[0].startswith("-"):
        arguments = ["--", *arguments]
        result = vpn("peer", "add", "--endpoint", "h", "--server-key", SERVER_KEY, *arguments)
        assert result.exit_code != 0
        return
    result = vpn.add(*arguments)
    assert message in failure(result)
    assert vpn.peers.read_text() == before
    assert [path.name for path in vpn.configuration("x").parent.iterdir()] == ["alice.conf"]


def test_a_full_network_is_said(vpn: Vpn, failure: Failure) -> None:
    """A /29 has room for five laptops."""
    for number in range(5):
        assert vpn.add(f"laptop-{number}", "--laptops", "172.16.60.0/29").exit_code == 0
    result = vpn.add("one-more", "--laptops", "172.16.60.0/29")
    assert failure(result) == "every address of 172.16.60.0/29 is taken"


def test_a_key_is_one_laptops(vpn: Vpn, failure: Failure) -> None:
    """A second name for the same key would take over the first one's tunnel."""
    public = make_key_pair().public
    vpn.add("alice", "--public-key", public)
    result = vpn.add("bob", "--public-key", public)
    assert failure(result) == "this public key belongs to alice already"


def test_an_existing_file_is_never_overwritten(vpn: Vpn, failure: Failure) -> None:
    """It may hold the only copy of a key. Nothing is added either."""
    vpn.configuration("alice").parent.mkdir(parents=True)
    vpn.configuration("alice").write_text("precious")
    assert "exists: it may hold" in failure(vpn.add("alice"))
    assert vpn.configuration("alice").read_text() == "precious"
    assert not vpn.peers.exists()


def test_a_picture_that_cannot_be_written_takes_the_configuration_back(
    vpn: Vpn, failure: Failure, tmp_path: Path
) -> None:
    """Both files or none, and nothing on the list."""
    picture = tmp_path / "alice.svg"
    picture.write_text("another one")
    assert "exists" in failure(vpn.add("alice", "--qr-file", str(picture)))
    assert not vpn.configuration("alice").exists()
    assert not vpn.peers.exists()


def test_a_list_that_cannot_be_written_takes_the_files_back(vpn: Vpn, failure: Failure) -> None:
    """A private key that nobody knows is of no use."""
    import os

    vpn.peers.with_name(f".{vpn.peers.name}.{os.getpid()}").mkdir()  # where it is written first
    assert "cannot write" in failure(vpn.add("alice"))
    assert not vpn.configuration("alice").exists()


def test_a_private_key_does_not_go_into_the_checkout(vpn: Vpn, failure: Failure) -> None:
    """From there it could be committed."""
    from titanium.checkout import checkout

    result = vpn.add("alice", "--out", str(checkout() / "alice.conf"))
    assert "lies in the checkout" in failure(result)
    result = vpn.add("alice", "--qr-file", str(checkout() / "alice.png"))
    assert "lies in the checkout" in failure(result)
    assert not vpn.configuration("alice").exists()
    assert not vpn.peers.exists()


@pytest.mark.parametrize("where", ["file/alice.conf", "missing-permission/alice.conf"])
def test_a_file_that_cannot_be_made_is_said_as_it_is(
    vpn: Vpn, failure: Failure, tmp_path: Path, where: str
) -> None:
    """A folder that is a file is no key that exists already."""
    (tmp_path / "file").touch()
    folder = tmp_path / where.partition("/")[0]
    if where.startswith("missing"):
        folder = Path("/proc/self/fdinfo")
    result = vpn.add("alice", "--out", str(folder / "alice.conf"))
    assert f"cannot write {folder}" in failure(result)
    assert not vpn.peers.exists()


def test_a_full_disk_leaves_nothing_behind(
    vpn: Vpn, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a configuration would look like a whole one."""
    import errno
    import os

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in failure(vpn.add("alice"))
    assert not vpn.configuration("alice").exists()
    assert not vpn.peers.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"vpn_peers": [' + "1" * 5000 + "]}", "is no JSON"),
        ('{"vpn_peers": [], "region": "x"}', "it has region besides vpn_peers"),
        ("[]", "it has no list vpn_peers"),
        ('{"vpn_peers": [{"name": "a"}]}', "each peer has address, name, public_key"),
        (
            '{"vpn_peers": [{"name": "a", "public_key": 1, "address": "172.16.60.2"}]}',
            "a value of peer 'a' is no text",
        ),
        (
            (
                f'{{"vpn_peers": [{{"name": "a", "public_key": "{SERVER_KEY}",'
                ' "address": "10.0.0.5"}]}'
            ),
            "a's address 10.0.0.5 is none of 172.16.60.0/24",
        ),
        (
            '{"vpn_peers": ['
            + ", ".join(
                f'{{"name": "a", "public_key": "{SERVER_KEY}", "address": "172.16.60.{n}"}}'
                for n in (2, 3)
            )
            + "]}",
            "two peers have the name a",
        ),
    ],
)
def test_a_damaged_list_is_named_and_left_alone(
    vpn: Vpn, failure: Failure, content: str, message: str
) -> None:
    """The error names the file and the entry."""
    vpn.peers.write_text(content)
    for result in (vpn("peer", "list"), vpn.add("bob"), vpn("peer", "revoke", "a")):
        said = failure(result)
        assert message in said
        assert str(vpn.peers) in said
    assert vpn.peers.read_text() == content


def test_revoking_an_unknown_name_lists_the_known_ones(vpn: Vpn, failure: Failure) -> None:
    """A typing error must not look like success."""
    vpn.add("alice")
    result = vpn("peer", "revoke", "alcie")
    assert failure(result) == "there is no peer alcie"
    assert result.exception is not None
    assert "alice" in str(getattr(result.exception, "hint", ""))


def test_two_commands_at_once_give_two_addresses(vpn: Vpn) -> None:
    """The list is locked while one of them works."""
    import subprocess
    import sys

    def start(name: str) -> subprocess.Popen[bytes]:
        key = make_key_pair().public
        words = ["vpn", "peer", "add", name, "--public-key", key, "--peers", str(vpn.peers)]
        return subprocess.Popen(
            [sys.executable, "-m", "titanium", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    running = [start(f"laptop-{number}") for number in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    peers = json.loads(vpn.peers.read_text())["vpn_peers"]
    assert sorted(one["address"] for one in peers) == [f"172.16.60.{n}" for n in range(2, 6)]


def test_a_network_of_this_machine_that_hides_the_vpc_is_said(
    vpn: Vpn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many homes are in 10.0.0.0/24: those addresses stay at home."""
    import socket
    from types import SimpleNamespace

    import psutil

    home = SimpleNamespace(family=socket.AF_INET, address="10.0.0.17", netmask="255.255.255.0")
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"wlan0": [home]})
    result = vpn.add("alice")
    assert "this machine's network 10.0.0.0/24 (wlan0) overlaps the VPC's" in result.output


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_qr_code_is_a_picture_for_its_owner_alone(vpn: Vpn, tmp_path: Path, suffix: str) -> None:
    """It holds the private key as the file does."""
    picture = tmp_path / f"alice{suffix}"
    result = vpn.add("alice", "--qr-file", str(picture), "--qr")
    assert result.exit_code == 0, result.output
    assert "█" in result.output
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600
    start = {".png": b"\x89PNG", ".svg": b"<?xml"}[suffix]
    assert picture.read_bytes().startswith(start)
