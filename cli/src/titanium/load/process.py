"""The load process: runs one order with Locust as a library and reports on standard output."""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path

import gevent
from gevent.event import Event
from locust import stats
from locust.env import Environment
from locust.html import get_html_report
from locust.runners import STATE_RUNNING

from titanium.errors import TitaniumError
from titanium.files import write_atomically
from titanium.load.model import FAILED, Message, Order, Progress, encode
from titanium.load.run import Run
from titanium.load.scenario import SCENARIOS
from titanium.load.visitor import visitor_class

# How long a visitor may take to end what it is doing.
_STOP_WITHIN = 5.0
_MOST_SPAWNED = 100
# The endless mode says something this often, and forgets what it counted.
_MINUTE = 60.0
_LOOK = 5.0
_LONGEST_PAUSE = 15.0


def main(arguments: list[str]) -> int:
    """Carry out the order in `arguments[0]`; the exit status of the process.

    0 when a summary was given, FAILED when the test could not begin: its error is on the
    standard error as two lines, message and hint.
    """
    logging.getLogger().setLevel(logging.CRITICAL)
    order = Order.decode(arguments[0])
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        gevent.signal_handler(number, stopped.set)
    try:
        if SCENARIOS[order.scenario].endless:
            _endless(order, stopped)
        else:
            _measure(order, stopped)
    except TitaniumError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return FAILED
    return 0


def _measure(order: Order, stopped: Event) -> None:
    stats.HISTORY_STATS_INTERVAL_SEC = 1 if order.seconds <= 300 else 5

    def say(message: Message) -> None:
        try:
            print(encode(message), flush=True)  # noqa: T201 - the protocol with titanium.load.watch
        except OSError:
            # Nobody watches any more: delete what was written, and end.
            stopped.set()

    run = Run(order, lambda phase: say(Progress(phase)))
    environment = _environment(run)
    runner = environment.create_local_runner()
    gevent.spawn(stats.stats_history, runner)
    try:
        current = _set_users(run, environment, 0)
        # Before Locust says that it runs, another number of users would start it anew.
        while not stopped.wait(0.05) and run.problem is None and runner.state != STATE_RUNNING:
            pass
        if run.problem is not None:
            raise run.problem
        while not stopped.is_set() and run.elapsed < order.seconds:
            current = _set_users(run, environment, current)
            stopped.wait(min(1.0, max(0.05, order.seconds - run.elapsed)))
            say(run.progress(environment))
        interrupted = stopped.is_set()
    finally:
        run.stopping.set()
        runner.stop()
    if order.report:
        run.notes += _write_report(environment, Path(order.report))
    say(run.summary(environment, interrupted=interrupted))
    runner.quit()


def _set_users(run: Run, environment: Environment, current: int) -> int:
    order, runner = run.order, environment.runner
    wanted = run.scenario.users_at(run.elapsed, order.users, order.seconds)
    if wanted != current and runner is not None:
        runner.start(wanted, spawn_rate=min(_MOST_SPAWNED, max(1, abs(wanted - current))))
    return wanted


def _endless(order: Order, stopped: Event) -> None:
    """Constant gentle traffic until stopped: waits for a platform that is not there, and keeps
    nothing for longer than a minute."""
    while not stopped.is_set():
        run = Run(order)
        environment = _environment(run)
        runner = environment.create_local_runner()
        runner.start(order.users, spawn_rate=order.users)
        while not run.ready.wait(0.1) and not stopped.is_set():
            pass
        if run.problem is None:
            _log(f"visiting {order.url} with {order.users} users, {order.rate:g} requests/s")
            _until_stopped(run, environment, stopped)
        run.stopping.set()
        runner.quit()
        if run.problem is not None and not stopped.is_set():
            _log(f"{run.problem.message}; trying again in {_LONGEST_PAUSE:g} s")
            stopped.wait(_LONGEST_PAUSE)
        for note in run.notes:
            _log(note)


def _until_stopped(run: Run, environment: Environment, stopped: Event) -> None:
    """Say each minute what was counted, and at once when the platform goes and comes."""
    there = True
    looks = 0
    before = run.progress(environment)
    while not stopped.wait(_LOOK):
        seen = run.progress(environment)
        made, failed = seen.requests - before.requests, seen.failures - before.failures
        if made and (made > failed) != there:
            there = not there
            _log("answers again" if there else "no good answers; going on")
        before = seen
        looks += 1
        if looks * _LOOK >= _MINUTE:
            looks = 0
            _log(
                f"{seen.requests} requests, {seen.failures} failed, {seen.limited} rate limited, "
                f"p95 {seen.p95:.0f} ms"
            )
            environment.stats.clear_all()
            run.checks.clear()
            if environment.runner is not None:
                environment.runner.exceptions.clear()
            before = run.progress(environment)


def _environment(run: Run) -> Environment:
    environment = Environment(
        user_classes=[visitor_class(run)], host=run.order.url, stop_timeout=_STOP_WITHIN
    )
    run.attach(environment)
    return environment


def _write_report(environment: Environment, path: Path) -> tuple[str, ...]:
    """Locust's page; a note when it cannot be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, get_html_report(environment, show_download_link=False))
    except OSError as error:
        return (f"the report {path} could not be written: {error.strerror}",)
    return ()


def _log(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}", flush=True)  # noqa: T201
