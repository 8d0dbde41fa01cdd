"""The request being served, for logs, error bodies and outbound headers."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, replace

REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")


# The last of its hex digits, when the lowest bit is set: the sampled flag of W3C Trace Context.
_SAMPLED = b"13579bdf"


def is_sampled(traceparent: bytes) -> bool:
    """Whether a `traceparent` header asks for spans; says nothing about its being valid."""
    return traceparent != b"" and traceparent[-1] in _SAMPLED


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Identifiers that the mesh hands in: `request_id` and the W3C trace headers."""

    request_id: str
    traceparent: str = ""
    tracestate: str = ""

    @classmethod
    def of(cls, request_id: str, traceparent: str, tracestate: str) -> RequestContext:
        """From what a caller sent. What cannot be passed on as a header is replaced or dropped."""
        if not REQUEST_ID.fullmatch(request_id):
            request_id = str(uuid.uuid4())
        if not TRACEPARENT.fullmatch(traceparent):
            return cls(request_id)
        return cls(request_id, traceparent, tracestate if TRACESTATE.fullmatch(tracestate) else "")

    @property
    def trace_id(self) -> str:
        """The 32 hex digits of `traceparent`, or nothing when there is no valid one."""
        return self.traceparent[3:35]

    @property
    def sampled(self) -> bool:
        """Whether spans are to be made for this request."""
        return self.traceparent != "" and is_sampled(self.traceparent.encode())

    def below(self, traceparent: str) -> RequestContext:
        """The same request, seen from inside the span that `traceparent` names."""
        return replace(self, traceparent=traceparent)

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
