"""The network that the module vpn builds, of namespaces: office, laptops, AWS's ends, a VPC.

Configuration comes from where it comes from in production: cloud-init's text from the Terraform
module, a laptop's file and the list of peers from `titanium vpn peer`, the office's from `titanium
vpn pfsense`. In the place of AWS there are: a program `aws` that keeps parameters and the secret in
files, and strongSwan for AWS's end of the IPsec tunnel, with the algorithms of the module.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.terraform import machine_programs
from tests.terraform.netns import Machine, eventually, programs, switch, wire
from titanium.terraform import find_terraform

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "terraform/modules/vpn"
VPC, OFFICE, LAPTOPS = "10.0.0.0/16", "172.16.4.0/24", "172.16.60.0/24"
SERVER_PUBLIC, AWS_PUBLIC, OFFICE_PUBLIC = "192.0.2.40", "192.0.2.30", "192.0.2.20"
SERVER_PRIVATE, AWS_PRIVATE, RESOLVER = "10.0.0.10", "10.0.0.1", "10.0.0.2"
HOST, DESK = "10.0.1.20", "172.16.4.50"
OFFICE_BEHIND_HOST, SERVER_INSIDE = "172.16.4.77", "172.16.60.1"
LAPTOP_ADDRESSES = {"alice": "192.0.2.11", "bob": "192.0.2.12", "mallory": "192.0.2.13"}
PORT, DNS_PORT = 8080, 53
KEY = "kFb1xQ7e.Zr2T_vN8mHs4Ay6"


class Network:
    """All machines, wired and configured; `close` ends everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trees = programs()
        self._machines: list[Machine] = []
        self.store = folder / "aws"
        self.store.mkdir()
        self._heard = folder / "heard.jsonl"
        self._heard.touch()

    def close(self) -> None:
        for machine in reversed(self._machines):
            machine.stop()

    def machine(self, name: str) -> Machine:
        made = Machine(name, self.folder / f"machine-{name}", self._trees)
        self._machines.append(made)
        return made

    def build(self) -> None:
        """Cables, addresses, and the VPC's routes as the module makes them."""
        self.internet = switch(self.machine("internet"))
        inside, lan = switch(self.machine("inside")), switch(self.machine("lan"))
        self.server = self.machine("server")
        wire(self.internet, self.server, "eth0", f"{SERVER_PUBLIC}/24")
        wire(inside, self.server, "eth1", f"{SERVER_PRIVATE}/16")
        self.aws = self.machine("aws")
        wire(self.internet, self.aws, "eth0", f"{AWS_PUBLIC}/24")
        wire(inside, self.aws, "eth1", f"{AWS_PRIVATE}/16")
        self.aws.forwards()
        self.host = self.machine("host")
        wire(inside, self.host, "eth0", f"{HOST}/16")
        self.host.run("ip", "address", "add", f"{RESOLVER}/16", "dev", "eth0")
        self.host.route(LAPTOPS, SERVER_PRIVATE)
        self.host.route(OFFICE, AWS_PRIVATE)
        self.office = self.machine("office")
        wire(self.internet, self.office, "eth0", f"{OFFICE_PUBLIC}/24")
        wire(lan, self.office, "eth1", "172.16.4.1/24")
        self.office.forwards()
        self.desk = self.machine("desk")
        wire(lan, self.desk, "eth0", f"{DESK}/24")
        self.desk.route("0.0.0.0/0", "172.16.4.1")
        self.laptops = {}
        for name, address in LAPTOP_ADDRESSES.items():
            self.laptops[name] = self.machine(name)
            wire(self.internet, self.laptops[name], "eth0", f"{address}/24")
        self._listen(self.host, RESOLVER)
        # An address of the office's network that the server can reach by itself, if it forwards.
        self.host.run("ip", "address", "add", f"{OFFICE_BEHIND_HOST}/32", "dev", "lo")
        self.server.route(f"{OFFICE_BEHIND_HOST}/32", HOST)
        self._listen(self.desk, "")
        self._listen(self.server, "")
        for laptop in self.laptops.values():
            self._listen(laptop, "")

    def _listen(self, machine: Machine, resolver: str) -> None:
        log = self.folder / f"{machine.name}.listener"
        command = [
            sys.executable,
            "-c",
            machine_programs.HOST,
            str(self._heard),
            str(PORT),
            resolver,
        ]
        machine.start(*command, log=log)
        assert eventually(lambda: "ready" in log.read_text()), log.read_text()

    # The WireGuard server

    def rendered(self) -> dict[str, object]:
        """The module's outputs for the list of peers as it is now."""
        folder = self.folder / "root"
        if not folder.is_dir():
            folder.mkdir()
            (folder / "main.tf").write_text(
                'variable "vpn_peers" {\n  type = list(object({ name = string, '
                "public_key = string, address = string }))\n  default = []\n}\n"
                f'module "server" {{\n  source = "{MODULE}/server"\n'
                f'  region = "ap-northeast-2"\n  vpc_cidr = "{VPC}"\n'
                f'  wireguard_cidr = "{LAPTOPS}"\n  wireguard_port = 51820\n'
                '  private_key_secret = "arn:aws:secretsmanager:ap-northeast-2:1:secret:wg"\n'
                '  public_key_parameter = "/t/public-key"\n  peers_path = "/t/peers"\n'
                "  peers = var.vpn_peers\n}\n"
                'output "server" {\n  value = module.server\n}\n'
            )
            _terraform(folder, "init")
        _terraform(folder, "apply", "-auto-approve")
        outputs = json.loads(_terraform(folder, "output", "-json"))
        value: dict[str, object] = outputs["server"]["value"]
        return value

    @property
    def peers_file(self) -> Path:
        return self.folder / "root" / "peers.auto.tfvars.json"

    def boot_server(self) -> None:
        """What cloud-init and systemd do on the first boot, without systemd."""
        data = yaml.safe_load(str(self.rendered()["user_data"]))
        for file in data["write_files"]:
            self.server.write(file["path"], file["content"], file["permissions"])
        stand_in = machine_programs.AWS.format(python=sys.executable, folder=str(self.store))
        self.server.write("/usr/local/bin/aws", stand_in, "0755")
        self.units = {
            Path(file["path"]).name: file["content"]
            for file in data["write_files"]
            if file["path"].startswith("/etc/systemd/")
        }
        self.server.run("sysctl", "-q", "-p", "/etc/sysctl.d/60-wireguard.conf")
        self.server.run("nft", "-f", "/etc/nftables.conf")
        self.server.run(_started_by(self.units["titanium.conf"], "ExecStartPre"))
        self.wg_quick(self.server, "up", "wg0")

    def apply_peers(self) -> None:
        """`terraform apply`, then what the server's timer starts every minute."""
        parts = self.rendered()["peer_lists"]
        assert isinstance(parts, list)
        for path in self.store.glob("peers-*"):
            path.unlink()
        for number, part in enumerate(parts):
            (self.store / f"peers-{number}").write_text(part)
        self.fetch_peers()

    def fetch_peers(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = _started_by(self.units["titanium-wireguard-peers.service"], "ExecStart")
        return self.server.run(*command.split(), check=check)

    @property
    def server_key(self) -> str:
        return (self.store / "public-key").read_text()

    # Laptops

    def titanium(self, *arguments: str) -> str:
        """`titanium vpn ...` with a home of the test's own."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "titanium", "vpn", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(home)},
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, name: str, listed: Path | None = None) -> None:
        """`titanium vpn peer add`."""
        server = ["--endpoint", SERVER_PUBLIC, "--server-key", self.server_key]
        peers = ["--peers", str(listed or self.peers_file)]
        self.titanium("peer", "add", name, "--out", str(self.laptop_file(name)), *server, *peers)

    def laptop_file(self, name: str) -> Path:
        return self.folder / "home" / f"{name}.conf"

    def sends_anything(self, name: str) -> Machine:
        """The laptop's owner changes its settings: all addresses through the tunnel, both ways."""
        laptop = self.laptops[name]
        laptop.run("wg", "set", name, "peer", self.server_key, "allowed-ips", "0.0.0.0/0")
        for network in (LAPTOPS, OFFICE):
            laptop.run("ip", "route", "replace", network, "dev", name)
        return laptop

    def connect(self, name: str) -> None:
        """The laptop brings up exactly the file that `titanium vpn peer add` wrote."""
        self.wg_quick(self.laptops[name], "up", str(self.laptop_file(name)))

    def wg_quick(self, machine: Machine, action: str, what: str) -> None:
        """As the system's service does it; wireguard-go stands in for the kernel's module."""
        userspace = {"WG_QUICK_USERSPACE_IMPLEMENTATION": "wireguard-go", "LOG_LEVEL": "error"}
        # wireguard-go stays, and would hold a pipe open.
        script = 'wg-quick "$1" "$2" >/run/wg-quick.log 2>&1 || { cat /run/wg-quick.log; exit 1; }'
        machine.run("sh", "-c", script, "sh", action, what, environment=userspace)

    # The office

    def start_ipsec(self) -> None:
        for machine in (self.aws, self.office):
            log = self.folder / f"{machine.name}.charon"
            machine.write("/etc/strongswan.conf", machine_programs.CHARON.format(log=log))
            machine.run("mkdir", "-p", "/etc/swanctl")
            machine.start(
                "/usr/lib/ipsec/charon",
                log=self.folder / f"{machine.name}.out",
                environment={"LD_LIBRARY_PATH": "/usr/lib/ipsec"},
            )
            assert eventually(
                lambda machine=machine: (
                    self.swanctl(machine, "--stats", check=False).returncode == 0
                )
            )
        self.load(self.aws, aws_side())

    def swanctl(
        self, machine: Machine, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return machine.run(
            *("swanctl", *arguments, "--uri", "unix:///run/charon.vici"),
            check=check,
            environment={"LD_LIBRARY_PATH": "/usr/lib/ipsec", "SWANCTL_DIR": "/etc/swanctl"},
        )

    def load(self, machine: Machine, text: str) -> None:
        machine.write("/etc/swanctl/swanctl.conf", text, "0600")
        self.swanctl(machine, "--load-all", "--clear")

    def office_tunnel(self, text: str) -> bool:
        """Give the office this configuration and begin; whether the tunnel comes up."""
        self.swanctl(self.office, "--terminate", "--ike", "aws", "--force", check=False)
        self.load(self.office, re.sub(r"start_action = start\n|keyingtries = 0\n", "", text))
        begun = self.swanctl(
            self.office, "--initiate", "--child", "vpc", "--timeout", "10", check=False
        )
        return begun.returncode == 0

    # Traffic

    def sees(self, machine: Machine, address: str, source: str = "") -> str | None:
        """The address under which `address` sees `machine`; None when it cannot be reached."""
        done = machine.python(machine_programs.ASK_TCP, address, str(PORT), source, check=False)
        return done.stdout.strip() or None

    def seen_as(self, expected: str, machine: Machine, address: str) -> bool:
        """Whether `address` sees `machine` under `expected`; a busy machine takes its time."""
        return eventually(lambda: self.sees(machine, address) == expected)

    def resolver_sees(self, machine: Machine) -> str | None:
        return (
            machine.python(machine_programs.ASK_DNS, RESOLVER, check=False).stdout.strip() or None
        )

    def send(self, machine: Machine, address: str, source: str, text: str) -> None:
        """A few datagrams with `text` and this source address."""
        machine.python(machine_programs.SEND_UDP, address, str(PORT), source, text)

    def heard(self, text: str) -> str | None:
        """From which address any listener heard a datagram with `text`; None for nobody."""
        for line in self._heard.read_text().splitlines():
            source, said = json.loads(line)
            if said == text:
                return str(source)
        return None


def _terraform(folder: Path, *arguments: str) -> str:
    """No provider is involved, so there is nothing to find or to fetch."""
    done = subprocess.run(
        [str(find_terraform()), *arguments],
        cwd=folder,
        env={**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _started_by(unit: str, key: str) -> str:
    found = re.search(rf"^{key}=(.+)$", unit, re.MULTILINE)
    assert found
    return found[1]


def customer_configuration(key: str = KEY) -> str:
    """As AWS describes the connection; both tunnels lead to the same end here."""
    tunnel = f"""<ipsec_tunnel>
      <customer_gateway>
        <tunnel_outside_address><ip_address>{OFFICE_PUBLIC}</ip_address></tunnel_outside_address>
        <tunnel_inside_address><ip_address>169.254.11.2</ip_address></tunnel_inside_address>
      </customer_gateway>
      <vpn_gateway>
        <tunnel_outside_address><ip_address>{AWS_PUBLIC}</ip_address></tunnel_outside_address>
        <tunnel_inside_address><ip_address>169.254.11.1</ip_address></tunnel_inside_address>
      </vpn_gateway>
      <ike><pre_shared_key>{key}</pre_shared_key></ike>
    </ipsec_tunnel>"""
    return f'<vpn_connection id="vpn-0a1">{tunnel}</vpn_connection>'


def aws_side() -> str:
    """AWS's end: what the module's tunnel options demand, in strongSwan's words.

    It takes any networks and lets the office narrow them, as AWS does by default.
    """
    text = (MODULE / "office.tf").read_text()
    encryption, integrity = (
        re.search(rf'{name} += \["(.+?)"\]', text) for name in ("encryption", "integrity")
    )
    group = re.search(r"dh_groups += \[(\d+)\]", text)
    assert encryption
    assert integrity
    assert group
    cipher = {"AES256-GCM-16": "aes256gcm16"}[encryption[1]]
    prf = {"SHA2-384": "prfsha384"}[integrity[1]]
    dh = {"20": "ecp384"}[group[1]]
    return f"""connections {{
  office {{
    version = 2
    local_addrs = {AWS_PUBLIC}
    remote_addrs = {OFFICE_PUBLIC}
    proposals = {cipher}-{prf}-{dh}
    local {{
      auth = psk
      id = {AWS_PUBLIC}
    }}
    remote {{
      auth = psk
      id = {OFFICE_PUBLIC}
    }}
    children {{
      office {{
        local_ts = 0.0.0.0/0
        remote_ts = 0.0.0.0/0
        esp_proposals = {cipher}-{dh}
      }}
    }}
  }}
}}
secrets {{
  ike-office {{
    id = {OFFICE_PUBLIC}
    secret = "{KEY}"
  }}
}}
"""
