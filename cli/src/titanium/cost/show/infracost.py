"""JSON with the field names of Infracost's output 0.2; amounts are texts, so that none is rounded.

`metadata` of a project holds what Infracost has no field for: `titanium`, with region, catalogue,
notes, budget.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from titanium.cost.compare import Comparison
from titanium.cost.model import HOURS_A_MONTH, Component, Estimate, Free, Priced
from titanium.cost.show.report import Report

VERSION = "0.2"


def render(report: Report) -> str:
    return json.dumps(document(report), indent=2) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The whole as JSON types."""
    estimate, comparison = report.estimate, report.comparison
    breakdown = {
        "resources": [_priced(one) for one in estimate.priced],
        "freeResources": [_free(one) for one in estimate.free],
        **_totals("total", estimate.total),
    }
    summary = _summary(estimate)
    past = None if comparison is None else comparison.before
    difference = None if comparison is None else comparison.difference
    return {
        "version": VERSION,
        "metadata": {"infracostCommand": "breakdown" if comparison is None else "diff"},
        "currency": "USD",
        "projects": [
            {
                "name": report.name,
                "metadata": _metadata(report),
                "pastBreakdown": None if comparison is None else _past(comparison),
                "breakdown": breakdown,
                "diff": None if comparison is None else _diff(comparison),
                "summary": summary,
            }
        ],
        **_totals("total", estimate.total),
        **_totals("pastTotal", past),
        **_totals("diffTotal", difference),
        "timeGenerated": report.moment.astimezone(UTC).isoformat(),
        "summary": summary,
    }


def _metadata(report: Report) -> dict[str, Any]:
    own = {
        "region": report.estimate.region,
        "catalog": report.estimate.catalog,
        "budget": None if report.budget is None else _text(report.budget),
        "overBudget": report.over,
        "notes": list(report.remarks),
    }
    return {"path": report.name, "type": "terraform_plan_json", "titanium": own}


def _priced(one: Priced) -> dict[str, Any]:
    return {
        "name": one.resource.address,
        "resourceType": one.resource.type,
        "tags": one.resource.tags,
        "metadata": {"module": one.resource.group},
        **_costs(one.monthly),
        "costComponents": [_component(part) for part in one.components],
    }


def _component(part: Component) -> dict[str, Any]:
    quantity = part.quantity
    return {
        "name": part.name,
        "unit": part.unit,
        "hourlyQuantity": None if quantity is None else _text(quantity / HOURS_A_MONTH),
        "monthlyQuantity": None if quantity is None else _text(quantity),
        "price": _text(part.price.usd),
        **_costs(part.cost),
    }


def _free(one: Free) -> dict[str, Any]:
    return {
        "name": one.resource.address,
        "resourceType": one.resource.type,
        "metadata": {"reason": one.reason},
    }


def _past(comparison: Comparison) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        {"name": one.address, "metadata": {}, **_costs(one.before)}
        for one in comparison.changes
        if one.before is not None
    ]
    return {"resources": found, **_totals("total", comparison.before)}


def _diff(comparison: Comparison) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        {"name": one.address, "metadata": {}, **_costs(one.difference)}
        for one in comparison.changes
    ]
    return {"resources": found, **_totals("total", comparison.difference)}


def _summary(estimate: Estimate) -> Mapping[str, Any]:
    priced, free = len(estimate.priced), len(estimate.free)
    return {
        "totalDetectedResources": priced + free,
        "totalSupportedResources": priced,
        "totalUnsupportedResources": 0,  # there is no estimate when there are any
        "totalUsageBasedResources": estimate.depends_on_usage,
        "totalNoPriceResources": free,
        "supportedResourceCounts": Counter(one.resource.type for one in estimate.priced),
        "unsupportedResourceCounts": {},
        "noPriceResourceCounts": Counter(one.resource.type for one in estimate.free),
    }


def _costs(monthly: Decimal | None) -> dict[str, str | None]:
    hourly = None if monthly is None else monthly / HOURS_A_MONTH
    return {"hourlyCost": _text(hourly), "monthlyCost": _text(monthly)}


def _totals(what: str, monthly: Decimal | None) -> dict[str, str | None]:
    hourly = None if monthly is None else monthly / HOURS_A_MONTH
    return {f"{what}HourlyCost": _text(hourly), f"{what}MonthlyCost": _text(monthly)}


def _text(amount: Decimal | None) -> str | None:
    """Never `1E+2`: readers take it for a plain decimal."""
    return None if amount is None else f"{amount.normalize():f}"
