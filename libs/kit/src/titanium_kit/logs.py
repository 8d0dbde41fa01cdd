"""Structured logs: one JSON object a line on standard output.

Every line has `ts` (RFC 3339, UTC), `level`, `service`, `instance` and `event`; lines written
while a request is served also have `request_id` and `trace_id`.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.types import EventDict, WrappedLogger

from titanium_kit.context import current_request
from titanium_kit.settings import ServiceSettings

SENSITIVE = frozenset(
    {"password", "current_password", "new_password", "token", "access_token", "refresh_token"}
    | {"authorization", "cookie", "set-cookie", "secret", "private_key", "password_hash"}
)


# Counted in the handler, which lets one thread in at a time; read by titanium_kit.metrics.
lines_by_level = dict.fromkeys(("debug", "info", "warning", "error", "critical"), 0)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose keyword arguments become members of the JSON line."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank out members, at any depth, whose names say that they hold a secret."""
    for key, value in event.items():
        if isinstance(key, str) and key.lower() in SENSITIVE:
            event[key] = "[redacted]"
        elif isinstance(value, dict):
            event[key] = redact(_logger, _method, dict(value))
    return event


def _add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request = current_request.get()
    if request.request_id:
        event.setdefault("request_id", request.request_id)
    if request.trace_id:
        event.setdefault("trace_id", request.trace_id)
    return event


def _count(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if event.get("level") in lines_by_level:
        lines_by_level[event["level"]] += 1
    return event


def _drop_colours(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn's own copy of the event, for terminals
    return event


def _dumps(value: Any, **_: Any) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a lone surrogate or a number of more than 64 bits: never lose the line
        return json.dumps(value, default=str, skipkeys=True)


def configure_logging(settings: ServiceSettings) -> None:
    """Send structlog's and the standard library's records to standard output as JSON."""

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = settings.service
        event["instance"] = settings.instance
        return event

    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        add_service,
        _add_request,
        structlog.stdlib.ExtraAdder(),
        _drop_colours,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _count,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    logging.captureWarnings(True)
    for noisy in ("uvicorn.access", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
