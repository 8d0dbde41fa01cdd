"""What an estimate changes against another one: resources by address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from titanium.cost.model import Estimate
from titanium.errors import ConfigurationError

Costs = Mapping[str, Decimal]  # address -> dollars a month
# More than anything costs; beyond it an amount would have no cents.
_MOST = Decimal(10**12)


@dataclass(frozen=True, slots=True)
class Change:
    """A resource whose cost is another; `before` or `after` is None where it does not exist."""

    address: str
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal:
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name` is what it is compared with."""

    name: str
    before: Decimal
    after: Decimal
    changes: tuple[Change, ...]

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


def costs_of(estimate: Estimate) -> dict[str, Decimal]:
    return {one.resource.address: one.monthly for one in estimate.priced}


def is_estimate(data: Mapping[str, Any]) -> bool:
    """Whether it is what `--format json` wrote (or Infracost did)."""
    return "projects" in data and "totalMonthlyCost" in data


def costs_in(data: Mapping[str, Any], name: str) -> dict[str, Decimal]:
    """The same from what `--format json` wrote. Raises ConfigurationError when it is damaged."""
    try:
        return {
            str(one["name"]): _amount(one.get("monthlyCost") or 0)
            for project in data["projects"]
            for one in project["breakdown"]["resources"]
        }
    except (AttributeError, KeyError, TypeError, InvalidOperation, ValueError):
        raise ConfigurationError(
            f"{name} looks like an estimate and is none", "Write it again with --format json."
        ) from None


def _amount(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite() or not -_MOST <= amount <= _MOST:
        raise ValueError(f"{value} is no amount")
    return amount


def compare(name: str, before: Costs, after: Costs) -> Comparison:
    """Changes of a cent or more, and what came or went; the largest difference first."""
    changes = []
    for address in {**before, **after}:
        change = Change(address, before.get(address), after.get(address))
        if (
            change.before is None
            or change.after is None
            or abs(change.difference) >= Decimal("0.01")
        ):
            changes.append(change)
    changes.sort(key=lambda one: (-abs(one.difference), one.address))
    total = sum(before.values(), Decimal(0)), sum(after.values(), Decimal(0))
    return Comparison(name, *total, tuple(changes))
