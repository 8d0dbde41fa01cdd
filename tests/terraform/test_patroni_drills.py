"""Failures of the database that last: parts cut off, away, frozen or full for many seconds.

Too long for every run: `make test-cloud`, and scripts/drill-database.py for the bars' own numbers.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.support import wait_until
from tests.terraform.patroni.cluster import Cluster, pause
from tests.terraform.patroni.fixtures import cluster_or_skip, under_load
from tests.terraform.patroni.network import why_not
from tests.terraform.patroni.nlb import LoadBalancer
from tests.terraform.patroni.node import Node
from tests.terraform.patroni.sampler import Sampler
from tests.terraform.patroni.writer import Writer

pytestmark = [pytest.mark.cloud, pytest.mark.machines, pytest.mark.drill]
TTL = 20
needs_networks = pytest.mark.skipif(bool(why_not()), reason=f"nothing can be cut: {why_not()}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_or_skip(small_disk=0 if why_not() else 400) as running:
        yield running


@pytest.fixture(scope="module")
def balancer(cluster: Cluster) -> Iterator[LoadBalancer]:
    with cluster.load_balancer() as running:
        yield running


@pytest.fixture
def writing(cluster: Cluster, balancer: LoadBalancer) -> Iterator[Writer]:
    with under_load(cluster, balancer) as writer:
        yield writer


def in_recovery(cluster: Cluster, node: Node) -> bool:
    """Whether the server says that it is read-only."""
    return cluster.attempt_psql(node, "SELECT pg_is_in_recovery()").stdout.strip() == "t"


def writes_go_on(writing: Writer) -> None:
    wait_until(lambda: writing.writes.between(time.monotonic() - 1) > 0, 40, "writes")


def test_bar_2_a_lost_node_stops_writes_for_at_most_35_s(cluster: Cluster, writing: Writer) -> None:
    old, began = cluster.leader(), time.monotonic()
    old.lose()
    cluster.wait_for_leader(40, other_than=old)
    writes_go_on(writing)
    assert writing.writes.longest_gap(began) <= 35
    old.start()
    wait_until(old.follows, 60, "bar 11: the lost node as replica")


@needs_networks
def test_bars_5_and_6_a_leader_that_is_cut_off_is_read_only_within_ttl(
    cluster: Cluster, writing: Writer
) -> None:
    """Clients still reach it; the others elect another, and nobody sees two."""
    old = cluster.leader()
    with Sampler(cluster) as sampler:
        began = time.monotonic()
        old.place.cut_off()
        try:
            wait_until(lambda: in_recovery(cluster, old), TTL, "the old leader read-only")
            read_only = time.monotonic() - began
            cluster.wait_for_leader(40, other_than=old)
            writes_go_on(writing)
        finally:
            old.place.heal()
        gap = writing.writes.longest_gap(began)
        wait_until(old.follows, 60, "the old leader as replica")
    assert read_only <= TTL
    assert gap <= 35
    assert sampler.two_writable() == 0


def test_bar_7_all_of_etcd_down_stops_no_write_in_failsafe_mode(
    cluster: Cluster, writing: Writer
) -> None:
    """Shortened from five minutes to more than ttl; the drill has the whole."""
    leader, began = cluster.leader(), time.monotonic()
    for node in cluster.nodes.values():
        node.kill("etcd")
    pause(TTL + 2)
    assert leader.leads()
    for node in cluster.nodes.values():
        node.start_etcd()
    assert writing.writes.failed_since(began) == []
    assert writing.writes.longest_gap(began) <= 2
    cluster.settle()
    assert cluster.leader() is leader


def test_bar_7_without_etcd_and_one_member_the_leader_is_read_only_in_12_s(
    cluster: Cluster, writing: Writer
) -> None:
    """Who cannot ask everybody may not go on: the missing one could have been told to lead."""
    leader = cluster.leader()
    other = next(node for node in cluster.standbys() if not node.is_synchronous())
    for node in cluster.nodes.values():
        node.kill("etcd")
    pause(7)  # failsafe mode holds
    assert leader.leads()
    began = time.monotonic()
    other.lose()
    wait_until(lambda: in_recovery(cluster, leader), 40, "the leader read-only")
    last = max(moment for moment, _ in writing.writes.acknowledged)
    for node in cluster.nodes.values():
        if node is not other:
            node.start_etcd()
    other.start()
    cluster.settle()
    assert last - began <= 12


def test_bar_8_one_etcd_member_down_is_not_noticed(cluster: Cluster, writing: Writer) -> None:
    leader, began = cluster.leader(), time.monotonic()
    leader.kill("etcd")
    pause(12)  # two rounds of Patroni
    leader.start_etcd()
    assert cluster.leader() is leader
    assert writing.writes.failed_since(began) == []
    assert writing.writes.longest_gap(began) <= 2


def test_bar_9_a_leader_whose_patroni_is_frozen_is_fenced_in_20_s(
    cluster: Cluster, writing: Writer
) -> None:
    """Without a watchdog, which would reset the machine, the proxies leave it; and what reaches its
    server past them is not confirmed once another leads, because no standby takes it."""
    old = cluster.leader()
    with Sampler(cluster) as sampler:
        began = time.monotonic()
        old.signal("patroni", signal.SIGSTOP)
        try:
            cluster.wait_for_leader(40, other_than=old)
            writes_go_on(writing)
            pause(60 - (time.monotonic() - began))
            fenced = writing.writes.gap_began(began) - began
            last = sampler.last(old.name, began)
        finally:
            old.signal("patroni", signal.SIGCONT)
        wait_until(old.follows, 60, "the old leader as replica")
    assert fenced <= 20
    assert last <= TTL + 5
    assert sampler.two_writable() == 0


@needs_networks
def test_bar_15_a_full_disk_loses_nothing_and_writes_come_back(
    cluster: Cluster, writing: Writer
) -> None:
    small = next(iter(cluster.nodes.values()))
    if cluster.leader() is not small:
        wait_until(lambda: small.is_synchronous() or swap(cluster), 60, "the small disk next")
        assert cluster.switch_over() is small
        cluster.settle()
    filler = small.fill_disk()
    full = time.monotonic()
    # Every segment of the log that was made in advance is used up.
    wait_until(lambda: stuck(cluster, small), 60, "the end of the disk")
    if cluster.find_leader() is small:
        filler.unlink()
        full = time.monotonic()
    else:
        cluster.wait_for_leader(40, other_than=small)
    writes_go_on(writing)
    assert time.monotonic() - full <= 60 + 40
    assert writing.writes.longest_gap(full) <= 60
    filler.unlink(missing_ok=True)
    wait_until(small.follows, 60, "the node whose disk was full as replica")


def stuck(cluster: Cluster, node: Node) -> bool:
    """Begin another segment of the log; whether the server could not."""
    sql = "SELECT pg_logical_emit_message(false, 'drill', 'x'); SELECT pg_switch_wal()"
    return cluster.attempt_psql(node, sql).returncode != 0


def swap(cluster: Cluster) -> bool:
    """Make another one the synchronous standby."""
    cluster.switch_over()
    cluster.settle()
    return False
