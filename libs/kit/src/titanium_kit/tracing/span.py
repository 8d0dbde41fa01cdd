"""One span, and the one that is open in this task."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Kind = Literal["server", "client"]
Attribute = str | int


class Span:
    """A piece of work: `start` and `end` in nanoseconds since the epoch, `end` 0 while it lasts.

    `trace_id` and `parent_id` are those of a `traceparent`, in hex. `report` is told once, at the
    end.
    """

    __slots__ = (
        "attributes",
        "end",
        "error",
        "kind",
        "name",
        "parent_id",
        "report",
        "span_id",
        "start",
        "trace_id",
    )

    def __init__(
        self,
        name: str,
        kind: Kind,
        traceparent: str,
        attributes: Mapping[str, Attribute],
        report: Callable[[Span], None],
        *,
        start: int | None = None,
    ) -> None:
        self.name = name
        self.kind: Kind = kind
        self.trace_id = traceparent[3:35]
        self.parent_id = traceparent[36:52]
        self.span_id = f"{random.getrandbits(64) or 1:016x}"
        self.attributes: dict[str, Attribute] = dict(attributes)
        self.error = False
        self.start = start or time.time_ns()
        self.end = 0
        self.report = report

    @property
    def traceparent(self) -> str:
        """What a callee gets, so that its spans are below this one."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def fail(self, kind: str) -> None:
        """Mark it as an error; `kind` is a status code or the name of an exception."""
        self.error = True
        self.attributes["error.type"] = kind

    def answered(self, status: int, *, error_from: int = 400) -> None:
        """Note the status of an answer; from `error_from` on it is an error."""
        self.attributes["http.response.status_code"] = status
        if status >= error_from and not self.error:
            self.fail(str(status))

    def finish(self) -> None:
        """End it now, and hand it over to be sent."""
        self.end = time.time_ns()
        self.report(self)

    def child(
        self,
        name: str,
        kind: Kind,
        attributes: Mapping[str, Attribute],
        *,
        start: int | None = None,
    ) -> Span:
        """A span below this one; not yet the open one of any task."""
        return Span(name, kind, self.traceparent, attributes, self.report, start=start)


current_span: ContextVar[Span | None] = ContextVar("current_span", default=None)


@contextmanager
def child_span(name: str, attributes: Mapping[str, Attribute]) -> Iterator[Span | None]:
    """A client span around a block; None, and nothing at all, when the request is not traced.

    An exception marks it as an error and goes on.
    """
    parent = current_span.get()
    if parent is None:
        yield None
        return
    span = parent.child(name, "client", attributes)
    token = current_span.set(span)
    try:
        yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        current_span.reset(token)
        span.finish()
