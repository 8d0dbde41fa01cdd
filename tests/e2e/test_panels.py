"""Every panel of every dashboard says something true about a real run: none says "No data"."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpx2
import pytest

from tests.support import ROOT, Platform, running_platform, wait_until
from titanium.console.prometheus import Prometheus
from titanium.dashboards import FOLDER, blocks, charts
from titanium.dashboards.answers import Answer, Sources, ask, values_of
from titanium.dashboards.interpolate import ALL, Range
from titanium.dashboards.model import Dashboard, Panel, Variable, load_dashboards
from titanium.dashboards.names import SYNTHETIC, metric_names
from titanium.errors import TitaniumError
from titanium.layout import Home
from titanium.logs import LogFolder

pytestmark = pytest.mark.e2e

# Rates need two scrapes of a class of answers, objectives are recorded every 30 s.
PATIENCE = 120.0
DASHBOARDS = load_dashboards(ROOT / FOLDER)


class Visitor:
    """Does what people do, mistakes and impatience included."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.person = platform.register()

    def visit(self) -> None:
        """One round: every kind of request, answered as it should be."""
        post = self.platform.post(self.person, "Words about panels")["id"]
        bearer, get = self.person.bearer, self.platform.client.get
        for path in ("/api/posts", f"/api/posts/{post}", "/api/categories", "/blog/", "/health"):
            assert get(path).status_code == 200, path
        for path in ("/api/posts?q=panels", "/.well-known/jwks.json"):
            assert get(path).status_code == 200, path
        assert get(f"/api/users/{self.person.username}").status_code == 200
        assert get("/api/auth/verify", headers=bearer).status_code == 200
        assert get("/api/posts/999999999").status_code == 404
        assert get("/no/such/path").status_code == 404
        assert get("/api/users/me").status_code == 401
        refused = self.platform.client.post("/api/posts", json={}, headers=bearer)
        assert refused.status_code == 422

    def leave(self) -> None:
        """An account goes with its posts and sessions: user calls auth and blog."""
        leaver = self.platform.register("leaver")
        self.platform.post(leaver)
        answer = self.platform.client.request(
            "DELETE", "/api/users/me", json={"password": leaver.password}, headers=leaver.bearer
        )
        assert answer.status_code == 204, answer.text

    def hammer(self) -> None:
        """Passwords are guessed until the gateway refuses."""
        guess = {"username": self.person.username, "password": "not her password"}
        answers = [
            self.platform.client.post("/api/login", json=guess).status_code for _ in range(30)
        ]
        assert 429 in answers, answers

    def break_something(self) -> None:
        """A process that nobody's request needs crashes: there is a warning to be shown."""
        os.kill(self.platform.processes()["console"]["pid"], signal.SIGKILL)


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    """Two instances of blog, so that panels by instance have something to compare."""
    with running_platform("--replicas", "blog=2", observability=True) as platform:
        visitor = Visitor(platform)
        visitor.leave()
        visitor.hammer()
        visitor.break_something()
        yield visitor


@dataclass
class Finding:
    """One expression that does not say what its panel promises."""

    dashboard: str
    panel: str
    what: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.what}"


class Inspection:
    """All panels against the data sources of one run."""

    def __init__(self, platform: Platform) -> None:
        logs = LogFolder(Home(platform.home).logs)
        self.sources = Sources(
            Prometheus(platform.prometheus_url, account=platform.prometheus_account), logs
        )
        self.now = time.time()
        names = httpx2.get(
            f"{platform.prometheus_url}/api/v1/label/__name__/values",
            auth=platform.prometheus_account,
            trust_env=False,
        ).json()
        self.names = frozenset(names["data"]) | SYNTHETIC
        self.findings: list[Finding] = []
        self.asked = 0

    async def run(self) -> None:
        try:
            for dashboard in DASHBOARDS:
                for choices in await self._choices(dashboard):
                    for panel in dashboard.panels:
                        await self._look(dashboard, panel, choices)
        finally:
            await self.sources.prometheus.close()

    async def _choices(self, dashboard: Dashboard) -> list[dict[str, list[str]]]:
        """Every value of a variable that takes one, All of a variable that takes many."""
        found: list[dict[str, list[str]]] = [{}]
        for variable in dashboard.variables:
            if variable.kind == "datasource":
                continue
            values = await self._values(dashboard, variable)
            found = [{**chosen, variable.name: [value]} for chosen in found for value in values]
        return found

    async def _values(self, dashboard: Dashboard, variable: Variable) -> list[str]:
        values = await values_of(variable, {}, dashboard.variables, self.sources, self.now)
        if variable.kind == "textbox":
            return [""]
        if not values:
            self.findings.append(Finding(dashboard.uid, f"${variable.name}", "no values"))
        return [ALL] if variable.include_all else values

    async def _look(
        self, dashboard: Dashboard, panel: Panel, choices: dict[str, list[str]]
    ) -> None:
        place = f"{panel.title} {sorted(value for values in choices.values() for value in values)}"
        for target in panel.targets:
            if target.source == "prometheus":
                missing = sorted(metric_names(target.expr) - self.names)
                for name in missing:
                    self._found(dashboard, place, f"there is no metric {name}")
        span = Range.last(300, self.now)
        try:
            answers = await ask(panel, dashboard.variables, choices, span, self.sources)
            self._draw(panel, answers, span)
        except TitaniumError as error:
            self._found(dashboard, place, error.message)
            return
        for answer in answers:
            self.asked += 1
            if (empty := _empty(answer)) is not None:
                self._found(dashboard, place, f"{answer.target.ref} {empty}: {answer.target.expr}")

    @staticmethod
    def _draw(panel: Panel, answers: Sequence[Answer], span: Range) -> None:
        """What the console shows must be drawable, too."""
        if panel.kind in charts.CHARTS:
            json.dumps(charts.draw(panel, answers, span), allow_nan=False)
        elif panel.kind != "row":
            assert blocks.draw(panel, answers, str)

    def _found(self, dashboard: Dashboard, panel: str, what: str) -> None:
        self.findings.append(Finding(dashboard.uid, panel, what))


def _empty(answer: Answer) -> str | None:
    """Why an answer is no answer; None when it has a number (or a line) at its newest end."""
    if answer.lines:
        return None
    if not answer.series:
        return "is empty"
    newest = [charts.last(series) for series in answer.series]
    if not any(value is not None and math.isfinite(value) for value in newest):
        return "has no number"
    return None


def test_no_panel_of_any_dashboard_is_without_data(visitor: Visitor) -> None:
    """Every expression, for every service: a result, from metrics that exist."""
    said: list[str] = ["Prometheus never answered"]

    def complete() -> bool:
        visitor.visit()  # rates of one minute need requests in every minute
        with suppress(httpx2.HTTPError):
            inspection = Inspection(visitor.platform)
            asyncio.run(inspection.run())
            said[:] = [str(finding) for finding in inspection.findings]
            return inspection.asked > 0 and not said
        return False

    try:
        wait_until(complete, PATIENCE, "data in every panel")
    except AssertionError as error:
        pytest.fail("\n".join([str(error), *said]))


def test_every_dashboard_is_read() -> None:
    assert len(DASHBOARDS) == 8
