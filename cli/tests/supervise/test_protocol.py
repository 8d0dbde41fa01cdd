"""What goes over the control socket comes out the same."""

from __future__ import annotations

import pytest

from titanium.errors import PortBusyError, RunningError, TitaniumError, UnhealthyError
from titanium.supervise.protocol import (
    Event,
    Message,
    PlatformStatus,
    ProcessStatus,
    Request,
    Result,
    decode,
    encode,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "message",
    [
        Request("scale", "blog", 3),
        Event("blog-0", "ready", "taken over"),
        Result(ok=True, body={"a": [1]}),
        Result(ok=False, message="m", hint="h", details=("한글",), code=3),
    ],
)
def test_messages_survive_the_wire(message: Message) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_a_request_says_only_what_is_unusual() -> None:
    """A supervisor that still runs an older version refuses members that it does not know."""
    assert encode(Request("status")) == b'{"request": {"operation": "status"}}\n'


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[1]", b'{"request": {"operation": "format"}}', b'{"event": 1}', b"\xff"],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode(line)


@pytest.mark.parametrize("kind", [UnhealthyError, PortBusyError, RunningError, TitaniumError])
def test_an_error_arrives_with_its_words_and_exit_code(kind: type[TitaniumError]) -> None:
    error = kind("what", "next", ("line",))
    answer = decode(encode(Result.failure(error)))
    assert isinstance(answer, Result)
    with pytest.raises(TitaniumError) as raised:
        answer.raise_failure()
    assert (raised.value.message, raised.value.hint) == ("what", "next")
    assert raised.value.details == ("line",)
    assert type(raised.value) is kind, "several kinds share an exit code"


def test_status_survives_the_wire() -> None:
    process = ProcessStatus("a", "app", "ready", 1, 2.0, 3, 0, "x")
    status = PlatformStatus("healthy", "/h", "u", "s", 7, (process,))
    answer = decode(encode(Result(ok=True, body=status.to_json())))
    assert isinstance(answer, Result)
    assert PlatformStatus.from_json(answer.body) == status
