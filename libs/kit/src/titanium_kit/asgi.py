"""Pure ASGI middleware: request context, metrics, body limit and the last resort for errors."""

from __future__ import annotations

import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from titanium_kit.context import RequestContext, current_request
from titanium_kit.logs import get_logger
from titanium_kit.metrics import Metrics
from titanium_kit.problems import problem_response
from titanium_kit.routes import route_template
from titanium_kit.tracing import Tracer, current_span

logger = get_logger(__name__)


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of that (lower-case) name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


def _text(value: bytes) -> str:
    return value.decode("latin-1")


class RequestMiddleware:
    """Gives each request its context and span, counts it, and turns an unexpected error into a 500.

    The error's traceback goes to the log, its request id to the client, nothing else.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self.app = app
        self.metrics = metrics
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500
        started = False

        async def send_and_watch(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status = message["status"]
                started = True
            await send(message)

        context = RequestContext.of(
            _text(header(scope, b"x-request-id")),
            _text(header(scope, b"traceparent")),
            _text(header(scope, b"tracestate")),
        )
        span = None
        if self.tracer is not None and context.sampled:
            span = self.tracer.begin(context, scope["method"], scope["path"])
            context = context.below(span.traceparent)
        token = current_request.set(context)
        span_token = current_span.set(span)
        try:
            await self.app(scope, receive, send_and_watch)
        except Exception as error:
            if span is not None:
                span.fail(type(error).__name__)
            logger.exception("unexpected_error", method=scope["method"], path=scope["path"])
            if started:
                raise
            response = problem_response(
                500,
                "Something went wrong here. Report the request id if it happens again.",
                instance=scope["path"],
            )
            await response(scope, receive, send_and_watch)
        finally:
            current_span.reset(span_token)
            current_request.reset(token)
            route = route_template(scope)
            self.metrics.observe(route, scope["method"], status, time.perf_counter() - began)
            if span is not None and self.tracer is not None:
                self.tracer.end(span, route, status)


class BodyTooLarge(HTTPException):
    """Raised inside `receive` when a request's body passes the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The request body is larger than {limit} bytes.")


class BodyLimitMiddleware:
    """Refuses bodies over `limit` bytes, announced or not, with 413.

    The gateway does so first; this is for callers inside the mesh.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        announced = header(scope, b"content-length")
        # Twenty digits are too many for any limit, and more may be too many for int().
        if announced.isdigit() and (len(announced) > 20 or int(announced) > self.limit):
            error = BodyTooLarge(self.limit)
            response = problem_response(413, error.detail, instance=scope["path"])
            await response(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise BodyTooLarge(self.limit)
            return message

        await self.app(scope, receive_within_limit, send)
