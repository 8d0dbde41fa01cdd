"""Logs: one JSON object a line, with the request's ids and without secrets."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from titanium_kit.context import RequestContext, current_request
from titanium_kit.logs import SENSITIVE, configure_logging, get_logger
from titanium_kit.metrics import Metrics
from titanium_kit.settings import ServiceSettings

pytestmark = pytest.mark.unit

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def start(
    settings: Callable[..., ServiceSettings], capsys: pytest.CaptureFixture[str]
) -> Callable[..., Lines]:
    """A function to call in the test itself: pytest puts its own handlers between the phases."""

    def configure(**values: Any) -> Lines:
        configure_logging(settings(instance="test-0", **values))
        return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return configure


def test_a_line_has_the_agreed_members(start: Callable[..., Lines]) -> None:
    lines = start()
    get_logger("titanium").info("post_created", post_id=7)
    (line,) = lines()
    assert datetime.fromisoformat(line.pop("ts")).tzinfo
    assert line == {
        "event": "post_created",
        "level": "info",
        "logger": "titanium",
        "service": "test",
        "instance": "test-0",
        "post_id": 7,
    }


def test_a_line_written_for_a_request_names_it(start: Callable[..., Lines]) -> None:
    lines = start()
    token = current_request.set(RequestContext.of("abc", TRACE, ""))
    get_logger("a").warning("here")
    logging.getLogger("library").warning("there %s", "too")
    current_request.reset(token)
    written = lines()
    assert len(written) == 2
    for line in written:
        assert line["request_id"] == "abc"
        assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_records_of_libraries_have_the_same_shape(start: Callable[..., Lines]) -> None:
    lines = start()
    extra = {"where": "here", "color_message": "\x1b[36mbroke\x1b[0m"}
    logging.getLogger("library").error("broke %d times", 2, extra=extra)
    (line,) = lines()
    assert line["event"] == "broke 2 times"
    assert (line["level"], line["service"], line["where"]) == ("error", "test", "here")
    assert "color_message" not in line


@pytest.mark.parametrize("name", sorted(SENSITIVE))
def test_secrets_are_blanked_at_every_depth(name: str, start: Callable[..., Lines]) -> None:
    lines = start()
    members = {name: "hunter2", name.title(): "hunter2", "inner": {"list": {name: "hunter2"}}}
    get_logger("a").info("login", **members)
    logging.getLogger("b").warning(
        "login", extra={name.replace("-", "_"): 1, "x": {name: "hunter2"}}
    )
    output = json.dumps(lines())
    assert "hunter2" not in output
    assert "[redacted]" in output


def test_the_callers_dictionary_is_left_alone(start: Callable[..., Lines]) -> None:
    lines = start()
    given = {"password": "hunter2"}
    get_logger("a").info("login", form=given)
    assert given == {"password": "hunter2"}
    assert lines()[0]["form"] == {"password": "[redacted]"}


def test_a_traceback_stays_inside_its_line(start: Callable[..., Lines]) -> None:
    lines = start()
    for logger in (get_logger("a"), logging.getLogger("b")):
        try:
            raise ValueError("first\nsecond")  # noqa: TRY301
        except ValueError:
            logger.exception("unexpected")
    written = lines()
    assert len(written) == 2
    for line in written:
        assert line["level"] == "error"
        assert "Traceback" in line["exception"]
        assert "first\nsecond" in line["exception"]


@pytest.mark.parametrize("value", ["\ud800", 2**70, {1: "a"}, object(), b"\xff", {"\ud800": 1}])
def test_no_value_loses_the_line(value: object, start: Callable[..., Lines]) -> None:
    lines = start()
    get_logger("a").info("odd", value=value)
    (line,) = lines()
    assert line["event"] == "odd"


def test_lines_below_the_level_are_not_written(start: Callable[..., Lines]) -> None:
    lines = start(log_level="error")
    get_logger("a").warning("quiet")
    logging.getLogger("uvicorn.access").info("quiet")
    assert lines() == []


def test_warnings_of_python_become_lines(start: Callable[..., Lines]) -> None:
    lines = start()
    logging.captureWarnings(False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    (line,) = lines()
    assert line["logger"] == "py.warnings"
    assert "old" in line["event"]


def test_lines_are_counted_by_level(settings: Callable[..., ServiceSettings]) -> None:
    """As they are written: what the level keeps out is not counted."""

    def counted() -> dict[str, float]:
        text = Metrics("test").exposition().decode()
        lines = [line for line in text.splitlines() if line.startswith("titanium_log_lines_total{")]
        return {line.split('level="')[1].split('"')[0]: float(line.split()[-1]) for line in lines}

    configure_logging(settings(log_level="info"))
    before = counted()
    logger = get_logger("test")
    logger.debug("kept_out")
    logger.warning("structlog")
    logging.getLogger("other").warning("standard library")
    logger.error("once")
    after = counted()
    assert {level: after[level] - before[level] for level in after} == {
        "debug": 0,
        "info": 0,
        "warning": 2,
        "error": 1,
        "critical": 0,
    }
