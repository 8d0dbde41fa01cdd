"""A summary whose figures are easy to check by head."""

from __future__ import annotations

from titanium.load.model import Check, Row, Summary


def row(name: str = "all", requests: int = 1000, failures: int = 0, p95: float = 100.0) -> Row:
    return Row(name, requests, failures, requests / 10, p95 / 2, p95, 2 * p95)


def summary(total: Row | None = None, *, held: int = 1000, failed: int = 0) -> Summary:
    """Ten seconds of 1,000 requests that kept every threshold, unless told otherwise."""
    total = total or row()
    return Summary(
        total=total,
        seconds=10.0,
        users=5,
        limited=3,
        rows=(row("read", 900), row("write", 100)),
        checks=(Check("read: 200 with an ETag", held, failed),),
        problems=(("GET read: 503 Service Unavailable", 7),),
        notes=("a note",),
    )
