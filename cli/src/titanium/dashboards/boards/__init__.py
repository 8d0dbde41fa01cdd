"""The dashboards' definitions: one module each, in the order of the list."""

from __future__ import annotations

from titanium.dashboards.boards import (
    gateway,
    golden_signals,
    logs,
    mesh,
    postgresql,
    redis,
    service,
    slo,
)
from titanium.dashboards.boards.board import Board

_MODULES = (golden_signals, service, mesh, gateway, slo, postgresql, redis, logs)


def boards() -> tuple[Board, ...]:
    """All of them, the one to look at first first."""
    return tuple(module.board() for module in _MODULES)
