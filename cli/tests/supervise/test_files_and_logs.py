"""Small files are replaced whole, and log tails are what a person needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanium.files import write_atomically, write_if_changed
from titanium.supervise.process import describe_exit, failure, tail

pytestmark = pytest.mark.unit


def test_an_atomic_write_is_private_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, "a")
    write_atomically(path, "b")
    assert path.read_text() == "b"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_equal_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x"
    assert write_if_changed(path, "a")
    inode = path.stat().st_ino
    assert not write_if_changed(path, "a")
    assert path.stat().st_ino == inode


def test_a_tail_has_whole_recent_lines_of_this_start_only(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("old\n" + "\n".join(f"line {n}" for n in range(100)) + "\n")
    assert tail(path, 2) == ("line 98", "line 99")
    assert tail(path, 200, since=4)[0] == "line 0"
    assert tail(tmp_path / "none") == ()


def test_exits_are_told_in_words() -> None:
    assert describe_exit(-9) == "was killed by SIGKILL"
    assert describe_exit(3) == "exited with status 3"
    assert describe_exit(None) == "exited"


def test_a_failure_tells_the_reason_of_a_crash_and_not_its_stack(tmp_path: Path) -> None:
    """A proxy that finds no inotify instance left says so, then writes a hundred addresses."""
    log = tmp_path / "logs" / "x.log"
    log.parent.mkdir()
    reason = '{"logger": "assert", "event": "Consider increasing max_user_instances"}'
    traces = ['{"logger": "envoy_bug", "event": "#0"}'] * 20 + ['{"logger": "backtrace"}'] * 20
    log.write_text("old\n" + "\n".join([reason, *traces]) + "\n")
    error = failure("x was killed", log, 4, "")
    assert error.details == (reason,)
    assert "titanium logs x" in error.hint
    assert failure("x was killed", log, 4, "do this").hint == "do this"


def test_a_full_disk_is_no_reason_to_restore_or_to_reset(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "postgres.log"
    log.parent.mkdir()
    log.write_text('FATAL: could not write lock file "postmaster.pid": No space left on device\n')
    hint = failure("postgres exited", log, 0, "restore it, or titanium reset").hint
    assert hint.startswith(f"Free space on the disk of {tmp_path}")
    assert "reset" not in hint


def test_a_durable_file_is_written_like_any_other(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x", "a", durable=True)
    assert (tmp_path / "x").read_text() == "a"
