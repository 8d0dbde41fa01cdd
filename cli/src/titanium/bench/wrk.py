"""wrk, the generator of load: found or fetched, run, and its report read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from titanium import debian
from titanium.bench.model import Load
from titanium.errors import TitaniumError, ToolMissingError

SETTING = "TITANIUM_WRK"
PACKAGES = ("wrk", "libluajit-5.1-2", "libluajit-5.1-common")
_HINT = f"Install wrk, or set {SETTING} to the program."
_ANSWER_WITHIN = 5  # seconds; later counts as broken
_GRACE = 30.0


@dataclass(frozen=True, slots=True)
class Wrk:
    """The program, and the variables with which it finds its shared libraries."""

    program: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return {**env, **self.variables}

    def version(self) -> str:
        """Like `4.1.0`."""
        done = subprocess.run(
            [str(self.program), "-v"],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout.split()
        return words[1].rpartition("/")[2].partition("-")[0] if len(words) > 1 else "unknown"


@dataclass(frozen=True, slots=True)
class Shot:
    """One use of wrk: prepared `requests` in their order, again and again, over `connections`
    that stay open, for `seconds`."""

    requests: Sequence[bytes] = field(repr=False)
    connections: int
    seconds: float


def find_wrk(folder: Path) -> Wrk:
    """wrk from TITANIUM_WRK, PATH or Debian's package, the last unpacked once below `folder`.

    ToolMissingError when none of them has it.
    """
    chosen = os.environ.get(SETTING) or shutil.which("wrk")
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise ToolMissingError(f"{SETTING}: {chosen} is not a program", _HINT)
        return Wrk(Path(chosen).absolute())
    tree = debian.fetch(PACKAGES, folder)
    return Wrk(tree.program("usr/bin/wrk"), tree.environment())


def write_requests(path: Path, requests: Sequence[bytes]) -> None:
    """The records that `replay.lua` reads."""
    with path.open("wb") as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))


def fire(wrk: Wrk, url: str, shot: Shot, folder: Path) -> Load:
    """Send `shot` to `url`; TitaniumError when wrk fails. `folder` takes the request file."""
    records = folder / "requests.bin"
    write_requests(records, shot.requests)
    # wrk takes whole seconds only.
    seconds = max(1, round(shot.seconds))
    with as_file(files("titanium.bench") / "replay.lua") as script:
        done = subprocess.run(
            [
                str(wrk.program),
                "--threads=1",
                f"--connections={shot.connections}",
                f"--duration={seconds}s",
                f"--timeout={_ANSWER_WITHIN}s",
                f"--script={script}",
                url,
                "--",
                str(records),
            ],
            env=wrk.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + _GRACE,
            check=False,
        )
    load = parse(done.stdout)
    if done.returncode != 0 or load is None:
        lines = (done.stderr or done.stdout).splitlines()[-5:]
        raise TitaniumError(
            f"wrk failed with status {done.returncode}", "See the lines above.", tuple(lines)
        )
    return load


def parse(output: str) -> Load | None:
    """The figures that `replay.lua` printed among wrk's own words; None without them."""
    for line in output.splitlines():
        if line.startswith('{"requests":'):
            return _load(json.loads(line))
    return None


def _load(body: dict[str, Any]) -> Load:
    return Load(
        requests=body["requests"],
        seconds=body["microseconds"] / 1e6,
        p50=body["p50"] / 1000,
        p95=body["p95"] / 1000,
        p99=body["p99"] / 1000,
        refused=body["refused"],
        broken=sum(body[name] for name in ("connect", "read", "write", "timeout")),
    )
