"""Runs a service's admin module (`python -m titanium_user.admin ...`) as that service would run.

An `import` reads one JSON object a line on standard input and answers one a line on standard
output: `{"legacy_id", "id", "status": "created" | "existing" | "rejected", "reason"}`.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Literal, cast

from titanium.errors import TitaniumError
from titanium.supervise.process import environment

Status = Literal["created", "existing", "rejected"]
Row = Mapping[str, Any]

_STATUSES: dict[str, Status] = {
    "created": "created",
    "existing": "existing",
    "rejected": "rejected",
}
_DETAIL_LINES = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row; `id` is its id on the platform, None when it was rejected."""

    legacy_id: int
    id: int | None
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AdminModule:
    """The admin module of one service's package, and the environment that it runs in."""

    package: str
    env: Mapping[str, str]

    def run(self, *arguments: str, hint: str = "Check `titanium status`.") -> str:
        """Run one command to its end; its output. TitaniumError with its last line on failure."""
        done = subprocess.run(
            self._argv(arguments),
            env=environment(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            lines = _last_lines(done.stderr or done.stdout)
            what = lines[-1] if lines else f"{self.package}.admin: status {done.returncode}"
            raise TitaniumError(what, hint, lines[:-1])
        return done.stdout.strip()

    def stream(self, rows: Iterable[Row], *arguments: str) -> Iterator[Outcome]:
        """Feed `rows` to `import`, yielding each outcome as it comes, in the rows' order.

        Rows are read in a thread of their own while outcomes are yielded. An error raised by
        `rows` ends the import and is raised here. TitaniumError when the module fails or
        answers less, more or other than it was asked; what it had stored stays stored.
        """
        arguments = arguments or ("import",)
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                self._argv(arguments),
                env=environment(self.env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            feeder = _Feeder(rows, cast("IO[bytes]", process.stdin))
            feeder.start()
            remarks: list[str] = []
            try:
                with cast("IO[bytes]", process.stdout) as answers:
                    answered = 0
                    for line in answers:
                        outcome = read_outcome(line)
                        if outcome is None:
                            remarks.append(line.decode("utf-8", "replace"))
                            continue
                        yield outcome
                        answered += 1
                feeder.join()
                code = process.wait()
            finally:
                process.kill()
                process.wait()
                feeder.join()
            if feeder.error is not None:
                raise feeder.error
            if code != 0 or answered != feeder.sent:
                errors.seek(0)
                text = "\n".join([*remarks, errors.read().decode("utf-8", "replace")])
                raise self._failure(arguments, code, text, f" after {answered} rows")

    def _argv(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", f"{self.package}.admin", *arguments]

    def _failure(
        self, arguments: tuple[str, ...], code: int, text: str, when: str
    ) -> TitaniumError:
        what = f"{self.package}.admin {' '.join(arguments)} "
        if code == 0:
            what += f"did not answer every row: it stopped{when}"
        else:
            what += f"failed with status {code}{when}"
        return TitaniumError(
            what,
            "See the lines above and `titanium status`. Running the command again is safe: "
            "what is done stays done.",
            _last_lines(text),
        )


def _last_lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())[-_DETAIL_LINES:]


def read_outcome(line: bytes) -> Outcome | None:
    """The outcome in a line of the module's output; None for a line that is something else."""
    try:
        answer = json.loads(line)
        found = answer.get("id")
        return Outcome(
            legacy_id=int(answer["legacy_id"]),
            id=None if found is None else int(found),
            status=_STATUSES[answer["status"]],
            reason=str(answer.get("reason") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class _Feeder(threading.Thread):
    """Writes rows to a pipe. `sent` counts them; `error` is what the rows' source raised."""

    def __init__(self, rows: Iterable[Row], pipe: IO[bytes]) -> None:
        super().__init__(name="rows", daemon=True)
        self.sent = 0
        self.error: BaseException | None = None
        self._rows = rows
        self._pipe = pipe

    def run(self) -> None:
        # A broken pipe means that the module has ended: its status and last lines say why.
        with contextlib.suppress(BrokenPipeError), self._pipe:
            try:
                for row in self._rows:
                    self._pipe.write(json.dumps(row).encode() + b"\n")
                    self.sent += 1
            except BrokenPipeError:
                raise
            except BaseException as error:  # noqa: BLE001 - raised again where rows are awaited
                self.error = error
