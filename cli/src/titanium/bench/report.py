"""The report of a run as Markdown, and the bars of its chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from titanium.bench.chart import Bar, draw
from titanium.bench.machine import Machine
from titanium.bench.mixed import RATE
from titanium.bench.model import HASHES, MIXED, Load, Memory, Report, Result, median
from titanium.bench.targets import (
    CACHED_SHARE,
    CREATES_PER_SECOND,
    LOGIN_SHARE,
    MEGABYTE,
    UNCACHED_SHARE,
    Verdict,
    judge,
    login_share,
)

IMAGE = "img/performance.svg"
_SHARES: Mapping[str, float] = {
    "cached-post": CACHED_SHARE,
    "cached-list": CACHED_SHARE,
    "uncached-post": UNCACHED_SHARE,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When, where and how a report came about; `seconds` a step and round, `posts` stored."""

    moment: datetime
    machine: Machine
    command: str
    seconds: float
    rounds: int
    posts: int


def markdown(report: Report, how: Circumstances) -> str:
    """The whole of docs/performance.md."""
    parts = [
        "# Performance",
        "<!-- Written by `titanium bench`: do not edit. -->",
        _introduction(how),
        f"![Each step as a share of the limit]({IMAGE})",
        "## Targets",
        _verdicts(judge(report)),
        "## Throughput and latency",
        _results(report),
        _notes(report, how),
        "## Processor time",
        "Percent of one core while the step ran, each process with its children.",
        _usage(report.results, lambda cpu, _load: f"{cpu:.0f}"),
        "The same as milliseconds for each request:",
        _usage(report.results, _per_request),
        *_memory(report),
        *_observability(report),
        *_starts(report),
        "## How to read it",
        _EXPLANATION,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def chart(report: Report) -> str:
    """The SVG document beside the report."""
    bars = [bar for result in report.results.values() if (bar := _bar(report, result)) is not None]
    return draw(
        "Requests a second, as a share of the limit",
        "Limit: the sidecar answers by itself. Login: share of the argon2id rate. "
        "The line is the target.",
        bars,
    )


def _bar(report: Report, result: Result) -> Bar | None:
    share, target = report.share(result.name), _SHARES.get(result.name)
    if result.name == "login":
        share, target = login_share(report), LOGIN_SHARE
    if result.name == "create" and share and result.rate:
        target = CREATES_PER_SECOND / result.rate * share
    if share is None or result.name == MIXED:
        return None
    return Bar(result.name, share, f"{_count(result.rate)}/s · {_percent(share)}", target)


def _introduction(how: Circumstances) -> str:
    machine = how.machine
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions)
    return (
        f"Measured on {how.moment:%Y-%m-%d} with `{how.command}` on {machine.cores} cores "
        f"({machine.processor}), {machine.memory / 2**30:.0f} GiB of memory, {machine.kernel}; "
        f"{versions}. The generator of load ran on the same cores."
    )


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    rows = (
        (
            verdict.target.title,
            verdict.target.words,
            verdict.target.text(verdict.value),
            "met" if verdict.met else "**missed**",
        )
        for verdict in verdicts
    )
    return table(("what", "target", "measured", ""), rows, "llrl")


def _results(report: Report) -> str:
    rows = []
    for result in report.results.values():
        load, share = result.typical.load, report.share(result.name)
        rows.append(
            (
                f"`{result.name}`",
                result.title,
                _count(load.rate),
                _percent(share) if share is not None and result.name != MIXED else "",
                f"{load.p50:.2f}",
                f"{load.p95:.2f}",
                f"{load.p99:.2f}",
                str(result.errors),
            )
        )
    heads = ("step", "", "requests/s", "of the limit", "p50 ms", "p95 ms", "p99 ms", "errors")
    return table(heads, rows, "llrrrrrr")


def _notes(report: Report, how: Circumstances) -> str:
    rounds = (
        f"{how.rounds} rounds of {how.seconds:g} s for each step, the limit before, in between and "
        "after. Shown are the round with the median rate, the errors of all rounds, and the "
        "median of each round's share of the limit measured just before and after. "
        f"{how.posts:,} posts were stored."
    )
    lines = [rounds]
    hashes = (
        report.results["login"].typical.ceilings.get(HASHES) if "login" in report.results else 0
    )
    if hashes and (share := login_share(report)) is not None:
        lines.append(
            "argon2id alone, with the parameters of the user service on the same cores, just "
            f"before and after: {_count(hashes)} verifications a second; logins reach "
            f"{_percent(share)} of that."
        )
    if MIXED in report.results:
        lines.append(
            f"Mixed traffic arrives at {RATE} requests a second whatever the answers do: 80 % "
            "reads, 15 % lists and searches, 5 % writes. Its latency counts from the moment at "
            "which a request was due."
        )
    if report.growth:
        growth = report.growth
        lines.append(
            f"A list page at a random place: {growth.few_ms:.2f} ms with {growth.few:,} posts, "
            f"{growth.many_ms:.2f} ms with {growth.many:,}: {growth.ratio:.2f} times as long."
        )
    return "\n".join(f"- {line}" for line in lines)


