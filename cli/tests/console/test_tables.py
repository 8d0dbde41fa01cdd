"""What the pages say of a platform."""

from __future__ import annotations

import pytest

from cli.tests.console.support import NOW, alert, fault, process, sample, snapshot, status
from titanium.catalog import load_catalog
from titanium.checkout import checkout
from titanium.console import signals, tables
from titanium.console.poller import Snapshot
from titanium.console.prometheus import PrometheusUnavailable
from titanium.errors import NotRunningError

pytestmark = pytest.mark.unit
GONE = NotRunningError("no titanium is running in /home", "Start it: titanium up -d")
MEASURED = (sample(signals.REQUESTS, 1.0, service="gateway"),)
AWAY = PrometheusUnavailable("Prometheus is not reachable", "See titanium tools.")


@pytest.mark.parametrize(
    ("shown", "kind", "words"),
    [
        (snapshot(MEASURED), "good", "Everything is healthy"),
        (snapshot(), "calm", "nothing is measured yet"),
        (Snapshot(), "calm", "Looking"),
        (Snapshot(status_error=GONE, last_status_at=NOW - 60), "bad", "does not answer"),
        (
            snapshot(status=status(process("blog-0", state="failed"), state="unhealthy")),
            "bad",
            "blog-0 is failed",
        ),
        (
            snapshot(
                status=status(
                    process("blog-0"),
                    process("console", "console", "failed", optional=True),
                    state="degraded",
                )
            ),
            "warn",
            "without console",
        ),
        (snapshot(alerts=(alert("TitaniumServiceDown"),)), "bad", "1 alert is firing"),
        (
            snapshot(alerts=(alert("A", severity="warning"), alert("B", severity="warning"))),
            "warn",
            "2 alerts are firing: A, B",
        ),
        (snapshot(MEASURED, alerts=(alert("A", state="pending"),)), "good", "healthy"),
        (snapshot(status=status(faults=(fault("blog"),))), "warn", "fault injected into blog"),
        (snapshot(status=status(state="stopping")), "calm", "stopping"),
        (snapshot(metrics_error=AWAY), "warn", "alerts are unknown"),
    ],
)
def test_one_sentence_says_how_it_is(shown: Snapshot, kind: str, words: str) -> None:
    """The worst comes first."""
    told = tables.sentence(shown, NOW)
    assert told[0] == kind
    assert words in told[1]


def test_the_facts_are_those_of_the_gateway() -> None:
    """What users see, not the sum of the services."""
    shown = snapshot(
        (
            sample(signals.REQUESTS, 12.34, service="gateway"),
            sample(signals.REQUESTS, 99.0, service="blog"),
            sample(signals.ERRORS, 0.021, service="gateway"),
            sample(signals.LATENCY, 0.0421, service="gateway", quantile="0.95"),
        )
    )
    facts = tables.sentence(shown, NOW)[2]
    assert "3 of 3 processes ready · 12.3 requests/s · 2.1 % errors · p95 42 ms" in facts


def test_a_dead_supervisor_is_said_with_what_to_do() -> None:
    """When it was seen last, too."""
    text = tables.headline(Snapshot(status_error=GONE, last_status_at=NOW - 60), NOW)
    assert "Last seen 1 min ago" in text
    assert "titanium up -d" in text


def test_without_prometheus_it_says_how_to_get_it() -> None:
    """One that was never there is fetched; one that died has a log."""
    never = tables.concerns(snapshot(metrics_error=AWAY), NOW)
    assert "titanium tools fetch" in never
    note = "Prometheus is missing: no alerts. Next: correct or unset TITANIUM_PROMETHEUS"
    wrong = snapshot(metrics_error=AWAY, status=status(notes=(note,)))
    assert tables.concerns(wrong, NOW).count("correct or unset") == 1
    assert "tools fetch" not in tables.concerns(wrong, NOW) + tables.metrics_missing(wrong)
    assert "correct or unset" in tables.metrics_missing(wrong)
    died = snapshot(
        metrics_error=AWAY, status=status(process("prometheus", "prometheus", "failed"))
    )
    assert "See titanium tools." in tables.concerns(died, NOW)


def test_firing_alerts_come_first_and_the_worst_of_them() -> None:
    """Each leads to its runbook and its service."""
    text = tables.alerts(
        (
            alert("Pending", state="pending"),
            alert("Warns", severity="warning"),
            alert("Bad", service="blog"),
        ),
        NOW,
    )
    assert text.index("Bad") < text.index("Warns") < text.index("Pending")
    assert 'href="/runbooks/Bad"' in text
    assert 'href="/services/blog"' in text
    assert "1 min ago" in text


def test_words_from_outside_are_escaped() -> None:
    """In alerts, notes, details of processes and addresses."""
    evil = '"><script>x</script>'
    shown = snapshot(
        status=status(process("blog-0", detail=evil, address=evil), notes=(evil,)),
        alerts=(alert(evil, service=evil),),
        metrics_error=PrometheusUnavailable(evil, evil),
    )
    everything = (
        tables.concerns(shown, NOW)
        + tables.alerts(shown.alerts, NOW)
        + tables.headline(shown, NOW)
        + tables.processes(shown, shown.status.processes if shown.status else ())
    )
    assert "<script" not in everything


def test_every_service_has_its_signals_and_budgets() -> None:
    """What is not known is a dash, what is bad has a colour."""
    shown = snapshot(
        (
            sample(signals.REQUESTS, 3.0, service="blog"),
            sample(signals.ERRORS, 0.05, service="blog"),
            sample(signals.BUDGET, 0.02, service="blog", slo="availability"),
            sample(signals.LATENCY, float("nan"), service="blog", quantile="0.5"),
        )
    )
    text = tables.services(shown, load_catalog(checkout()))
    row = next(part for part in text.split("<tr>") if "/services/blog" in part)
    assert '<span class="bad-text">5 %</span>' in row
    assert 'class="meter bad"' in row
    assert "nan" not in text
    for name in ("gateway", "auth", "user"):
        assert f"/services/{name}" in text


def test_a_budget_that_is_gone_and_a_problem_are_said_in_words() -> None:
    """Neither minus sixteen thousand per cent nor a JSON document."""
    assert "spent" in tables.budget(-162.17)
    told = process("gateway", "gateway", "not ready", detail='503 {"detail": "Not ready: blog."}')
    text = tables.processes(snapshot(), [told, process("blog-0", detail="{odd")])
    assert "503 Not ready: blog." in text
    assert "{odd" in text


def test_only_what_can_be_killed_or_started_has_a_button() -> None:
    """Killing the supervisor or the console would help nobody; what was stopped can come back."""
    shown = snapshot(
        status=status(
            process("blog-0"),
            process("console", "console"),
            process("supervisor", "supervisor"),
            process("postgres", "postgres", "stopped", pid=None),
        )
    )
    text = tables.processes(shown, shown.status.processes if shown.status else (), actions=True)
    assert text.count("<button") == 2
    assert 'aria-label="Kill blog-0"' in text
    assert 'aria-label="Start postgres"' in text
