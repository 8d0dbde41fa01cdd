"""Resources by hand, and their bill, for tests of single prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from titanium.cost.catalog import Catalog, load_catalog
from titanium.cost.documents import Document, parse, read_text
from titanium.cost.estimate import Terms, estimate
from titanium.cost.hours import OFFICE_HOURS, Schedule
from titanium.cost.model import Estimate, Priced, Resource, rounded
from titanium.cost.usage import Usage

FIXTURES = Path(__file__).parent / "fixtures"
DAY = date(2026, 10, 1)
CATALOG = load_catalog()
TAGGED = {"tags": {"Schedule": "office-hours"}}
GP3 = [{"volume_type": "gp3", "volume_size": 20}]
NODE = {"instance_type": "t2.medium", "root_block_device": GP3}


def fixture(name: str) -> Document:
    return parse(read_text(FIXTURES / f"{name}.json"), name)


def resource(
    kind: str, values: Mapping[str, Any] | None = None, name: str = "this", **more: Any
) -> Resource:
    """A resource of the root module."""
    return Resource(f"{kind}.{name}", kind, "", values or {}, **more)


def priced(
    *resources: Resource,
    usage: Usage | None = None,
    schedule: Schedule | None = None,
    catalog: Catalog = CATALOG,
    today: date = DAY,
) -> Estimate:
    return estimate(resources, Terms(catalog, usage or Usage(), schedule, today))


def bill(
    kind: str,
    values: Mapping[str, Any] | None = None,
    used: Mapping[str, Any] | None = None,
    *,
    scheduled: bool = False,
    **more: Any,
) -> Priced:
    """The bill of one resource; `used` is its entry in a usage file."""
    one = resource(kind, values, **more)
    usage = Usage("usage.yml", {}, {one.address: numbers(used or {})})
    return priced(one, usage=usage, schedule=OFFICE_HOURS if scheduled else None).priced[0]


def numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """As a usage file gives them: decimals."""
    return {
        key: numbers(one)
        if isinstance(one, Mapping)
        else one
        if isinstance(one, str)
        else Decimal(str(one))
        for key, one in values.items()
    }


def cents(one: Priced | Estimate) -> str:
    """The total to the cent."""
    return str(rounded(one.monthly if isinstance(one, Priced) else one.total))


def lines(one: Priced) -> dict[str, str | None]:
    """Line -> its cost to the cent, None where it depends on usage."""
    return {
        part.name: None if part.cost is None else str(rounded(part.cost)) for part in one.components
    }
