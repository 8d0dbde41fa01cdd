"""Logs: how much is written at which level, and the lines themselves."""

from __future__ import annotations

from titanium.dashboards.boards import common
from titanium.dashboards.boards.board import Board, Row, label_values, textbox
from titanium.dashboards.boards.panels import (
    LEVEL_COLORS,
    Look,
    Panel,
    Query,
    above,
    logs,
    loki_timeseries,
    stat,
    timeseries,
)

_SERVICE = label_values(
    "service", "service", "titanium_log_lines_total", title="Service", many=True
)
_S = common.SELECTED
_FOUND = f'{{{_S}}} |= "$search"'
_LINES = f"titanium_log_lines_total{{{_S}}}"
_ERRORS = f'titanium_log_lines_total{{level=~"error|critical",{_S}}}'
# Loki refuses to count when one line is not JSON (PostgreSQL's, Valkey's), unless told so.
_PARSED = '| __error__=""'
_RATE = "[$__rate_interval]"


def _now() -> tuple[Panel, ...]:
    return (
        stat(
            "Lines",
            "Lines a second, all selected services together.",
            Query(f"sum(rate({_LINES}{_RATE}))"),
            unit="cps",
            width=8,
        ),
        stat(
            "Errors in 15 minutes",
            "Lines of level error or critical. Above 0: read them below.",
            Query(common.or_zero(f"sum(increase({_ERRORS}[15m]))")),
            unit="short",
            steps=above(1, 10),
            width=8,
        ),
        stat(
            "Share of errors",
            "Errors of all lines in 15 minutes.",
            Query(
                f"sum(increase({_ERRORS}[15m])) / (sum(increase({_LINES}[15m])) > 0)"
                " or on () vector(0)"
            ),
            unit="percentunit",
            steps=above(0.001, 0.05),
            width=8,
        ),
    )


def _amount() -> tuple[Panel, ...]:
    return (
        timeseries(
            "Lines by service",
            "As the services count them: right even when the log store is down.",
            Query(f"sum by (service) (rate({_LINES}{_RATE}))", "{{service}}"),
            unit="cps",
            width=8,
        ),
        timeseries(
            "Errors by service",
            "Lines of level error or critical a second.",
            Query(
                f"sum by (service) (rate({_ERRORS}{_RATE}))"
                f" or sum by (service) (rate({_LINES}{_RATE}) * 0)",
                "{{service}}",
            ),
            unit="cps",
            width=8,
            look=Look(steps=above(0.1, 1)),
        ),
        loki_timeseries(
            "Lines by level",
            "Counted from the lines that match the search.",
            Query(
                f"sum by (level) (count_over_time({_FOUND} | json {_PARSED} [$__interval]))",
                "{{level}}",
            ),
            unit="short",
            width=8,
            look=Look(stacked=True, bars=True, colors=LEVEL_COLORS),
        ),
    )


def board() -> Board:
    """Uid titanium-logs."""
    return Board(
        "titanium-logs",
        "Titanium / Logs",
        "Log lines by service and level, and a search over their text.",
        common.variables(common.LOGS, _SERVICE, textbox("search", "Search")),
        (
            Row("Now", _now(), height=4),
            Row("Amount", _amount()),
            Row(
                "Lines",
                (
                    logs(
                        "Warnings and errors",
                        "Lines of level warning or above that match the search.",
                        f'{_FOUND} | json | level=~"warning|error|critical"',
                    ),
                    logs(
                        "All lines",
                        "Every line that matches the search: a request id, a trace id, a user's "
                        "name, a word.",
                        _FOUND,
                    ),
                ),
                height=12,
            ),
        ),
    )
