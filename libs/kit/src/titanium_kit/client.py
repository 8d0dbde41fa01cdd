"""Calls to other services through the mesh.

Locally every call goes through the sidecar's egress socket, which adds mTLS and denies what the
service's `service.toml` does not declare; in Kubernetes the mesh intercepts plain HTTP.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpx2

from titanium_kit.body import parse_json
from titanium_kit.context import current_request
from titanium_kit.logs import get_logger
from titanium_kit.problems import Problem, Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.tracing import child_span

logger = get_logger(__name__)

TIMEOUT = 5.0


class MeshClient:
    """HTTP to the services named in `[[calls]]`."""

    name = "mesh"
    required = False

    def __init__(self, settings: ServiceSettings) -> None:
        self._egress = settings.egress.removeprefix("unix:")
        # The peer may wait for its database before it answers.
        self._timeout = TIMEOUT + settings.database_wait
        self._client: httpx2.AsyncClient | None = None

    async def start(self) -> None:
        """Open the client; connections are made when they are needed."""
        limits = httpx2.Limits(
            max_connections=100, max_keepalive_connections=20, keepalive_expiry=10
        )
        # The mesh does the TLS. A context of our own spares loading the public authorities.
        transport = httpx2.AsyncHTTPTransport(
            uds=self._egress or None, limits=limits, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._client = httpx2.AsyncClient(
            transport=transport, timeout=self._timeout, trust_env=False
        )

    async def stop(self) -> None:
        if self._client:
            await self._client.aclose()

    async def check(self) -> None:
        """Nothing to ask: each peer reports its own health."""

    async def request(
        self,
        method: str,
        service: str,
        path: str,
        *,
        json: Any = None,
        timeout: float | None = None,
    ) -> httpx2.Response:
        """The answer of `service`, whatever its status below 500.

        Raises `Unavailable` when there is no answer in `timeout` seconds (by default five, and
        the setting `database_wait` besides), or a 5xx or 429.
        """
        timeout = self._timeout if timeout is None else timeout
        if self._client is None:
            raise Unavailable("The service is still starting.")
        url = (
            f"http://{service}.titanium.internal{path}"
            if self._egress
            else f"http://{service}:8000{path}"
        )
        attributes = {
            "http.request.method": method,
            "server.address": service,
            "url.path": path.partition("?")[0],
        }
        request = current_request.get()
        try:
            # httpx's own time-out starts anew with every byte.
            async with asyncio.timeout(timeout):
                with child_span(f"{method} {service}", attributes) as span:
                    if span is not None:
                        request = request.below(span.traceparent)
                    response = await self._client.request(
                        method, url, json=json, headers=request.headers(), timeout=timeout
                    )
                    if span is not None:
                        span.answered(response.status_code)
        except (httpx2.HTTPError, TimeoutError) as error:
            logger.warning("call_failed", callee=service, path=path, reason=type(error).__name__)
            raise Unavailable(f"The {service} service does not answer.") from error
        if response.status_code >= 500 or response.status_code == 429:
            logger.warning("call_failed", callee=service, path=path, status=response.status_code)
            raise Unavailable(f"The {service} service cannot answer now.")
        return response

    async def get_json(self, service: str, path: str, *, timeout: float | None = None) -> Any:
        """The JSON of a 200 answer. Raises `Unavailable` for anything else."""
        response = await self.request("GET", service, path, timeout=timeout)
        if response.status_code != 200:
            raise Unavailable(f"The {service} service answered {response.status_code}.")
        try:
            return parse_json(response.content)
        except Problem as error:
            raise Unavailable(f"The {service} service answered with something else.") from error
