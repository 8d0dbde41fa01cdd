"""What is shown, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from titanium.cost.compare import Comparison
from titanium.cost.model import Component, Estimate, dollars, rounded


@dataclass(frozen=True, slots=True)
class Report:
    """`name` is the plan's; `budget` in dollars a month; `actions` what the plan would do."""

    name: str
    estimate: Estimate
    moment: datetime
    budget: Decimal | None = None
    comparison: Comparison | None = None
    actions: str = ""

    @property
    def over(self) -> bool:
        """Whether the total is above the budget, to the cent."""
        return self.budget is not None and rounded(self.estimate.total) > self.budget

    @property
    def verdict(self) -> str:
        """One line about the budget, empty without one."""
        if self.budget is None:
            return ""
        total = rounded(self.estimate.total)
        if self.over:
            return f"{dollars(total - self.budget)} above the budget of {dollars(self.budget)}"
        return f"within the budget of {dollars(self.budget)}: {dollars(self.budget - total)} left"

    @property
    def remarks(self) -> tuple[str, ...]:
        """The estimate's notes, and how much of it nobody gave a usage for."""
        count = self.estimate.depends_on_usage
        if not count:
            return self.estimate.notes
        what = "resource has a line" if count == 1 else "resources have lines"
        return (
            f"{count} {what} of which nobody gave the usage: counted as $0 (see --usage-file)",
            *self.estimate.notes,
        )


def change_in_words(comparison: Comparison) -> str:
    """`$10.00 more than main.json ($421.07)`."""
    amount = rounded(comparison.difference)
    than = f"{comparison.name} ({dollars(comparison.before)})"
    if not amount:
        return f"the same as {than}"
    return f"{dollars(abs(amount))} {'more' if amount > 0 else 'less'} than {than}"


def signed(amount: Decimal) -> str:
    """`+$3.00`, `-$3.00`."""
    return f"+{dollars(amount)}" if rounded(amount) > 0 else dollars(amount)


def quantity_of(component: Component) -> str:
    """At most two digits behind the point: `369.35`, `730`."""
    if component.quantity is None:
        return ""
    shown = rounded(component.quantity)
    return f"{shown.to_integral_value() if shown == shown.to_integral_value() else shown:,}"


def price_of(component: Component) -> str:
    """`$0.0576 per hour`, at least two digits: `$0.10`."""
    usd = component.price.usd
    return f"${max(usd, rounded(usd), key=_digits)} per {component.price.per}"


def _digits(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
