"""What the console answers outside its pages: login, liveness, metrics, Alertmanager's webhook."""

from __future__ import annotations

import asyncio
import hmac
import os
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

import psutil
from fastapi import FastAPI
from nicegui import Client
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from titanium.console import paper
from titanium.console.guard import cookie_name
from titanium.console.notifications import Webhook
from titanium.console.sessions import LIFETIME, Sessions, Throttle

if TYPE_CHECKING:
    from titanium.console.backend import Backend

PATHS = ("/healthz", "/login", "/metrics", "/hooks/alertmanager")
_FORM_LIMIT = 4096


class Doors:
    """`scrape_token` is what Prometheus and Alertmanager show; `port` names the cookie."""

    def __init__(self, backend: Backend, sessions: Sessions, scrape_token: str, port: int) -> None:
        self._backend = backend
        self._sessions = sessions
        self._scrape_token = scrape_token.encode()
        self._cookie = cookie_name(port)
        self._throttle = Throttle()

    def add_to(self, app: FastAPI) -> None:
        app.add_route("/healthz", self.health, ["GET"])
        app.add_route("/login", self.login, ["GET", "POST"])
        app.add_route("/logout", self.logout, ["POST"])
        app.add_route("/metrics", self.metrics, ["GET"])
        app.add_route("/hooks/alertmanager", self.webhook, ["POST"])

    async def health(self, request: Request) -> Response:
        del request
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def login(self, request: Request) -> Response:
        """GET with `token` opens a session and takes the token out of the address; GET without
        asks for it; POST takes it from the form."""
        target = _inside(request.query_params.get("next", "/"))
        candidate = request.query_params.get("token", "")
        if request.method == "POST":
            candidate = await _form_token(request)
        if not candidate and request.method == "GET":
            return HTMLResponse(paper.login(target), headers=_NO_STORE)
        wait = self._throttle.wait()
        if wait > 0:
            return HTMLResponse(
                paper.login(target, f"Too many wrong tokens. Try again in {wait:.0f} seconds."),
                429,
                {**_NO_STORE, "Retry-After": str(max(1, round(wait)))},
            )
        if not self._sessions.is_token(candidate):
            self._throttle.wrong()
            await asyncio.sleep(0.2)
            return HTMLResponse(
                paper.login(target, "That is not the token of this run."), 401, _NO_STORE
            )
        answer = RedirectResponse(target, 303, _NO_STORE)
        answer.set_cookie(
            self._cookie,
            self._sessions.open(),
            max_age=LIFETIME,
            path="/",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def logout(self, request: Request) -> Response:
        """Forget the session in this browser; a new token ends every session."""
        del request
        answer = RedirectResponse("/login", 303, _NO_STORE)
        answer.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return answer

    async def metrics(self, request: Request) -> Response:
        """The console's own figures, in Prometheus' text format."""
        if refusal := self._unknown(request):
            return refusal
        process = psutil.Process(os.getpid())
        times, snapshot = process.cpu_times(), self._backend.poller.snapshot
        figures = {
            "process_resident_memory_bytes gauge": process.memory_info().rss,
            "process_cpu_seconds_total counter": times.user + times.system,
            "process_start_time_seconds gauge": process.create_time(),
            "titanium_console_pages gauge": sum(
                client.has_socket_connection for client in Client.instances.values()
            ),
            "titanium_console_notifications gauge": len(self._backend.notifications),
            "titanium_console_supervisor_up gauge": int(snapshot.status is not None),
            "titanium_console_prometheus_up gauge": int(snapshot.metrics_error is None),
        }
        lines = []
        for described, figure in figures.items():
            name, kind = described.split()
            lines += [f"# TYPE {name} {kind}", f"{name} {figure}"]
        return PlainTextResponse(
            "\n".join(lines) + "\n", media_type="text/plain; version=0.0.4", headers=_NO_STORE
        )

    async def webhook(self, request: Request) -> Response:
        """Keep what Alertmanager tells; 400 says what does not fit."""
        if refusal := self._unknown(request):
            return refusal
        try:
            delivery = Webhook.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            return PlainTextResponse(f"{where}: {first['msg']}\n", 400)
        self._backend.notifications.add(delivery)
        self._backend.poller.hurry()
        return Response(status_code=204)

    def _unknown(self, request: Request) -> Response | None:
        shown = request.headers.get("authorization", "").encode("utf-8", "replace")
        if hmac.compare_digest(shown, b"Bearer " + self._scrape_token):
            return None
        return PlainTextResponse(
            "This needs the run's scrape token.\n", 401, {"WWW-Authenticate": "Bearer"}
        )


_NO_STORE = {"Cache-Control": "no-store"}


async def _form_token(request: Request) -> str:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _FORM_LIMIT:
            return "-"
    return parse_qs(body.decode("utf-8", "replace")).get("token", ["-"])[0].strip()


def _inside(target: str) -> str:
    """`target` when it is a path of this console, else the overview."""
    plain = unquote(target)
    if not plain.startswith("/") or plain.startswith(("//", "/\\", "/login")) or "\n" in plain:
        return "/"
    return target
