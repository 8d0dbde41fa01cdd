"""Three database nodes on loopback, rendered by the module and run for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import free_port_base, wait_until
from tests.terraform.patroni.network import Place, places
from tests.terraform.patroni.nlb import LoadBalancer
from tests.terraform.patroni.node import Node
from tests.terraform.patroni.programs import Programs
from tests.terraform.patroni.render import render

MEMORY_MIB = 1024


@dataclass
class Cluster:
    """`nodes` by name; `writer` leads to the primary, `reader` to the replicas."""

    work: Path
    nodes: dict[str, Node]
    ports: dict[str, int]
    secrets: Path

    @property
    def password(self) -> str:
        """The administrator's, as clients get it."""
        return str(self.client_secret()["password"])

    def client_secret(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.secrets / "titanium-postgres").read_text())
        return document

    @property
    def authority(self) -> Path:
        return next(iter(self.nodes.values())).certificate("ca.crt")

    def leader(self) -> Node:
        """The node that leads now; AssertionError when none does."""
        found = self.find_leader()
        assert found is not None, "no node leads"
        return found

    def find_leader(self) -> Node | None:
        return next((node for node in self.nodes.values() if node.leads()), None)

    def standbys(self) -> list[Node]:
        leader = self.leader()
        return [node for node in self.nodes.values() if node is not leader]

    def wait_for_leader(self, within: float, other_than: Node | None = None) -> float:
        """Seconds until a node leads, which is not `other_than`."""
        candidates = [node for node in self.nodes.values() if node is not other_than]
        return self.wait(lambda: any(node.leads() for node in candidates), within, "a leader")

    def settled(self) -> bool:
        """One leads, the others stream, and one of them is the synchronous one."""
        leader = self.find_leader()
        if leader is None:
            return False
        rest = [node for node in self.nodes.values() if node is not leader]
        return all(node.follows() for node in rest) and any(n.is_synchronous() for n in rest)

    def settle(self, within: float = 120) -> float:
        """Seconds until everything is as it should be."""
        return self.wait(self.settled, within, "three nodes in order")

    def wait(self, condition: Callable[[], bool], within: float, what: str) -> float:
        """Seconds until `condition`; AssertionError with what every node has logged last."""
        try:
            return wait_until(condition, within, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def logs(self) -> str:
        return "\n".join(
            f"--- {node.name} {what}\n{node.log(what)}"
            for node in self.nodes.values()
            for what in ("etcd", "patroni", "proxy")
        )

    def psql(self, node: Node, sql: str) -> str:
        """The one value that `sql` answers on `node`, as the administrator over TLS."""
        done = self.attempt_psql(node, sql)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def attempt_psql(self, node: Node, sql: str) -> subprocess.CompletedProcess[str]:
        parameters = {
            "host": node.address,
            "port": str(self.ports["postgres"]),
            "user": "postgres",
            "dbname": "postgres",
            "sslmode": "verify-full",
            "sslrootcert": str(self.authority),
            "connect_timeout": "3",
        }
        return subprocess.run(
            [str(node.programs.postgres_bin / "psql"), "--no-psqlrc", "-qtA", "-v",
             "ON_ERROR_STOP=1", "-c", sql, " ".join(f"{k}={v}" for k, v in parameters.items())],
            capture_output=True, text=True, timeout=60,
            env=os.environ | node.programs.environment | {"PGPASSWORD": self.password},
        )  # fmt: skip

    def switch_over(self) -> Node:
        """Ask the leader to hand over to the synchronous standby; the new leader."""
        leader = self.leader()
        candidate = next(node for node in self.standbys() if node.is_synchronous())
        status, text = leader.ask(
            "POST", "/switchover", {"leader": leader.name, "candidate": candidate.name}, timeout=60
        )
        assert status == 200, text
        return candidate

    @contextmanager
    def load_balancer(self, reader: bool = False) -> Iterator[LoadBalancer]:
        """The NLB's listener of the primary (or of the replicas), once it knows its targets."""
        nodes = list(self.nodes.values())
        health = nodes[0].rendered.health
        path = health["reader_path" if reader else "writer_path"]
        addresses = [node.address for node in nodes]
        port = self.ports["reader_proxy" if reader else "writer_proxy"]
        with LoadBalancer(addresses, port, path, health) as running:
            wait_until(lambda: bool(running.healthy()), 30, "a healthy target")
            yield running

    def prepare(self) -> None:
        """Files, certificates and passwords of every node."""
        for node in self.nodes.values():
            node.write_files()
        # All at once: the nodes race for the first value of the secret, as on servers.
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda node: node.make_identity().wait(60), self.nodes.values()))
        assert set(done) == {0}, "\n".join(node.log("identity") for node in self.nodes.values())

    def start(self) -> None:
        self.prepare()
        for node in self.nodes.values():
            node.start()

    def stop(self) -> None:
        for node in self.nodes.values():
            for what in ("patroni", "etcd"):
                node.signal(what, signal.SIGCONT)
            node.lose()


