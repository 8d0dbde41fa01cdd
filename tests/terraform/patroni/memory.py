"""What the parts of a database node hold in memory, from the kernel's own accounts."""

from __future__ import annotations

from pathlib import Path

from tests.terraform.patroni.node import Node


def pss(pid: int) -> int:
    """Proportional set size in KiB: shared pages are counted once among those who share them."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def of_node(node: Node) -> dict[str, float]:
    """MiB of etcd, Patroni, HAProxy and PostgreSQL (all its processes) of one node."""
    pids = {
        "etcd": [node.processes["etcd"].pid],
        "patroni": [node.processes["patroni"].pid],
        "haproxy": [node.processes["proxy"].pid],
        "postgresql": node.family(),
    }
    return {name: sum(map(pss, found)) / 1024 for name, found in pids.items()}
