"""Spans of SQL statements, from asyncpg's own report of each; values never appear."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from titanium_kit.tracing.span import Span

LONGEST_TEXT = 2000
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)


def statement_spans(parent: Span) -> Callable[[Any], None]:
    """A query logger for asyncpg that makes a span below `parent` of each statement."""

    def report(record: Any) -> None:
        start = time.time_ns() - int(record.elapsed * 1e9)
        operation = _operation(record.query)
        attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": " ".join(record.query.split())[:LONGEST_TEXT],
        }
        span = parent.child(operation, "client", attributes, start=start)
        if record.exception is not None:
            state = getattr(record.exception, "sqlstate", None)
            span.fail(state or type(record.exception).__name__)
        span.finish()

    return report


def _operation(query: str) -> str:
    found = _FIRST_WORD.match(query)
    return found[1].upper() if found else "SQL"
