"""Resources of a plan, and what they cost. Amounts are exact decimals in US dollars a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

# What AWS and the tools around it take for a month: 365 x 24 / 12.
HOURS_A_MONTH = Decimal(730)
CENT = Decimal("0.01")
ROOT = "(root)"


def rounded(amount: Decimal) -> Decimal:
    """To the cent, halves up, as an invoice does."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def dollars(amount: Decimal) -> str:
    """`1054.85` -> `$1,054.85`; a negative one `-$3.00`."""
    shown = rounded(amount)
    return f"{'-' if shown < 0 else ''}${abs(shown):,}"


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list of them, as Terraform writes blocks; none for anything else."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Resource:
    """One instance of a managed resource, as it will be (plan) or is (state).

    `unknown` mirrors `values`: True where a value is known only after apply. `references` are
    the addresses in the configuration that each top-level argument names, for what is unknown.
    """

    address: str
    type: str
    module: str
    values: Mapping[str, Any]
    unknown: Any = False
    references: Mapping[str, tuple[str, ...]] | None = None

    @property
    def group(self) -> str:
        """The module of the root that it belongs to, without index: `network`."""
        if not self.module:
            return ROOT
        return self.module.removeprefix("module.").split(".")[0].split("[")[0]

    @property
    def tags(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in ("tags_all", "tags"):
            tags = self.values.get(name)
            if isinstance(tags, Mapping):
                found.update({str(key): str(value) for key, value in tags.items()})
        blocks = self.values.get("tag")  # how groups of instances write them
        for one in objects(blocks):
            found[str(one.get("key"))] = str(one.get("value"))
        return found


class Unpriced(Exception):  # noqa: N818 - collected by `estimate`, which raises the error
    """A resource, or one attribute of it, that has no price: never counted as $0."""

    def __init__(self, resource: Resource, attribute: str, reason: str, add: str) -> None:
        super().__init__(reason)
        self.line = f"{resource.address} ({resource.type}), {attribute}: {reason}; {add}"


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for one `per` (hour, month, GB, ...). `derived` says how it was computed, if it was."""

    key: str
    usd: Decimal
    per: str
    derived: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One line of a resource's bill. Without `quantity` the cost depends on usage nobody gave."""

    name: str
    unit: str
    price: Price
    quantity: Decimal | None

    @property
    def cost(self) -> Decimal | None:
        return None if self.quantity is None else self.price.usd * self.quantity


@dataclass(frozen=True, slots=True)
class Priced:
    """A resource with its bill."""

    resource: Resource
    components: tuple[Component, ...]

    @property
    def monthly(self) -> Decimal:
        return sum((one.cost or Decimal(0) for one in self.components), Decimal(0))


@dataclass(frozen=True, slots=True)
class Free:
    """A resource that is declared free, and why."""

    resource: Resource
    reason: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A whole plan. `notes` are what a reader must know to take the total for what it is."""

    priced: tuple[Priced, ...]
    free: tuple[Free, ...]
    notes: tuple[str, ...]
    region: str
    catalog: str

    @property
    def total(self) -> Decimal:
        return sum((one.monthly for one in self.priced), Decimal(0))

    @property
    def depends_on_usage(self) -> int:
        """How many resources have a line whose usage nobody gave."""
        return sum(any(part.quantity is None for part in one.components) for one in self.priced)

    def by_group(self) -> dict[str, Decimal]:
        """Module of the root -> its cost, the dearest first."""
        groups: dict[str, Decimal] = {}
        for one in self.priced:
            groups[one.resource.group] = groups.get(one.resource.group, Decimal(0)) + one.monthly
        return dict(sorted(groups.items(), key=lambda item: (-item[1], item[0])))
