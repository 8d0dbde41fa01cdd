"""The source documents' figures, priced again from the catalogue, and what in them does not add up.

Nothing here is a constant of its own: every amount comes out of the pricing that a plan goes
through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from titanium.cost.catalog import Catalog
from titanium.cost.estimate import Terms, estimate
from titanium.cost.hours import OFFICE_HOURS, TAG, Schedule
from titanium.cost.model import Estimate, Resource, dollars, rounded
from titanium.cost.usage import Usage

_LOAD = "aws_lb.own"
# 0.4 capacity units all month, as gigabytes: the documents' balancer, inferred.
_NLB_USAGE = Usage(resources={_LOAD: {"processed_bytes_gb": Decimal("0.4") * 730}})
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as the documents have it, as it comes out here, and what is to be said of it."""

    quoted: str
    found: str
    how: str
    remark: str


def figures(catalog: Catalog) -> list[Figure]:
    """All of them, in the documents' order."""
    own, stopped = _own_database(catalog), _own_database(catalog, OFFICE_HOURS)
    control = _bill(catalog, [*_nodes("t4g.small", 3), _balancer()], usage=_NLB_USAGE)
    eks = _bill(catalog, [_resource("aws_eks_cluster.this", {})])
    extended = _bill(catalog, [_resource("aws_eks_cluster.this", {"version": _old(catalog)})])
    rds = _bill(catalog, [_database()])
    rds_stopped = _bill(catalog, [_database()], OFFICE_HOURS)
    gateways = [_resource(f"aws_nat_gateway.this[{at}]", {}) for at in range(3)]
    base = _running(rds) + eks.total + _bill(catalog, gateways).total
    large = base + _running(_bill(catalog, _nodes("m5.large", 8)))
    with_storage = rds.total - _by_resource(own)
    return [
        Figure(
            "$131.61",
            dollars(_by_resource(own)),
            "3 x t2.medium with 20 GB of gp3",
            f"each instance rounded, then added; the exact sum is {dollars(own.total)}",
        ),
        Figure(
            "$73.00",
            dollars(eks.total),
            "the control plane of EKS",
            f"on extended support it is {dollars(extended.total)}",
        ),
        Figure(
            "$69.21",
            dollars(_by_resource(control)),
            "3 x t4g.small with 20 GB, an NLB with 0.4 capacity units",
            f"disks and capacity units are inferred; the exact sum is {dollars(control.total)}",
        ),
        Figure(
            "$163.52",
            dollars(_running(rds)),
            "RDS db.t3.medium Multi-AZ",
            f"without its storage, unlike the own database: with 20 GB it is {dollars(rds.total)}",
        ),
        Figure(
            "$31.91",
            dollars(_running(rds) - _by_resource(own)),
            "RDS against the own database",
            f"like for like, both with storage, the gap is {dollars(with_storage)}",
        ),
        Figure(
            "$60 to $70",
            dollars(stopped.total),
            "the own database with the nightly stop",
            f"disks are not stopped; RDS falls to {dollars(_running(rds_stopped))}, "
            f"{dollars(rds_stopped.total)} with storage, so the range is not about RDS",
        ),
        Figure(
            "about 50 %",
            f"{OFFICE_HOURS.share:.1%}",
            f"hours on: {OFFICE_HOURS.words}",
            f"{OFFICE_HOURS.hours_a_week} of 168 hours, {OFFICE_HOURS.hours:.1f} of 730 a month; "
            "the EKS control plane, NAT and load balancers run on",
        ),
        Figure(
            "(none)",
            dollars(base),
            "RDS, EKS and three NAT gateways",
            "what the standard architecture has before its nodes",
        ),
        Figure(
            "$1,054",
            dollars(large),
            "the same and 8 x m5.large without disks",
            "a guess: the documents do not list the nodes, so it cannot be reproduced",
        ),
    ]


def render(catalog: Catalog) -> str:
    """A table, a remark below each line, then what no figure of theirs contains."""
    rows = [
        ("Quoted", "Here", "What"),
        *((one.quoted, one.found, one.how) for one in figures(catalog)),
    ]
    width = [max(len(row[at]) for row in rows) for at in range(2)]
    indent = " " * (sum(width) + 2 * len(_GAP))
    lines = [f"The source documents' figures, with prices of {catalog.name}.", ""]
    for row, remark in zip(rows, ["", *(one.remark for one in figures(catalog))], strict=True):
        cells = (row[0].rjust(width[0]), row[1].rjust(width[1]), row[2])
        lines += [_GAP.join(cells), *([f"{indent}({remark})"] if remark else [])]
    lines += [
        "",
        "In none of them: public IPv4 addresses ($3.65 a month each), traffic through NAT, between",
        "zones and to the internet, capacity units of the ALB, logs, backups, taxes.",
    ]
    return "\n".join(lines) + "\n"


def _own_database(catalog: Catalog, schedule: Schedule | None = None) -> Estimate:
    return _bill(catalog, _nodes("t2.medium", 3), schedule)


def _bill(
    catalog: Catalog,
    resources: Sequence[Resource],
    schedule: Schedule | None = None,
    usage: Usage | None = None,
) -> Estimate:
    return estimate(resources, Terms(catalog, usage or Usage(), schedule, date.max))


def _by_resource(bill: Estimate) -> Decimal:
    """Each resource rounded to the cent before they are added, as the documents do."""
    return sum((rounded(one.monthly) for one in bill.priced), Decimal(0))


def _running(bill: Estimate) -> Decimal:
    """What is paid by the hour alone: without disks and storage."""
    return sum(
        (
            part.cost or Decimal(0)
            for one in bill.priced
            for part in one.components
            if part.unit == "hours"
        ),
        Decimal(0),
    )


def _old(catalog: Catalog) -> str:
    return min(catalog.eks_standard_support)


def _nodes(kind: str, count: int) -> list[Resource]:
    disk = {"volume_type": "gp3", "volume_size": 20}
    values = {"instance_type": kind, "root_block_device": [disk]}
    return [_resource(f"aws_instance.node[{at}]", values) for at in range(count)]


def _database() -> Resource:
    values = {
        "engine": "postgres",
        "instance_class": "db.t3.medium",
        "multi_az": True,
        "allocated_storage": 20,
        "storage_type": "gp3",
    }
    return _resource("aws_db_instance.this", values)


def _balancer() -> Resource:
    return _resource(_LOAD, {"load_balancer_type": "network", "internal": True})


def _resource(address: str, values: Mapping[str, Any]) -> Resource:
    tags = {TAG: OFFICE_HOURS.name}
    return Resource(address, address.split(".", maxsplit=1)[0], "", {**values, "tags": tags})
