"""What is given to wrk, and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanium.bench.wrk import SETTING, Wrk, find_wrk, parse, write_requests
from titanium.errors import ToolMissingError

pytestmark = pytest.mark.unit

LINE = (
    '{"requests":2000,"microseconds":2000000,"refused":20,"connect":1,"read":2,"write":3,'
    '"timeout":4,"p50":1500.0,"p95":2500.0,"p99":9999.0}'
)


def test_the_figures_are_found_among_wrks_own_words() -> None:
    load = parse(f"Running 2s test\n  1 threads\n{LINE}\n")
    assert load is not None
    assert (load.requests, load.seconds, load.rate) == (2000, 2.0, 990.0)
    assert (load.p50, load.p95, load.p99) == (1.5, 2.5, 9.999)
    assert (load.refused, load.broken) == (20, 10)


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1", "{}"])
def test_output_without_figures_is_no_measurement(output: str) -> None:
    assert parse(output) is None


def test_requests_are_handed_over_with_their_length_in_bytes(tmp_path: Path) -> None:
    """A body may hold line breaks and letters of several bytes."""
    file = tmp_path / "requests.bin"
    write_requests(file, [b"GET / HTTP/1.1\r\n\r\n", "가\n".encode()])
    assert file.read_bytes() == b"18\nGET / HTTP/1.1\r\n\r\n4\n\xea\xb0\x80\n"


def test_a_chosen_program_is_used_and_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "wrk"
    program.write_text("")
    program.chmod(0o700)
    monkeypatch.setenv(SETTING, str(program))
    assert find_wrk(tmp_path / "never") == Wrk(program)
    assert not (tmp_path / "never").exists()


def test_a_chosen_program_that_is_none_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path))
    monkeypatch.setenv(SETTING, str(tmp_path / "missing"))
    with pytest.raises(ToolMissingError, match="is not a program"):
        find_wrk(tmp_path)


def test_wrk_gets_no_environment_but_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    env = Wrk(Path("wrk"), {"LD_LIBRARY_PATH": "/lib"}).environment()
    assert env["LD_LIBRARY_PATH"] == "/lib"
    assert "SECRET" not in env
