"""What the pages say of the platform, as HTML made from a snapshot: pure functions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from titanium.catalog import Catalog
from titanium.console import signals
from titanium.console.poller import Snapshot
from titanium.console.prometheus import Alert
from titanium.console.signals import value
from titanium.console.widgets import (
    ago,
    badge,
    duration,
    esc,
    link,
    notice,
    number,
    percent,
    problem,
    size,
    sparkline,
    table,
)
from titanium.layout import GATEWAY
from titanium.supervise.protocol import PlatformStatus, ProcessStatus, describe_fault

# Without its supervisor nothing would come back; without the console nobody would see it.
UNKILLABLE = ("supervisor", "console")
SEVERITIES = ("critical", "warning", "info")
# Beyond these shares of failed requests a service is coloured as worrying and as bad.
ERRORS_WARN, ERRORS_BAD = 0.001, 0.01


def sentence(snapshot: Snapshot, now: float) -> tuple[str, str, str]:
    """The state of the whole: kind (good, warn, bad, calm), headline, and one line of facts."""
    status = snapshot.status
    if status is None:
        if snapshot.status_error is None:
            return "calm", "Looking at the platform", "The first look takes a moment."
        seen = snapshot.last_status_at
        when = f"Last seen {ago(seen, now)}. " if seen else ""
        return (
            "bad",
            "The supervisor does not answer",
            f"{when}{snapshot.status_error.message}. {snapshot.status_error.hint}",
        )
    unready = [item for item in status.processes if item.state != "ready"]
    firing = [alert for alert in snapshot.alerts if alert.state == "firing"]
    facts = _facts(snapshot, status)
    if status.state in ("starting", "stopping", "stopped"):
        return "calm", f"The platform is {status.state}", facts
    needed = [item for item in unready if not item.optional]
    if status.state == "unhealthy" or needed:
        names = ", ".join(f"{item.name} is {item.state}" for item in needed[:3]) or "not serving"
        return "bad", f"Unhealthy: {names}", facts
    if firing:
        names = ", ".join(sorted({alert.name for alert in firing})[:3])
        worst = min((_rank(alert.severity) for alert in firing), default=1)
        plural = "alerts are" if len(firing) > 1 else "alert is"
        return (
            "bad" if worst == 0 else "warn",
            f"Serving, but {len(firing)} {plural} firing: {names}",
            facts,
        )
    if status.faults:
        names = ", ".join(sorted({fault.service for fault in status.faults}))
        return "warn", f"Serving with a fault injected into {names}", facts
    if status.state == "degraded" or unready:
        names = ", ".join(item.name for item in unready[:3])
        what = f"without {names}" if names else "with parts missing"
        return "warn", f"Serving, {what}", facts
    if snapshot.metrics_error is not None:
        # Without figures and alerts nobody knows: that is not health.
        return "warn", "Serving, but Prometheus does not answer: alerts are unknown", facts
    if not snapshot.metrics:
        # It has just started, and evaluates what fired before only some seconds later.
        return "calm", "Serving; nothing is measured yet", facts
    return "good", "Everything is healthy", facts


def _facts(snapshot: Snapshot, status: PlatformStatus) -> str:
    ready = sum(item.state == "ready" for item in status.processes)
    parts = [f"{ready} of {len(status.processes)} processes ready"]
    rate = value(snapshot.metrics, signals.REQUESTS, service=GATEWAY)
    if rate is not None:
        parts.append(f"{number(rate)} requests/s")
        parts.append(f"{percent(value(snapshot.metrics, signals.ERRORS, service=GATEWAY))} errors")
        p95 = value(snapshot.metrics, signals.LATENCY, service=GATEWAY, quantile="0.95")
        parts.append(f"p95 {duration(p95)}")
    memory = sum(item.memory for item in status.processes)
    parts.append(f"{size(memory)} of memory")
    return " · ".join(parts)


def headline(snapshot: Snapshot, now: float) -> str:
    kind, title, facts = sentence(snapshot, now)
    return (
        f'<div class="headline {kind}" role="status"><h1>{esc(title)}</h1><p>{esc(facts)}</p></div>'
    )


def concerns(snapshot: Snapshot, now: float) -> str:
    """Notices: active faults, what is missing, Prometheus away. Empty when there are none."""
    status = snapshot.status
    parts = [
        notice(
            f"Fault in {fault.service}: {describe_fault(fault)}",
            f"ends in {duration(max(0.0, round(fault.until - now)))} · see Chaos",
            "warn",
        )
        for fault in (status.faults if status else ())
    ]
    for note in status.notes if status else ():
        what, _, step = note.partition(" Next: ")
        parts.append(notice(what, f"Next: {step}" if step else ""))
    if snapshot.metrics_error is not None and status is not None and not _missing_step(snapshot):
        parts.append(metrics_missing(snapshot))
    return "".join(parts)


def metrics_missing(snapshot: Snapshot) -> str:
    """Why there are no golden signals, and how to get them; empty while there are."""
    if snapshot.metrics_error is None:
        return ""
    names = {item.name for item in snapshot.status.processes} if snapshot.status else {"prometheus"}
    if "prometheus" not in names:
        step = _missing_step(snapshot) or "titanium tools fetch"
        return notice(
            "No golden signals, alerts or traffic map: Prometheus does not run.",
            f"Next: {step}; then titanium down and titanium up.",
            "warn",
        )
    return problem(snapshot.metrics_error)


def _missing_step(snapshot: Snapshot) -> str:
    """What the supervisor advises to do about a Prometheus that is missing; empty when none is."""
    notes = snapshot.status.notes if snapshot.status else ()
    steps = (note.partition(" Next: ")[2] for note in notes if note.startswith("Prometheus"))
    return next(steps, "")


def alerts(items: Iterable[Alert], now: float) -> str:
    """Firing first, the worst first."""
    ordered = sorted(
        items, key=lambda a: (a.state != "firing", _rank(a.severity), a.name, a.active_since)
    )
    return table(
        ("State", "Alert", "Severity", "Service", "What", ">Since"),
        (
            (
                badge(alert.state),
                link(f"/runbooks/{alert.name}", alert.name),
                badge(alert.severity or "info"),
                service_link(alert.labels.get("service", "")),
                esc(alert.annotations.get("summary", "")),
                esc(ago(alert.active_since, now)),
            )
            for alert in ordered
        ),
        "No alert is pending or firing.",
    )


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def service_link(name: str) -> str:
    return link(f"/services/{name}", name) if name else ""


def services(snapshot: Snapshot, catalog: Catalog) -> str:
    """Golden signals of the gateway and of every service, with their budgets."""
    return table(
        (
            "Service",
            "State",
            "Requests/s",
            ">Errors",
            ">p50",
            ">p95",
            ">p99",
            "CPU",
            "Memory",
            "Availability budget",
            "Latency budget",
        ),
        (_service_row(snapshot, name) for name in (GATEWAY, *catalog.names)),
        kind="services",
    )


def _service_row(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    metrics = snapshot.metrics
    rate = value(metrics, signals.REQUESTS, service=name)
    spark = sparkline(snapshot.ranges.points(signals.REQUESTS, service=name))
    latency = [
        value(metrics, signals.LATENCY, service=name, quantile=quantile)
        for quantile in ("0.5", "0.95", "0.99")
    ]
    return (
        service_link(name),
        badge(service_state(snapshot, name)),
        f'{spark} <span class="beside">{number(rate)}</span>',
        errors(value(metrics, signals.ERRORS, service=name)),
        *(duration(seconds) for seconds in latency),
        meter(value(metrics, signals.CPU, service=name), 0.7, 0.9),
        meter(value(metrics, signals.MEMORY, service=name), 0.7, 0.9),
        budget(value(metrics, signals.BUDGET, service=name, slo="availability")),
        budget(value(metrics, signals.BUDGET, service=name, slo="latency")),
    )


def errors(ratio: float | None) -> str:
    """HTML: a share of failed requests, coloured when it is worrying or bad."""
    if ratio is None or ratio < ERRORS_WARN:
        return percent(ratio, 2)
    return (
        f'<span class="{"bad" if ratio >= ERRORS_BAD else "warn"}-text">{percent(ratio, 2)}</span>'
    )


def meter(ratio: float | None, warn: float, bad: float) -> str:
    """A bar from 0 to 100 %, coloured from `warn` and from `bad` up."""
    if ratio is None:
        return "–"
    kind = "bad" if ratio >= bad else "warn" if ratio >= warn else ""
    return _bar(ratio, kind)


def budget(ratio: float | None) -> str:
    """What is left of an error budget: less is worse."""
    if ratio is None:
        return "–"
    if ratio <= 0:
        return '<span class="bad-text">spent</span>'
    return _bar(ratio, "bad" if ratio < 0.1 else "warn" if ratio < 0.5 else "")


def _bar(ratio: float, kind: str) -> str:
    width = min(1.0, max(0.0, ratio)) * 100
    return (
        f'<span class="meter {kind}"><i style="width:{width:.0f}%"></i></span>{percent(ratio, 0)}'
    )


def service_state(snapshot: Snapshot, name: str) -> str:
    """`ready` when every process of the service is; else the state of the first that is not."""
    if snapshot.status is None:
        return "unknown"
    mine = [item for item in snapshot.status.processes if belongs(item, name)]
    if not mine:
        return "missing"
    return next((item.state for item in mine if item.state != "ready"), "ready")


def belongs(process: ProcessStatus, service: str) -> bool:
    return service in (process.service, process.name)


def processes(snapshot: Snapshot, items: Iterable[ProcessStatus], actions: bool = False) -> str:
    """State, uptime, CPU, memory, restarts and address of each process."""
    headings = ["Process", "Kind", "State", ">Uptime", ">CPU", ">Memory", ">Restarts", "Address"]
    rows = []
    for item in items:
        cpu = snapshot.cpu.get(item.name)
        running = item.pid is not None
        shown = _detail(item.detail)
        detail = f' <span class="detail" title="{esc(shown)}">{esc(shown)}</span>'
        row = [
            link(f"/logs?service={item.name}", item.name),
            f'<span class="quiet">{esc(item.kind)}</span>',
            badge(item.state) + (detail if item.detail else ""),
            uptime(item.uptime) if running else "–",
            percent(cpu, 1) if running else "–",
            size(item.memory) if running else "–",
            f'<span class="{"warn-text" if item.restarts else "quiet"}">{item.restarts}</span>',
            f'<span class="mono quiet">{esc(_short(item.address, snapshot))}</span>',
        ]
        if actions:
            row.append(process_actions(item))
        rows.append(row)
    if actions:
        headings.append("")
    return table(headings, rows, "The supervisor has said nothing yet.", kind="processes")


def _detail(text: str) -> str:
    """What a probe was told: of a problem document (RFC 9457), its detail."""
    before, brace, after = text.partition("{")
    try:
        return f"{before}{json.loads(brace + after)['detail']}"
    except (ValueError, KeyError, TypeError):
        return text


def _short(address: str, snapshot: Snapshot) -> str:
    """An address below the state folder, as seen from there."""
    home = snapshot.status.home if snapshot.status else ""
    return address.removeprefix(f"{home}/") if home else address


def process_actions(item: ProcessStatus) -> str:
    if item.kind in UNKILLABLE:
        return ""
    if item.state == "stopped":
        return button("start", item.name, "Start")
    return button("kill", item.name, "Kill", danger=True, disabled=item.pid is None)


def uptime(seconds: float) -> str:
    """Whole minutes after the first minute: a table of them need not change every second."""
    return duration(seconds // 60 * 60 if seconds >= 60 else seconds // 1)


def button(
    action: str, chosen: str, text: str, danger: bool = False, disabled: bool = False
) -> str:
    """HTML: a button that a `widgets.Live` reports as (action, chosen)."""
    kind = "act danger" if danger else "act"
    label = f"{text} {chosen}"
    return (
        f'<button type="button" class="{kind}" data-action="{esc(action)}" '
        f'data-value="{esc(chosen)}" aria-label="{esc(label)}"{" disabled" if disabled else ""}>'
        f"{esc(text)}</button>"
    )


def now() -> float:
    """Whole seconds: HTML that only differs in milliseconds would be sent for nothing."""
    return float(int(time.time()))
