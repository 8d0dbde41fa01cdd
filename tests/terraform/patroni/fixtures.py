"""A running cluster for a module of tests, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import wait_until
from tests.terraform.patroni.cluster import Cluster, missing_writes, running_cluster
from tests.terraform.patroni.nlb import LoadBalancer
from tests.terraform.patroni.programs import MissingError, find_programs
from tests.terraform.patroni.writer import Writer
from titanium.errors import ToolMissingError
from titanium.terraform import find_terraform


@contextmanager
def cluster_or_skip(small_disk: int = 0) -> Iterator[Cluster]:
    try:
        find_terraform()
        programs = find_programs()
    except (MissingError, ToolMissingError) as error:
        pytest.skip(f"no Patroni nodes here: {error}")
    with running_cluster(programs, small_disk) as running:
        yield running


@contextmanager
def under_load(cluster: Cluster, balancer: LoadBalancer) -> Iterator[Writer]:
    """A writer for a test that starts with everything in order; no acknowledged write is lost."""
    cluster.settle()
    wait_until(lambda: balancer.healthy() == [cluster.leader().address], 30, "the target group")
    writer = Writer(balancer.port, cluster.password, cluster.authority)
    with writer as writes:
        wait_until(lambda: len(writes.acknowledged) > 5, 20, "first writes")
        yield writer
    assert missing_writes(cluster, writes.acknowledged) == []
