#!/usr/bin/env python3
"""Breaks three real Patroni nodes, rendered by terraform/modules/database, again and again.

Prints a table after every kind of failure: how long writes stopped, what was lost; at the end, what
memory it takes. It needs what tests/terraform/test_patroni_cluster.py needs; as root every node has
a network of its own, otherwise they share loopback and nothing can be cut off. Run whole it takes
about an hour and a half.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.terraform.patroni import drills
from tests.terraform.patroni.cluster import Cluster, running_cluster
from tests.terraform.patroni.network import why_not
from tests.terraform.patroni.nlb import LoadBalancer
from tests.terraform.patroni.programs import MissingError, find_programs


def table(rows: list[tuple[str, ...]]) -> str:
    """Markdown."""
    head, *rest = rows
    lines = [head, tuple("---" for _ in head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def run(cluster: Cluster, balancer: LoadBalancer, options: argparse.Namespace) -> None:
    results = []
    plan = (
        ("leader's postmaster killed", "15 s", drills.kill_postmaster, options.kills),
        ("leader's node lost", "35 s", drills.lose_node, options.losses),
        ("leader cut off from the others", "35 s", drills.cut_off, options.partitions),
        ("leader's Patroni frozen", "35 s", drills.freeze_patroni, options.freezes),
    )
    for name, bar, fault, runs in plan:
        if runs:
            result = drills.Result(name, bar)
            results.append(drills.fail_leader(cluster, balancer, result, fault, runs))
            print(table([drills.HEADINGS, result.row()]), file=sys.stderr, flush=True)
    if options.switchovers:
        result = drills.Result("switchover", "10 s")
        results.append(drills.switch_over(cluster, balancer, result, options.switchovers))
    if options.without_etcd:
        result = drills.Result(f"all of etcd away for {options.without_etcd} s", "0 failed")
        results.append(drills.without_etcd(cluster, balancer, result, options.without_etcd))
    if results:
        print(table([drills.HEADINGS, *(result.row() for result in results)]), flush=True)
    if options.memory:
        cluster.settle()
        peak, speed = drills.measure_memory(cluster, balancer, options.clients, options.memory)
        names = ("etcd", "patroni", "haproxy", "postgresql")
        rows = [("MiB (PSS, peak)", *names, "together")]
        for name, parts in peak.items():
            role = "leader" if cluster.nodes[name].leads() else "replica"
            figures = [*(parts[name] for name in names), sum(parts.values())]
            rows.append((f"{name} ({role})", *(f"{figure:.0f}" for figure in figures)))
        print(f"\n{options.clients} clients, {speed}\n\n{table(rows)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=100, help="leader's postmaster killed")
    parser.add_argument("--losses", type=int, default=20, help="leader's node lost")
    parser.add_argument("--partitions", type=int, default=20, help="leader cut off (root)")
    parser.add_argument("--freezes", type=int, default=5, help="leader's Patroni frozen")
    parser.add_argument("--switchovers", type=int, default=10)
    parser.add_argument("--without-etcd", type=int, default=300, metavar="SECONDS")
    parser.add_argument("--memory", type=int, default=60, metavar="SECONDS", help="pgbench's run")
    parser.add_argument("--clients", type=int, default=40, help="pgbench's connections")
    options = parser.parse_args()
    if options.partitions and why_not():
        print(f"drill-database: no partitions: {why_not()}", file=sys.stderr)
        options.partitions = 0
    try:
        programs = find_programs()
    except MissingError as error:
        print(f"drill-database: {error}", file=sys.stderr)
        return 1
    with running_cluster(programs) as cluster, cluster.load_balancer() as balancer:
        run(cluster, balancer, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
