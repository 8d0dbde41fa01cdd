"""Sends finished spans by OTLP/HTTP from a thread that exists only once there are any.

Nothing waits for it: what does not fit into its queue, or cannot be delivered, is dropped and
counted.
"""

from __future__ import annotations

import ssl
import threading
from collections import deque
from collections.abc import Callable

import httpx2

from titanium_kit.logs import get_logger
from titanium_kit.tracing.span import Span

logger = get_logger(__name__)

QUEUE_SPANS = 2048
BATCH_SPANS = 512
EVERY_SECONDS = 0.5
TIMEOUT_SECONDS = 1.0
SCOPE = "titanium_kit"


class Exporter:
    """A bounded queue before `endpoint` (`unix:///path/otlp.sock` or `http://host:port`).

    `count(result, spans)` is told what became of them: `exported`, `failed` or `dropped`.
    """

    def __init__(
        self, endpoint: str, *, service: str, instance: str, count: Callable[[str, int], None]
    ) -> None:
        self._endpoint = endpoint
        self._resource = {"service.name": service, "service.instance.id": instance or service}
        self._count = count
        self._queue: deque[Span] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._failing = False

    def add(self, span: Span) -> None:
        """Take a finished span; never waits."""
        if self._closed or len(self._queue) >= QUEUE_SPANS:
            self._count("dropped", 1)
            return
        self._queue.append(span)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
            self._thread.start()

    def close(self, seconds: float) -> None:
        """Send what is left; returns after `seconds` at the latest."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            # Imported here, on the first traced request and beside the event loop: 30 ms, 5 MB.
            from titanium_kit.tracing.encode import encoder

            encode = encoder(self._resource, SCOPE)
            client, url = _client(self._endpoint)
        except Exception:  # no traces, then; requests go on
            logger.exception("traces_unavailable")
            self._closed = True
            self._count("dropped", len(self._queue))
            return
        with client:
            while True:
                with self._wake:
                    closing = self._closed or self._wake.wait_for(
                        lambda: self._closed, EVERY_SECONDS
                    )
                while self._queue:
                    self._send(client, url, encode)
                if closing:
                    return

    def _send(self, client: httpx2.Client, url: str, encode: Callable[[list[Span]], bytes]) -> None:
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_SPANS))]
        reason = ""
        try:
            answer = client.post(
                url, content=encode(batch), headers={"content-type": "application/x-protobuf"}
            )
            if answer.status_code >= 300:
                reason = f"status {answer.status_code}"
        except Exception as error:  # noqa: BLE001 - whatever it is, requests go on
            reason = type(error).__name__
        self._count("failed" if reason else "exported", len(batch))
        if reason and not self._failing:
            logger.warning("traces_not_delivered", reason=reason)
        self._failing = bool(reason)


def _client(endpoint: str) -> tuple[httpx2.Client, str]:
    socket = endpoint.removeprefix("unix://") if endpoint.startswith("unix://") else None
    # A context of our own spares loading the public authorities, for a collector beside us.
    plain = socket is not None or endpoint.startswith("http://")
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else ssl.create_default_context()
    transport = httpx2.HTTPTransport(uds=socket, verify=verify)
    client = httpx2.Client(transport=transport, timeout=TIMEOUT_SECONDS, trust_env=False)
    base = "http://otlp" if socket else endpoint.rstrip("/")
    return client, f"{base}/v1/traces"
