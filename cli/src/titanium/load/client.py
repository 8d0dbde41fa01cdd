"""Sends one request for a visitor: paced, named, checked, and counted by Locust."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from titanium.load.scenario import LIMITED, NOT_LIMITED, Request

if TYPE_CHECKING:
    from locust.contrib.fasthttp import FastHttpSession

    from titanium.load.run import Run

# Longest pause after a refusal: visitors end in time when the test does.
_PATIENCE = 5.0
_DEFAULT_RETRY = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status (0: none came), headers and body; `good` when it was as expected."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    good: bool = False

    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def member(self, name: str) -> Any:
        """A member of the object in the body; None without it."""
        body = self.json()
        return body.get(name) if isinstance(body, dict) else None

    @property
    def etag(self) -> str:
        return self.headers.get("etag") or ""

    @property
    def retry_after(self) -> float:
        """Seconds after which the platform wants to be asked again."""
        value = self.headers.get("retry-after") or ""
        return float(value) if value.isascii() and value.isdigit() else _DEFAULT_RETRY


Holds = Callable[[Answer], bool]


@dataclass(frozen=True, slots=True)
class Client:
    """One connection pool of Locust's, on behalf of a visitor or of the test itself."""

    session: FastHttpSession
    run: Run

    def send(
        self,
        request: Request,
        path: str,
        *,
        token: str = "",
        body: object = None,
        headers: Mapping[str, str] | None = None,
        status: tuple[int, ...] = (200,),
        holds: Holds = lambda _answer: True,
        patient: bool = True,
    ) -> Answer:
        """Send and count. It is good when it has one of the `status` and `holds`.

        After a 429 this waits a little, like a polite client, unless the caller is not `patient`
        and does so itself.
        """
        self.run.pace.wait()
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        with self.session.request(
            request.method,
            path,
            name=request.name,
            catch_response=True,
            headers=sent,
            json=body,
        ) as response:
            answer = Answer(response.status_code, response.headers or {}, response.content or b"")
            if answer.status == 429:
                # Refusals are quick: among the others they would make the platform look so.
                response.request_meta["name"] = LIMITED
                response.success()
                good = False
            else:
                good = answer.status in status and holds(answer)
                if good:
                    response.success()
                else:
                    response.failure(_problem(request, answer, getattr(response, "error", None)))
        if answer.status == 429:
            if patient:
                self.run.checks.add(NOT_LIMITED, held=False)
                time.sleep(min(answer.retry_after, _PATIENCE))
        else:
            self.run.checks.add(NOT_LIMITED, held=True)
            self.run.checks.add(request.check, held=good)
        return Answer(answer.status, answer.headers, answer.body, good)


def _problem(request: Request, answer: Answer, error: object) -> str:
    """A failure in few words; equal failures have equal words, so that they can be counted."""
    if answer.status == 0:
        return f"no answer ({type(error).__name__})"
    if answer.status >= 400:
        return f"{answer.status} {answer.member('title') or ''}".strip()
    return f"{answer.status}, but not: {request.check}"
