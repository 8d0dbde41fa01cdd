"""Gets the programs that observe a run out of Debian's packages, once; says what is missing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from titanium import debian
from titanium.errors import ToolMissingError
from titanium.files import write_atomically
from titanium.layout import tools_folder
from titanium.tools import DEBIAN_PROGRAMS, FETCH, DebianProgram

# Seconds that a start waits for the network, and seconds before it tries again in vain.
PATIENCE = 60.0
NOT_AGAIN_WITHIN = 3600.0
_APT = ("apt-get", "dpkg-deb")

# (package, what happens)
Tell = Callable[[str, str], None]


def missing(root: Path) -> list[DebianProgram]:
    """Those that neither a setting, nor an unpacked package, nor PATH has."""
    found = []
    for program in DEBIAN_PROGRAMS:
        try:
            program.find(root)
        except ToolMissingError:
            found.append(program)
    return found


def fetch_missing(root: Path, tell: Tell) -> None:
    """Fetch what is missing, all in PATIENCE seconds; what cannot be had is left out.

    Where there is no apt, and within an hour after a failure, nothing is tried.
    """
    deadline = time.monotonic() + PATIENCE
    for program in missing(root):
        if os.environ.get(program.setting) or failure_of(program, root) or not _has_apt():
            continue
        tell(program.package, "fetching Debian's package, once; nothing is installed")
        try:
            fetch(program, root, max(1.0, deadline - time.monotonic()))
        except ToolMissingError:
            tell(program.package, "could not be fetched: going on without")
        else:
            tell(program.package, "fetched")


def fetch(program: DebianProgram, root: Path, within: float = PATIENCE) -> Path:
    """The program, fetched now; ToolMissingError says why not, and is remembered."""
    note = _note(program, root)
    try:
        tree = debian.fetch((program.package,), tools_folder(root), within)
        if program.data:
            _relocate(program, tree)
        found = tree.program(program.path)
    except ToolMissingError as error:
        # Where nothing can be written, the attempt itself ended at once.
        with contextlib.suppress(OSError):
            body = {"at": time.time(), "message": error.message}
            write_atomically(note, json.dumps(body) + "\n")
        raise
    with contextlib.suppress(OSError):
        note.unlink(missing_ok=True)
    return found


def _relocate(program: DebianProgram, tree: debian.Tree) -> None:
    """Copy the program with another path to its data: wherever it is started.

    Debian builds Alertmanager to read its templates from /usr/share. A path of the same length
    leads to its working folder instead; what names no such path is copied as it is.
    """
    source = tree.program(f"usr/bin/{program.package}")
    target = tree.root / program.path
    before = f"/{program.data}".encode()
    try:
        after = source.read_bytes().replace(before, b"/proc/self/cwd".ljust(len(before), b"/"))
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_bytes(after)
        temporary.chmod(0o755)
        temporary.replace(target)
    except OSError as error:
        raise ToolMissingError(
            f"cannot write {target}: {error.strerror}",
            "Free space, or correct the folder's permissions.",
        ) from None


def failure_of(program: DebianProgram, root: Path) -> str:
    """Why the last attempt failed; empty when none did within the last hour."""
    try:
        body: Any = json.loads(_note(program, root).read_text("utf-8"))
        fresh = 0 <= time.time() - float(body["at"]) < NOT_AGAIN_WITHIN
        return str(body["message"]) if fresh else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def remedy(program: DebianProgram) -> str:
    """What a person does to get it."""
    if os.environ.get(program.setting):
        return f"correct or unset {program.setting}"
    if _has_apt():
        return FETCH
    return f"install {program.what} so that PATH has it, or set {program.setting}"


def note(programs: Sequence[DebianProgram], root: Path) -> str:
    """One sentence on what is missing, why, and what to do."""
    names = " and ".join(program.what for program in programs)
    fetched = [program for program in programs if not os.environ.get(program.setting)]
    reasons = [failure_of(program, root) for program in fetched]
    reason = next((f" ({reason})" for reason in reasons if reason), "")
    if fetched and not reason and not _has_apt():
        reason = " (this system has no apt-get to fetch Debian's packages with)"
    verb = "are" if len(programs) > 1 else "is"
    steps = "; ".join(dict.fromkeys(remedy(program) for program in programs))
    return f"{names} {verb} missing: no history of metrics and no alerts{reason}. Next: {steps}"


def _has_apt() -> bool:
    return all(shutil.which(program) for program in _APT)


def _note(program: DebianProgram, root: Path) -> Path:
    return tools_folder(root) / f".{program.package}.failed.json"