def _usage(results: Mapping[str, Result], cell: Callable[[float, Load], str]) -> str:
    """A row for each step, a column for each process; `cell` gets percent of a core."""
    names = list(dict.fromkeys(name for one in results.values() for name in one.typical.usage))
    rows = []
    for result in results.values():
        usage, load = result.typical.usage, result.typical.load
        cells = (cell(usage[name].cpu, load) if name in usage else "" for name in names)
        rows.append((f"`{result.name}`", *cells))
    return table(("step", *names), rows, "l" + "r" * len(names)) if names else ""


def _per_request(cpu: float, load: Load) -> str:
    return f"{10 * cpu * load.seconds / load.requests:.3f}" if load.requests else ""


def _memory(report: Report) -> list[str]:
    moments = {"after the start": report.idle, "highest under load": report.loaded}
    found = {title: memory for title, memory in moments.items() if memory is not None}
    if not found:
        return []
    names = list(dict.fromkeys(name for memory in found.values() for name in memory.processes))
    rows = [(name, *_cells(found.values(), name)) for name in names]
    totals = [figure for m in found.values() for figure in (m.resident, m.proportional)]
    rows.append(("**all**", *(f"**{_megabytes(figure)}**" for figure in totals)))
    heads = ["process"]
    for title in found:
        heads += [f"{title}: resident", "proportional"]
    explanation = (
        "Megabytes, each process with its children. *Resident* (RSS) counts a page that processes "
        "share once for each of them, *proportional* (PSS) once in all: that is what the machine "
        "gives, and what the targets are about: that of the platform leaves out the processes that "
        "only observe, which have a target of their own."
    )
    return [
        "## Memory",
        explanation,
        table(heads, rows, "l" + "r" * (len(heads) - 1)),
    ]


def _cells(memories: Iterable[Memory], name: str) -> list[str]:
    pairs = [memory.processes.get(name, (0, 0)) for memory in memories]
    return [_megabytes(figure) for pair in pairs for figure in pair]


def _observability(report: Report) -> list[str]:
    found = report.observability
    if found is None:
        return []
    with_it = median([load.rate for load in found.loads])
    without = median([load.rate for load in found.loads_without])
    words = (
        f"Cached posts: {_count(with_it)} requests a second with observability, {_count(without)} "
        f"in runs with `--no-observability`, one after the other; the median of the pairs is "
        f"{_percent(found.lost)} lost. At rest it takes {found.idle_cpu:.1f} % of one core: the "
        "difference of the sums below, so with what proxies, services and databases spend on "
        "being asked for their metrics. The processes that only observe are in italics."
    )
    rows = [
        (
            f"*{name}*" if name in report.optional else name,
            f"{one.cpu:.2f}",
            f"{found.idle_without[name].cpu:.2f}" if name in found.idle_without else "",
            _megabytes(one.proportional),
        )
        for name, one in found.idle.items()
    ]
    first, second = (
        sum(one.cpu for one in idle.values()) for idle in (found.idle, found.idle_without)
    )
    observers = found.memory.only(report.optional).proportional
    rows.append(("**all**", f"**{first:.2f}**", f"**{second:.2f}**", ""))
    rows.append(("***those that observe***", "", "", f"**{_megabytes(observers)}**"))
    heads = ("process", "at rest, % of one core", "without observability", "proportional MB")
    return ["## Observability", words, table(heads, rows, "lrrr")]


def _starts(report: Report) -> list[str]:
    if report.first_start is None or report.second_start is None:
        return []
    words = (
        f"First start with an empty state folder (database, certificates, migrations, demo "
        f"content): {report.first_start:.1f} s. Second start: {report.second_start:.1f} s."
    )
    return ["## Start", words]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """A Markdown table; `align` has one letter, l or r, a column."""
    rule = ["---:" if letter == "r" else "---" for letter in align]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _megabytes(figure: int) -> str:
    return f"{figure / MEGABYTE:.0f}"


_EXPLANATION = """\
- The **limit** is what this machine could do if the services cost nothing: the request passes the
  whole gateway (rate limit, headers, access log), goes to the sidecar over mutual TLS, and the
  sidecar answers by itself. Other machines have another limit, so the shares travel better than
  the rates.
- Everything runs as in a normal start: metrics, Prometheus, the console, access logs and service
  logs on, one instance of each service. Only the rate limits of `mesh/policy.toml` are out of the
  way.
- *Cached* is the same address again and again. *Uncached* is a random post with a query that no
  request had before, so that no cache can know it; the database's own page cache is warm.
- A post counts as created when PostgreSQL has it on disk (`synchronous_commit` is on).
- wrk waits for each answer before it sends the next request on a connection: its latencies show
  a saturated platform. Those of the mixed traffic show a normal day.
- Errors are answers with status 4xx or 5xx, broken connections and time-outs.
"""
