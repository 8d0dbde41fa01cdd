"""Prices all resources of a plan. What has no price is an error that names every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from titanium.cost.catalog import Catalog
from titanium.cost.hours import TAG, Schedule
from titanium.cost.model import Estimate, Free, Priced, Resource, Unpriced
from titanium.cost.pricing import PRICERS
from titanium.cost.pricing.bill import Bill
from titanium.cost.usage import TRANSFER, Usage
from titanium.errors import EXIT_UNPRICED, TitaniumError

# In a catalogue: a flat price for every resource of a type.
_TYPE_PRICE = "type."
_OLD = 365  # days


class UnpricedError(TitaniumError):
    """Resources that nobody gave a price: the estimate would be too low, so there is none."""

    exit_code = EXIT_UNPRICED


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything but the resources that an estimate depends on."""

    catalog: Catalog
    usage: Usage = field(default_factory=Usage)
    schedule: Schedule | None = None
    today: date = field(default_factory=date.today)


def estimate(resources: Sequence[Resource], terms: Terms) -> Estimate:
    """The bill of every resource. Raises UnpricedError, with a line for each that has no price."""
    others = {one.address: one for one in resources}
    notes: dict[str, None] = {}
    bills: list[Priced] = []
    free: list[Free] = []
    missing: list[str] = []
    for resource in (*resources, *_transfers(terms.usage)):
        try:
            result = _price(resource, terms, others, notes)
        except Unpriced as error:
            missing.append(error.line)
            continue
        if isinstance(result, Free):
            free.append(result)
        else:
            bills.append(result)
    if missing:
        raise _refusal(missing)
    remarks = (*_remarks(resources, terms), *notes)
    return Estimate(tuple(bills), tuple(free), remarks, terms.catalog.region, terms.catalog.name)


def _price(
    resource: Resource, terms: Terms, others: dict[str, Resource], notes: dict[str, None]
) -> Priced | Free:
    bill = Bill(
        resource,
        terms.catalog,
        terms.usage.of(resource.address, resource.type),
        terms.schedule,
        others,
        terms.today,
        notes.setdefault,
    )
    flat = _TYPE_PRICE + resource.type
    own, pricer = terms.catalog.find(flat), PRICERS.get(resource.type)
    reason = terms.catalog.why_free(resource.type)
    if reason is not None:
        pass  # usage of it would cost, and is refused below
    elif own is not None:
        if own.per == "hour":
            bill.per_hour(resource.type, flat, "type")
        else:
            bill.per_month(resource.type, flat, "type", 1)
    elif pricer is None:
        bill.refuse(
            "type",
            "is neither priced nor declared free",
            f'add "{flat}" = {{ usd = "...", per = "month" }} under [prices], '
            f'or {resource.type} = "the reason" under [free]',
        )
    else:
        reason = pricer(bill)
    bill.finish()
    return Priced(resource, tuple(bill.components)) if reason is None else Free(resource, reason)


def _transfers(usage: Usage) -> list[Resource]:
    return [Resource(address, TRANSFER, "", {}) for address in usage.transfers()]


def _refusal(missing: list[str]) -> UnpricedError:
    count = len(missing)
    return UnpricedError(
        f"{count} {'resource has' if count == 1 else 'resources have'} no price, and $0 would be "
        "wrong",
        "Do what each line says; prices of your own go into a file given with --prices "
        "(docs/how-to/estimate-cost.md).",
        tuple(missing),
    )


def _remarks(resources: Sequence[Resource], terms: Terms) -> Iterable[str]:
    catalog, schedule = terms.catalog, terms.schedule
    yield (
        f"prices of {catalog.name}: on demand, Linux, without taxes, free tier and discounts; "
        "730 hours a month"
    )
    if (terms.today - catalog.date).days > _OLD:
        yield f"these prices are of {catalog.date}: AWS may ask for something else by now"
    if schedule is not None:
        tagged = sum(one.tags.get(TAG) == schedule.name for one in resources)
        yield (
            f"schedule {schedule.name} ({schedule.words}): {schedule.hours:.1f} of 730 hours, "
            f"{schedule.share:.1%}, for {tagged} tagged resources; disks, the EKS control plane, "
            "NAT, load balancers, VPN and fixed addresses are not reduced"
            if tagged
            else f"no resource has tag {TAG}={schedule.name}: the schedule changes nothing"
        )
    if resources and not terms.usage.transfers():
        yield (
            "data transfer to the internet and between zones is not included: give "
            "aws_data_transfer in a usage file"
        )
    for entry in terms.usage.unmatched(frozenset(one.address for one in resources)):
        yield f"{terms.usage.name}: {entry} is no resource of this plan"