PORTS = ("postgres", "writer_proxy", "reader_proxy", "patroni", "etcd_client", "etcd_peer")


def make(
    programs: Programs,
    work: Path,
    where: list[Place],
    cluster: str = "titanium",
    **common: Any,
) -> Cluster:
    """Rendered, not started; `common` goes to the node module."""
    base = free_port_base()
    ports = {name: base + i for i, name in enumerate(PORTS)}
    store = work / "secrets"
    store.mkdir(parents=True, exist_ok=True)
    prefix, account = programs.account(work)
    names = {f"{cluster}-{number}": place for number, place in enumerate(where, 1)}
    nodes = {
        name: {"address": place.address, "root": str(work / name)} for name, place in names.items()
    }
    network = f"{where[0].address.rsplit('.', 1)[0]}.0/24"
    seen = [network] if where[0].apart else ["127.0.0.0/8"]
    settings = {
        "cluster": cluster,
        "client_cidrs": seen,
        "node_cidrs": seen,
        "memory_mib": MEMORY_MIB,
        "repository": {"type": "posix", "path": str(work / "repository")},
        "ports": ports,
        "account": account,
        "postgres_bin": str(programs.postgres_bin),
        "pgbackrest": programs.pgbackrest,
    }
    rendered = render(work, nodes, settings | common)
    members = {
        name: Node(
            name,
            names[name],
            Path(node["root"]),
            rendered[name],
            programs,
            prefix,
            ports,
            store,
        )
        for name, node in nodes.items()
    }
    for node in members.values():
        node.root.mkdir(parents=True, exist_ok=True)
    return Cluster(work, members, ports, store)


@contextmanager
def running_cluster(programs: Programs, small_disk: int = 0) -> Iterator[Cluster]:
    """Started and settled, with the table that `Writer` writes into; removed at the end.

    `small_disk`: MiB of the first node's data volume, then a file system of its own (needs root).
    """
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ti-ha-")))
        work.chmod(0o755)
        cluster = make(programs, work, stack.enter_context(places()))
        if small_disk:
            first = next(iter(cluster.nodes.values()))
            stack.callback(first.unmount)
            first.mount(small_disk)
        stack.callback(cluster.stop)
        cluster.start()
        cluster.settle()
        cluster.psql(cluster.leader(), "CREATE TABLE drill (number bigint PRIMARY KEY)")
        yield cluster


@contextmanager
def restored_cluster(programs: Programs, restore: dict[str, Any]) -> Iterator[Cluster]:
    """A second cluster that begins with what `restore` names; its first node leads.

    Its standbys are left out: they are copied as in any cluster.
    """
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ti-ha-")))
        work.chmod(0o755)
        where = stack.enter_context(places())
        cluster = make(programs, work, where, "restored", restore=restore)
        stack.callback(cluster.stop)
        cluster.prepare()
        for node in cluster.nodes.values():
            node.start_etcd()
        next(iter(cluster.nodes.values())).start_patroni()
        cluster.wait_for_leader(120)  # it fetches a backup first
        yield cluster


def missing_writes(cluster: Cluster, acknowledged: list[tuple[float, int]]) -> list[int]:
    """Numbers that were acknowledged and that the leader does not have."""
    rows = cluster.psql(cluster.leader(), "SELECT number FROM drill")
    there = {int(line) for line in rows.splitlines()}
    return [number for _, number in acknowledged if number not in there]


def pause(seconds: float) -> None:
    """Let a fault last; the bar says how long."""
    time.sleep(seconds)
