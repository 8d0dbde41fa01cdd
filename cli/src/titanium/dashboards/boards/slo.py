"""Objectives and error budgets: how much may still go wrong, and how fast it is being used up."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row, choices, label_values
from titanium.dashboards.boards.panels import (
    Column,
    Look,
    Panel,
    Query,
    above,
    bargauge,
    stat,
    table,
    text,
    timeseries,
)

_SERVICE = label_values(
    "service", "service", "service:slo_objective:ratio", title="Service", many=True
)
_SLO = choices("slo", "Objective", ("availability", "latency"), chosen="availability")
_S = 'service=~"$service",slo="$slo"'
_ANY = common.SELECTED
_ALLOWED = "(1 - service:slo_objective:ratio)"

_READ_ME = """\
A **burn rate** of 1 uses the budget of 30 days in exactly 30 days. Alerts fire when it is high
in a long and in a short window at once:

| burn rate | windows | the budget is gone in | alert |
|---|---|---|---|
| 14.4 | 1 h and 5 m | 2 days | critical |
| 6 | 6 h and 30 m | 5 days | critical |
| 3 | 1 d and 2 h | 10 days | warning |
| 1 | 3 d and 6 h | 30 days | warning |

Objectives are declared in each service's `service.toml`.
"""


def _burn(window: str, labels: str) -> str:
    return f"service:slo_errors:ratio_rate{window}{{{labels}}} / on (service, slo) {_ALLOWED}"


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Lowest budget",
            "What is left of the tightest error budget over 30 days, all objectives together.",
            Query(f"clamp_min(min(service:error_budget:remaining_ratio{{{_ANY}}}), -1)"),
            unit="percentunit",
            steps=common.BUDGET,
            width=6,
        ),
        stat(
            "Fastest burn, 5 minutes",
            "How fast the tightest budget is used now. Above 14.4: gone in two days.",
            Query(f"max({_burn('5m', _ANY)})"),
            unit="short",
            steps=above(1, 14.4),
            width=6,
        ),
        stat(
            "Fastest burn, 1 hour",
            "Over the last hour. High here and in five minutes: it goes on.",
            Query(f"max({_burn('1h', _ANY)})"),
            unit="short",
            steps=above(1, 14.4),
            width=6,
        ),
        stat(
            "Firing budget alerts",
            "Alerts of burn rates that fire now.",
            Query(
                'count(ALERTS{alertname="TitaniumErrorBudgetBurn",alertstate="firing"})'
                " or on () vector(0)"
            ),
            unit="short",
            steps=common.NONE_IS_GOOD,
            width=6,
        ),
    )


def _objectives() -> Panel:
    by = "service, slo"
    return table(
        "Objectives",
        "What was promised, what was kept, what is left.",
        Column(
            f"max by ({by}) (service:slo_objective:ratio{{{_ANY}}})", "Objective", "percentunit"
        ),
        Column(
            f"1 - max by ({by}) (service:slo_errors:ratio_rate1d{{{_ANY}}})"
            " and on (service, slo) service:slo_objective:ratio",
            "Kept today",
            "percentunit",
        ),
        Column(
            f"clamp_min(min by ({by}) (service:error_budget:remaining_ratio{{{_ANY}}}), -1)",
            "Budget left",
            "percentunit",
            common.BUDGET,
        ),
        Column(f"max by ({by}) ({_burn('5m', _ANY)})", "Burn, 5 minutes", "short", above(1, 14.4)),
        Column(f"max by ({by}) ({_burn('1h', _ANY)})", "Burn, 1 hour", "short", above(1, 14.4)),
        Column(f"max by ({by}) ({_burn('6h', _ANY)})", "Burn, 6 hours", "short", above(1, 6)),
        Column(f"max by ({by}) ({_burn('3d', _ANY)})", "Burn, 3 days", "short", above(0.5, 1)),
        labels={"service": "Service", "slo": "Objective of"},
        links={"service": "/d/titanium-service?var-service=${__value.raw}"},
        width=16,
    )


def _over_time() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Budget left",
            "Over 30 days. Below 0 the objective is missed.",
            Query(f"clamp_min(service:error_budget:remaining_ratio{{{_S}}}, -1)", "{{service}}"),
            unit="percentunit",
            look=Look(steps=common.BUDGET, maximum=1, minimum=None),
        ),
        bargauge(
            "Budget left now",
            "Each service's rest, for comparing.",
            Query(f"clamp_min(service:error_budget:remaining_ratio{{{_S}}}, -1)", "{{service}}"),
            unit="percentunit",
            steps=common.BUDGET,
            maximum=1,
        ),
        timeseries(
            "Burn rate, 5 minutes and 1 hour",
            "The pair of the fastest alert. The red line is 14.4.",
            Query(_burn("5m", _S), "{{service}} 5 m"),
            Query(_burn("1h", _S), "{{service}} 1 h"),
            unit="short",
            look=Look(steps=above(1, 14.4)),
        ),
        timeseries(
            "Burn rate, 6 hours and 3 days",
            "The slow leaks. The red line is 6.",
            Query(_burn("6h", _S), "{{service}} 6 h"),
            Query(_burn("3d", _S), "{{service}} 3 d"),
            unit="short",
            look=Look(steps=above(1, 6)),
        ),
        timeseries(
            "Failed requests",
            "Requests a second that were answered with 5xx.",
            Query(f"service:http_errors:rate1m{{{_ANY}}}", "{{service}}"),
            unit="reqps",
        ),
        timeseries(
            "Slow requests",
            "Requests a second that took longer than the service's objective.",
            Query(f"service:http_slow:rate1m{{{_ANY}}}", "{{service}}"),
            unit="reqps",
        ),
    )


def board() -> Board:
    """Uid titanium-slo."""
    return Board(
        "titanium-slo",
        "Titanium / SLO and error budget",
        "Objectives, what is left of their budgets, and how fast it is used.",
        common.variables(_SERVICE, _SLO),
        (
            Row("Now", _now(), height=4),
            Row(
                "Objectives",
                (
                    _objectives(),
                    text("How to read this", "What burn rates mean.", _READ_ME, width=8),
                ),
                height=10,
            ),
            Row("Over time", _over_time()),
        ),
        since="now-6h",
    )
