"""The request being served, for logs, error bodies and outbound headers."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

TRACE_HEADERS = (b"x-request-id", b"traceparent", b"tracestate")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Identifiers that the mesh hands in: `request_id` (any text) and W3C trace headers."""

    request_id: str
    traceparent: str = ""
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """The 32 hex digits of `traceparent`, or nothing when there is no valid one."""
        parts = self.traceparent.split("-")
        return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else ""

    def headers(self) -> dict[str, str]:
        """What an outbound call passes on."""
        pairs = (
            ("x-request-id", self.request_id),
            ("traceparent", self.traceparent),
            ("tracestate", self.tracestate),
        )
        return {name: value for name, value in pairs if value}


NO_REQUEST = RequestContext(request_id="")
current_request: ContextVar[RequestContext] = ContextVar("current_request", default=NO_REQUEST)
