"""Three Patroni nodes from the module's rendered templates: what they do when parts of them fail.

Bars are those of the database and its failover; the number is in each test's name. The load
balancer is a proxy that follows the NLB's health check, with the module's own figures.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.support import wait_until
from tests.terraform.patroni.cluster import Cluster, pause, restored_cluster
from tests.terraform.patroni.fixtures import cluster_or_skip, under_load
from tests.terraform.patroni.nlb import LoadBalancer
from tests.terraform.patroni.node import Node
from tests.terraform.patroni.writer import Writer

pytestmark = [pytest.mark.cloud, pytest.mark.machines]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_or_skip() as running:
        yield running


@pytest.fixture(scope="module")
def balancer(cluster: Cluster) -> Iterator[LoadBalancer]:
    with cluster.load_balancer() as running:
        yield running


@pytest.fixture
def writing(cluster: Cluster, balancer: LoadBalancer) -> Iterator[Writer]:
    with under_load(cluster, balancer) as writer:
        yield writer


def test_the_nodes_made_one_authority_and_one_set_of_passwords(cluster: Cluster) -> None:
    """All three raced for the first value of the secret; clients get what they need of it."""
    certificates = {node.certificate("ca.crt").read_text() for node in cluster.nodes.values()}
    assert certificates == {cluster.client_secret()["ca_certificate"]}
    assert set(cluster.client_secret()) == {"password", "monitor_password", "ca_certificate"}


def test_replicas_are_behind_the_reader_endpoint(cluster: Cluster) -> None:
    with cluster.load_balancer(reader=True) as reader:
        standbys = {node.address for node in cluster.standbys()}
        wait_until(lambda: set(reader.healthy()) == standbys, 20, "both replicas")


def test_bar_18_whoever_has_no_certificate_or_password_changes_nothing(cluster: Cluster) -> None:
    """Patroni's REST API: asking is free (the load balancer does), changing is not."""
    leader = cluster.leader()
    before = leader.ask("GET", "/config")[1]
    for method, path in (("PATCH", "/config"), ("PUT", "/config"), ("POST", "/restart")):
        body = {"ttl": 999}
        assert leader.ask(method, path, body, certificate=False, password=False)[0] == 403
        assert leader.ask(method, path, body, certificate=False)[0] == 403
        assert leader.ask(method, path, body, password=False)[0] == 401
    assert leader.ask("GET", "/config")[1] == before
    assert leader.ask("GET", "/primary", certificate=False, password=False)[0] == 200


def test_bar_18_etcd_refuses_whoever_has_no_certificate(cluster: Cluster) -> None:
    node = cluster.leader()
    known = etcdctl(cluster, node, ["--cert", "node.crt", "--key", "node.key"])
    assert known.returncode == 0, known.stderr
    for port in ("etcd_client", "etcd_peer"):
        assert etcdctl(cluster, node, [], port).returncode != 0
        with socket.create_connection((node.address, cluster.ports[port]), 5) as plain:
            plain.sendall(b"GET /version HTTP/1.0\r\n\r\n")
            assert b"etcdserver" not in plain.recv(1000)


def test_bar_18_postgresql_refuses_plaintext(cluster: Cluster) -> None:
    leader = cluster.leader()
    options = (
        f"host={leader.address} port={cluster.ports['postgres']} user=postgres sslmode=disable"
    )
    done = subprocess.run(
        [str(leader.programs.postgres_bin / "psql"), "-c", "SELECT 1", f"{options} user=postgres"],
        capture_output=True, text=True, env=os.environ | {"PGPASSWORD": cluster.password},
    )  # fmt: skip
    assert done.returncode != 0
    assert "pg_hba.conf rejects" in done.stderr or "no encryption" in done.stderr


def etcdctl(
    cluster: Cluster, node: Node, identity: list[str], port: str = "etcd_client"
) -> subprocess.CompletedProcess[str]:
    """Ask etcd for Patroni's keys, with the cluster's authority and the given certificate."""
    endpoint = f"https://{node.address}:{cluster.ports[port]}"
    command = [node.programs.etcdctl, "--endpoints", endpoint, "--cacert", "ca.crt", *identity]
    return subprocess.run(
        [*command, "--dial-timeout", "1s", "--command-timeout", "2s", "get", "--prefix", "/"],
        cwd=node.certificate("."), capture_output=True, text=True, timeout=20,
        env=os.environ | {"ETCDCTL_API": "3"},
    )  # fmt: skip


def test_bar_17_a_new_cluster_begins_at_a_point_in_time(cluster: Cluster) -> None:
    """The backup program saves, the module's `restore` begins a second cluster from it."""
    cluster.settle()
    leader = cluster.leader()
    leader.backup("full")
    pause(1.5)  # a backup's end is known to the second, and must be before the target
    cluster.psql(leader, "CREATE TABLE diary (line text)")
    cluster.psql(leader, "INSERT INTO diary VALUES ('before')")
    target = cluster.psql(leader, "SELECT clock_timestamp()")
    pause(1)
    cluster.psql(leader, "INSERT INTO diary VALUES ('the mistake')")
    log = cluster.psql(leader, "SELECT pg_walfile_name(pg_switch_wal())")
    archived = "SELECT last_archived_wal FROM pg_stat_archiver"
    wait_until(lambda: cluster.psql(leader, archived) >= log, 20, "the log in the archive")
    restore = {
        "cluster": "titanium",
        "repository": {"type": "posix", "path": str(cluster.work / "repository")},
        "target": target,
    }
    with restored_cluster(leader.programs, restore) as copy:
        assert copy.psql(copy.leader(), "SELECT string_agg(line, ',') FROM diary") == "before"
    assert cluster.psql(leader, "SELECT count(*) FROM diary") == "2"  # nothing was overwritten
    cluster.psql(leader, "DROP TABLE diary")


def test_bar_3_a_switchover_stops_writes_for_at_most_10_s(
    cluster: Cluster, balancer: LoadBalancer, writing: Writer
) -> None:
    """Also while the load balancer still sends to the old leader: the proxy there passes on."""
    old, began = cluster.leader(), time.monotonic()
    new = cluster.switch_over()
    wait_until(lambda: balancer.healthy() == [new.address], 30, "the load balancer")
    wait_until(lambda: writing.writes.between(time.monotonic() - 1) > 0, 20, "writes")
    assert old is not new
    assert writing.writes.longest_gap(began) <= 10


def test_bars_1_and_11_a_killed_leader_is_replaced_and_comes_back(
    cluster: Cluster, balancer: LoadBalancer, writing: Writer
) -> None:
    old, began = cluster.leader(), time.monotonic()
    old.kill_postgres()
    wait_until(lambda: not old.leads(), 10, "the end of the old leader")
    cluster.wait_for_leader(10, other_than=old)
    assert time.monotonic() - began <= 10  # bar 1: a new leader
    wait_until(lambda: balancer.healthy() == [cluster.leader().address], 30, "the load balancer")
    wait_until(lambda: writing.writes.between(time.monotonic() - 1) > 0, 20, "writes")
    assert writing.writes.longest_gap(began) <= 15  # bar 1: writes
    wait_until(old.follows, 60 - (time.monotonic() - began), "bar 11: the old leader as replica")


def test_bar_12_without_a_standby_nothing_is_acknowledged(
    cluster: Cluster, writing: Writer
) -> None:
    standbys = cluster.standbys()
    for node in standbys:
        node.lose()
    lost = time.monotonic()
    pause(4)
    acknowledged = writing.writes.between(lost)
    for node in standbys:
        node.start()
    assert acknowledged == 0
    cluster.settle()
