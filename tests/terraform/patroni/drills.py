"""Drills that are too long for a test: many failures in a row; and what memory it takes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support import wait_until
from tests.terraform.patroni import memory
from tests.terraform.patroni.cluster import Cluster, missing_writes, pause
from tests.terraform.patroni.nlb import LoadBalancer
from tests.terraform.patroni.node import Node
from tests.terraform.patroni.sampler import Sampler
from tests.terraform.patroni.writer import Writer


@dataclass
class Result:
    """One kind of failure: `gaps` are seconds without an acknowledged write, one a run."""

    name: str
    bar: str
    gaps: list[float] = field(default_factory=list)
    rejoins: list[float] = field(default_factory=list)
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0

    def row(self) -> tuple[str, ...]:
        gaps, rejoins = sorted(self.gaps), sorted(self.rejoins)
        return (
            self.name,
            str(len(gaps)),
            f"{gaps[len(gaps) // 2]:.1f}" if gaps else "-",
            f"{gaps[-1]:.1f}" if gaps else "-",
            self.bar,
            f"{rejoins[-1]:.1f}" if rejoins else "-",
            str(self.acknowledged),
            str(self.lost),
            str(self.twice),
        )


HEADINGS = (
    "drill", "runs", "gap median s", "gap worst s", "bar", "rejoin worst s",
    "acknowledged", "lost", "two primaries",
)  # fmt: skip


def kill_postmaster(leader: Node) -> Callable[[], None]:
    leader.kill_postgres()
    return lambda: None


def lose_node(leader: Node) -> Callable[[], None]:
    leader.lose()
    return leader.start


def freeze_patroni(leader: Node) -> Callable[[], None]:
    leader.signal("patroni", signal.SIGSTOP)
    return lambda: leader.signal("patroni", signal.SIGCONT)


def cut_off(leader: Node) -> Callable[[], None]:
    leader.place.cut_off()
    return leader.place.heal


@contextmanager
def _under_load(cluster: Cluster, balancer: LoadBalancer, result: Result) -> Iterator[Writer]:
    writer = Writer(balancer.port, cluster.password, cluster.authority)
    with Sampler(cluster) as sampler, writer as writes:
        wait_until(lambda: len(writes.acknowledged) > 5, 20, "first writes")
        yield writer
    result.acknowledged += len(writes.acknowledged)
    result.lost += len(missing_writes(cluster, writes.acknowledged))
    result.twice += sampler.two_writable()


def fail_leader(
    cluster: Cluster,
    balancer: LoadBalancer,
    result: Result,
    fault: Callable[[Node], Callable[[], None]],
    runs: int,
) -> Result:
    """`runs` times: the leader fails, writes go on elsewhere, the old one comes back."""
    for _ in range(runs):
        cluster.settle()
        cluster.wait(lambda: balancer.healthy() == [cluster.leader().address], 60, "the balancer")
        with _under_load(cluster, balancer, result) as writer:
            old, began = cluster.leader(), time.monotonic()
            undo = fault(old)
            cluster.wait_for_leader(60, other_than=old)
            cluster.wait(lambda: old.address not in balancer.healthy(), 60, "the balancer")  # noqa: B023
            cluster.wait(lambda: writer.writes.between(time.monotonic() - 1) > 0, 60, "writes")
            result.gaps.append(writer.writes.longest_gap(began))
            back = time.monotonic()
            undo()
            cluster.wait(old.follows, 90, "the old leader")
            result.rejoins.append(time.monotonic() - back)
    return result


def switch_over(cluster: Cluster, balancer: LoadBalancer, result: Result, runs: int) -> Result:
    for _ in range(runs):
        cluster.settle()
        cluster.wait(lambda: balancer.healthy() == [cluster.leader().address], 60, "the balancer")
        with _under_load(cluster, balancer, result) as writer:
            began = time.monotonic()
            new = cluster.switch_over()
            cluster.wait(lambda: balancer.healthy() == [new.address], 60, "the balancer")  # noqa: B023
            cluster.wait(lambda: writer.writes.between(time.monotonic() - 1) > 0, 60, "writes")
            result.gaps.append(writer.writes.longest_gap(began))
    return result


def without_etcd(
    cluster: Cluster, balancer: LoadBalancer, result: Result, seconds: float
) -> Result:
    """All of etcd away: in failsafe mode nothing is noticed."""
    cluster.settle()
    with _under_load(cluster, balancer, result) as writer:
        began = time.monotonic()
        for node in cluster.nodes.values():
            node.kill("etcd")
        pause(seconds)
        for node in cluster.nodes.values():
            node.start_etcd()
        result.gaps.append(writer.writes.longest_gap(began))
    return result


def measure_memory(
    cluster: Cluster, balancer: LoadBalancer, clients: int, seconds: int
) -> tuple[dict[str, dict[str, float]], str]:
    """MiB by node and part while pgbench writes; and pgbench's own figure of transactions."""
    leader = cluster.leader()
    pgbench = [str(leader.programs.postgres_bin / "pgbench"), "-h", "127.0.0.1", "-p",
               str(balancer.port), "-U", "postgres"]  # fmt: skip
    environment = os.environ | leader.programs.environment
    environment |= {"PGPASSWORD": cluster.password, "PGSSLMODE": "require"}
    subprocess.run([*pgbench, "-i", "-q", "-s", "20", "postgres"], env=environment, check=True,
                   capture_output=True, timeout=300)  # fmt: skip
    command = [*pgbench, "-c", str(clients), "-j", "2", "-T", str(seconds), "postgres"]
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    peak: dict[str, dict[str, float]] = {}
    while run.poll() is None:
        for name, node in cluster.nodes.items():
            now, before = memory.of_node(node), peak.get(name, {})
            peak[name] = {part: max(value, before.get(part, 0)) for part, value in now.items()}
        time.sleep(1)
    output = run.stdout.read() if run.stdout else ""
    return peak, next((line for line in output.splitlines() if line.startswith("tps")), "")
