"""Tunnels between real network stacks: what must pass passes, what must not does not.

What cannot be shown here: AWS's own routers (the VPC is one switch with the routes that the module
makes), its security groups, and pfSense (the office runs strongSwan, which pfSense runs inside).
WireGuard and IPsec both run in userspace: the kernel here need not have either.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator

import pytest

from tests.terraform import netns
from tests.terraform.tunnels import (
    DESK,
    HOST,
    LAPTOPS,
    OFFICE_BEHIND_HOST,
    SERVER_INSIDE,
    SERVER_PRIVATE,
    Network,
    customer_configuration,
)
from titanium.errors import ToolMissingError

pytestmark = [pytest.mark.cloud, pytest.mark.machines, pytest.mark.timeout(300)]

ALICE, BOB = "172.16.60.2", "172.16.60.3"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The whole network: the server booted, alice and bob connected, the office not yet."""
    if reason := netns.why_not():
        pytest.skip(reason)
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH: it renders the server's configuration")
    try:
        made = Network(tmp_path_factory.mktemp("tunnels"))
    except ToolMissingError as error:
        pytest.skip(f"WireGuard and strongSwan come from Debian: {error.message}")
    try:
        made.build()
        made.boot_server()
        made.add("alice")
        made.add("bob")
        made.apply_peers()
        made.connect("alice")
        made.connect("bob")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def office(network: Network) -> str:
    """Both ends of IPsec run; the configuration that `titanium vpn pfsense` gives the office."""
    network.start_ipsec()
    file = network.folder / "vpn.xml"
    file.write_text(customer_configuration())
    return network.titanium("pfsense", "--file", str(file), "--format", "swanctl")


def test_laptops_reach_the_vpc_under_their_own_addresses(network: Network) -> None:
    """No NAT: security groups and logs can tell laptops apart."""
    assert network.seen_as(ALICE, network.laptops["alice"], HOST)
    assert network.seen_as(BOB, network.laptops["bob"], HOST)


def test_only_the_resolver_sees_the_servers_address(network: Network) -> None:
    """AWS's resolver answers the VPC's own addresses alone."""
    alice = network.laptops["alice"]
    assert netns.eventually(lambda: network.resolver_sees(alice) == SERVER_PRIVATE)


def test_the_servers_private_key_is_on_its_disk_and_in_the_secret_alone(network: Network) -> None:
    """Neither in Terraform's state, nor in what cloud-init got, nor in an argument."""
    secret = (network.store / "secret").read_text()
    on_disk = network.server.run("cat", "/etc/wireguard/private.key").stdout
    assert secret.strip() == on_disk.strip()
    mode = network.server.run("stat", "-c", "%a", "/etc/wireguard/private.key").stdout
    assert mode.strip() == "600"
    assert secret not in (network.folder / "root" / "terraform.tfstate").read_text()
    assert secret not in (network.store / "calls.jsonl").read_text()


def test_a_replaced_server_is_the_same_one_to_laptops(network: Network) -> None:
    """Its key comes from the secret: nobody needs a new file."""
    before = network.server_key
    network.server.run("rm", "/etc/wireguard/private.key")
    (network.store / "public-key").unlink()
    network.server.run("/usr/local/sbin/titanium-wireguard-key")
    assert network.server_key == before


def test_a_laptop_does_not_reach_another(network: Network) -> None:
    """Also when both owners change their settings: the server does not forward between them."""
    alice, bob = network.sends_anything("alice"), network.sends_anything("bob")
    assert network.sees(alice, BOB) is None
    network.send(alice, BOB, ALICE, "to another laptop")
    assert network.seen_as(ALICE, alice, HOST)
    assert network.seen_as(BOB, bob, HOST)
    assert network.heard("to another laptop") is None


