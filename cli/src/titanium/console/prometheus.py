"""Asks Prometheus over its HTTP API; every answer or refusal comes within three seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
import orjson

from titanium.errors import TitaniumError

TIMEOUT = 3.0
_LIMIT = 32 * 1024 * 1024
Item = TypeVar("Item")


class PrometheusUnavailable(TitaniumError):  # noqa: N818 - a state, as said to people
    """Prometheus did not answer, or not what Prometheus answers."""


class QueryRefused(PrometheusUnavailable):
    """Prometheus is there and does not take the query."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query; `value` may be NaN or infinite."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a range query; `points` are (epoch seconds, value), oldest first."""

    labels: dict[str, str]
    points: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is `pending` or `firing`; `active_since` is in epoch seconds."""

    name: str
    state: str
    severity: str
    labels: dict[str, str]
    annotations: dict[str, str]
    active_since: float


class Prometheus:
    """A client of one Prometheus, such as `http://127.0.0.1:9090`; for one event loop.

    `account`: user and password, where it asks for them.
    """

    def __init__(
        self, base_url: str, timeout: float = TIMEOUT, account: tuple[str, str] | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        authorization = aiohttp.encode_basic_auth(*account) if account else ""
        self._headers = {"Authorization": authorization} if authorization else {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def query(self, expr: str, at: float | None = None) -> list[Sample]:
        """The instant vector of `expr` now, or at epoch second `at`; a scalar is one sample."""
        data = await self._ask("query", {"query": expr, "time": repr(at or time.time())})
        return _read(_samples, data)

    async def query_range(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        """The series of `expr` between two epoch seconds, a point every `step` seconds."""
        parameters = {"query": expr, "start": repr(start), "end": repr(end), "step": repr(step)}
        return _read(_series, await self._ask("query_range", parameters))

    async def alerts(self) -> list[Alert]:
        """Every pending and firing alert, in no order."""
        return _read(_alerts, await self._ask("alerts", None))

    async def _ask(self, what: str, form: Mapping[str, str] | None) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, trust_env=False, headers=self._headers
            )
        method, url = ("GET" if form is None else "POST"), f"{self.base_url}/api/v1/{what}"
        try:
            # A redirect would lead to something that is not this Prometheus.
            async with self._session.request(
                method, url, data=form, allow_redirects=False
            ) as answer:
                body = await answer.content.read(_LIMIT + 1)
                while len(body) <= _LIMIT and (more := await answer.content.read(_LIMIT)):
                    body += more
        except TimeoutError:
            raise self._unavailable(f"gave no answer within {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise self._unavailable("is not reachable") from None
        if len(body) > _LIMIT:
            raise self._unavailable(f"answered more than {_LIMIT // 2**20} MiB")
        try:
            document = orjson.loads(body)
            if document["status"] == "success":
                return document["data"]
            message = str(document["error"])
        except (ValueError, KeyError, TypeError):
            raise self._unavailable("answered something else than Prometheus does") from None
        raise QueryRefused(f"Prometheus refuses the query: {message[:500]}", "Correct the query.")

    def _unavailable(self, what: str) -> PrometheusUnavailable:
        return PrometheusUnavailable(
            f"Prometheus at {self.base_url} {what}",
            "See what is missing: titanium tools. See why it ended: titanium logs prometheus.",
        )


def _read(reader: Callable[[Any], list[Item]], data: Any) -> list[Item]:
    try:
        return reader(data)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise PrometheusUnavailable(
            "Prometheus answered something that this console does not understand",
            "Check which program listens on its port: titanium status.",
        ) from None


def _samples(data: Any) -> list[Sample]:
    if data["resultType"] == "scalar":
        return [Sample({}, float(data["result"][1]))]
    return [Sample(dict(item["metric"]), float(item["value"][1])) for item in data["result"]]


def _series(data: Any) -> list[Series]:
    return [
        Series(
            dict(item["metric"]),
            [(float(moment), float(value)) for moment, value in item["values"]],
        )
        for item in data["result"]
    ]


def _alerts(data: Any) -> list[Alert]:
    return [
        Alert(
            name=str(item["labels"]["alertname"]),
            state=str(item["state"]),
            severity=str(item["labels"].get("severity", "")),
            labels=dict(item["labels"]),
            annotations=dict(item["annotations"]),
            active_since=_epoch(item["activeAt"]),
        )
        for item in data["alerts"]
    ]


def _epoch(text: str) -> float:
    """`2026-01-02T03:04:05.123456789Z`: Python reads microseconds at most."""
    head, _, fraction = text.removesuffix("Z").partition(".")
    digits = fraction[:6].ljust(6, "0") if fraction[:6].isdigit() else "000000"
    return datetime.fromisoformat(f"{head[:19]}.{digits}+00:00").timestamp()