def test_a_laptop_reaches_nothing_but_the_vpc(network: Network) -> None:
    """Neither the office nor the server itself, also when its owner sends it all to the server."""
    alice = network.sends_anything("alice")
    network.send(alice, OFFICE_BEHIND_HOST, ALICE, "to the office")
    for address in (OFFICE_BEHIND_HOST, SERVER_INSIDE, SERVER_PRIVATE):
        assert network.sees(alice, address) is None
    assert network.heard("to the office") is None


def test_a_laptop_cannot_pretend_to_be_another(network: Network) -> None:
    """A key goes with one address: a packet with another source is dropped when decrypted."""
    alice = network.laptops["alice"]
    for source in (BOB, "172.16.60.99", "10.0.7.7", "172.16.4.9"):
        alice.run("ip", "address", "add", f"{source}/32", "dev", "alice")
        network.send(alice, HOST, source, f"as {source}")
        alice.run("ip", "address", "del", f"{source}/32", "dev", "alice")
    network.send(alice, HOST, ALICE, "as alice")
    assert netns.eventually(lambda: network.heard("as alice") == ALICE)
    for source in (BOB, "172.16.60.99", "10.0.7.7", "172.16.4.9"):
        assert network.heard(f"as {source}") is None


def test_the_vpc_does_not_open_connections_to_laptops(network: Network) -> None:
    """What runs in the VPC is not a way to people's machines."""
    assert network.sees(network.host, ALICE) is None


def test_who_is_not_on_the_list_does_not_pass(network: Network) -> None:
    """A file that fits and the right key of the server are not enough."""
    network.add("mallory", network.folder / "another-list.json")
    network.connect("mallory")
    mallory = network.laptops["mallory"]
    assert network.sees(mallory, HOST) is None
    assert "latest handshake" not in mallory.run("wg", "show", "mallory").stdout


def test_a_list_that_is_not_whole_changes_nothing(network: Network) -> None:
    """The server may read while Terraform writes its parts, or find none at all."""
    part = network.store / "peers-0"
    whole = part.read_text()
    for broken in ("# 3 peers\n" + whole.split("\n", 1)[1], whole.split("\n", 1)[1], ""):
        part.write_text(broken)
        done = network.fetch_peers(check=False)
        assert done.returncode != 0
        assert "keeping the last one" in done.stderr
        assert network.seen_as(BOB, network.laptops["bob"], HOST)
    part.write_text(whole)
    network.fetch_peers()


def test_a_revoked_laptop_is_cut_off_and_nobody_else(network: Network) -> None:
    """The open connection of who stays goes on."""
    import subprocess
    import sys

    assert network.seen_as(BOB, network.laptops["bob"], HOST)
    code = (
        "import socket, sys\nmade = socket.create_connection(('10.0.1.20', 8080), 5)\n"
        "for line in sys.stdin:\n made.sendall(b'?'); print(made.recv(99).decode(), flush=True)"
    )
    alice = network.laptops["alice"]
    command = ["nsenter", "-t", str(alice.pid), "-n", "-m", "-p", "--", sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as open_connection:
        assert open_connection.stdin
        assert open_connection.stdout

        def ask() -> str:
            assert open_connection.stdin
            assert open_connection.stdout
            open_connection.stdin.write("\n")
            open_connection.stdin.flush()
            return open_connection.stdout.readline().strip()

        assert ask() == ALICE
        network.titanium("peer", "revoke", "bob", "--peers", str(network.peers_file))
        network.apply_peers()
        assert network.sees(network.laptops["bob"], HOST) is None
        assert ask() == ALICE
        open_connection.stdin.close()
    listed = json.loads(network.peers_file.read_text())["vpn_peers"]
    assert [one["name"] for one in listed] == ["alice"]


def test_a_rebooted_server_knows_its_laptops_without_asking_aws(network: Network) -> None:
    """The interface's file names no peer; the last list is on the disk."""
    network.wg_quick(network.server, "down", "wg0")
    assert network.sees(network.laptops["alice"], HOST) is None
    calls = (network.store / "calls.jsonl").read_text()
    network.wg_quick(network.server, "up", "wg0")
    assert (network.store / "calls.jsonl").read_text() == calls
    # A laptop notices within 15 seconds by itself; switching it off and on is quicker.
    network.wg_quick(network.laptops["alice"], "down", str(network.laptop_file("alice")))
    network.connect("alice")
    assert network.seen_as(ALICE, network.laptops["alice"], HOST)


def test_the_laptops_file_is_the_owners_alone(network: Network) -> None:
    """It holds the private key."""
    assert stat.S_IMODE(network.laptop_file("alice").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("aes256gcm16-prfsha384-ecp384", "aes128-sha1-modp1024"),
        ("aes256gcm16-prfsha384-ecp384", "aes256gcm16-prfsha384-modp1024"),
        ("esp_proposals = aes256gcm16-ecp384", "esp_proposals = aes128-sha1"),
        ('secret = "kFb1', 'secret = "wrong'),
    ],
    ids=["weak", "weak-group", "weak-esp", "wrong-key"],
)
def test_weak_algorithms_and_a_wrong_key_open_no_tunnel(
    network: Network, office: str, old: str, new: str
) -> None:
    """AWS's end takes the module's algorithms and no others."""
    assert old in office
    assert not network.office_tunnel(office.replace(old, new))
    assert network.sees(network.desk, HOST) is None


def test_office_and_vpc_reach_each_other_through_ipsec(network: Network, office: str) -> None:
    """Under their own addresses, and encrypted on the way."""
    assert network.office_tunnel(office)
    assert network.seen_as(DESK, network.desk, HOST)
    assert network.seen_as(HOST, network.host, DESK)


def test_nobody_on_the_way_reads_it(network: Network, office: str) -> None:
    """Neither tunnel shows what it carries; a datagram outside of one does."""
    assert network.office_tunnel(office)
    assert network.seen_as(DESK, network.desk, HOST)
    log = network.folder / "wire.log"
    code = (
        "import socket\nwire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))\n"
        "print('ready', flush=True)\n"
        "while True:\n data = wire.recv(4000)\n"
        " for word in (b'plain-text', b'from-laptop', b'from-office'):\n"
        "  if word in data: print(word.decode(), flush=True)"
    )
    import sys

    network.internet.start(sys.executable, "-c", code, log=log)
    assert netns.eventually(lambda: "ready" in log.read_text())
    network.send(network.laptops["alice"], HOST, ALICE, "from-laptop")
    network.send(network.desk, HOST, DESK, "from-office")
    assert netns.eventually(lambda: network.heard("from-laptop") == ALICE)
    assert netns.eventually(lambda: network.heard("from-office") == DESK)
    network.send(network.laptops["alice"], "192.0.2.12", "192.0.2.11", "plain-text")
    assert netns.eventually(lambda: "plain-text" in log.read_text())
    assert "from-" not in log.read_text()


def test_the_office_does_not_reach_laptops(network: Network, office: str) -> None:
    """Also when its gateway sends their network into the tunnel: it is not agreed upon."""
    network.sends_anything("alice")
    assert network.office_tunnel(office)
    network.office.run("ip", "route", "replace", LAPTOPS, "dev", "ipsec0")
    network.aws.run("ip", "route", "replace", LAPTOPS, "via", SERVER_PRIVATE)
    assert network.sees(network.desk, ALICE) is None
    network.send(network.desk, ALICE, DESK, "from the office")
    assert network.seen_as(DESK, network.desk, HOST)
    assert network.heard("from the office") is None


def test_the_server_forwards_nothing_from_the_office_to_laptops(network: Network) -> None:
    """Also if it came by another way: only answers go to laptops."""
    network.sends_anything("alice")
    network.send(network.host, ALICE, OFFICE_BEHIND_HOST, "from a forged office")
    assert network.seen_as(ALICE, network.laptops["alice"], HOST)
    assert network.heard("from a forged office") is None
