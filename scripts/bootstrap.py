"""Sets up `.venv`: what the locks name, and our own packages from this checkout.

    python3 scripts/bootstrap.py [--dev]

Needs Python 3.11 or newer and its standard library: neither pip nor ensurepip nor root. When
nothing changed since the last time it returns within milliseconds. `--dev` adds the tools of
`make test`. The package index is the one that pip is configured for.
"""

# ruff: noqa: E402 - an old Python must reach the first check before it meets newer modules

import sys

OLDEST = (3, 11)


def newer_python():
    """Path of a Python that is new enough, when the one running this is not."""
    import shutil

    for minor in range(19, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    return None


if sys.version_info < OLDEST:
    import os

    candidate = newer_python()
    if candidate:
        os.execv(candidate, [candidate, *sys.argv])  # noqa: S606 - there is no shell to want
    sys.exit(
        f"error: Python {sys.version.split()[0]} is too old: {OLDEST[0]}.{OLDEST[1]} or newer "
        "is needed\nnext:  install it (Debian: apt install python3), or make up PYTHON=/path"
    )

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "titanium-stamp"
LOG = VENV / "bootstrap.log"
PIP_OPTIONS = ("--no-deps", "--require-hashes", "--no-input", "--disable-pip-version-check")


class BootstrapError(Exception):
    """What is wrong, and what to do next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def sources() -> list[Path]:
    """Import folders of our own packages: a new service needs no change here."""
    found = [ROOT / "libs/kit/src", *sorted(ROOT.glob("services/*/src")), ROOT / "cli/src"]
    return [path for path in found if path.is_dir()]


def wanted(dev: bool) -> str:
    """Changes exactly when packages have to be installed."""
    digest = hashlib.sha256()
    digest.update(f"{sys.version} {sys.executable} {ROOT} {dev}".encode())
    for path in (lock_file(dev), Path(__file__)):
        digest.update(f"\0{path}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def lock_file(dev: bool) -> Path:
    return ROOT / "requirements" / ("dev.txt" if dev else "local.txt")


def installed(dev: bool) -> bool:
    """An environment with the development tools serves for both."""
    try:
        stamp = STAMP.read_text()
    except OSError:
        return False
    return stamp == wanted(True) or (not dev and stamp == wanted(False))


def linked() -> bool:
    """Whether the environment knows all our packages, and no other."""
    try:
        return link_file().read_text() == links()
    except (OSError, StopIteration):
        return False


def set_up(dev: bool) -> None:
    began = time.monotonic()
    count = len(re.findall(r"^[A-Za-z0-9._-]+==", lock_file(dev).read_text(), re.MULTILINE))
    say(f"setting up .venv: {count} packages")
    STAMP.unlink(missing_ok=True)
    create_environment()
    install(lock_file(dev))
    link_sources()
    write_program()
    STAMP.write_text(wanted(dev))
    say(f".venv is ready ({time.monotonic() - began:.0f} s)")


def create_environment() -> None:
    """A virtual environment without pip; one of another Python is replaced."""
    import subprocess

    python = VENV / "bin/python"
    # The same Python has several names (python3, python3.11), and either may have made it.
    report = "import os, sys; print(sys.version, os.path.realpath(sys._base_executable))"
    if python.exists():
        done = subprocess.run([python, "-c", report], capture_output=True, text=True, check=False)
        mine = subprocess.run(
            [sys.executable, "-c", report], capture_output=True, text=True, check=False
        )
        if done.returncode == 0 and done.stdout == mine.stdout and moved_from() == ROOT:
            return
    import venv

    venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(VENV)
    (VENV / "checkout").write_text(str(ROOT))


def moved_from() -> Path:
    """Where the checkout was when `.venv` was made: its programs name that place."""
    try:
        return Path((VENV / "checkout").read_text())
    except OSError:
        return ROOT  # made by other means, here


def install(lock: Path) -> None:
    """Exactly what the lock names; hashes are checked. Modules compile on first import."""
    import subprocess

    command = [*pip(), "install", "--no-compile", *PIP_OPTIONS, "-r", str(lock)]
    with LOG.open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        raise explain(LOG.read_text("utf-8", "replace"))


def pip() -> list[str]:
    """Command line of a pip that installs into `.venv`, wherever one can be had."""
    import importlib.util

    python = str(VENV / "bin/python")
    for wheel in pip_wheels():
        return [python, str(wheel / "pip")]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", f"--python={python}"]
    sys.path.insert(0, str(ROOT / "cli/src"))
    from titanium import debian
    from titanium.errors import TitaniumError

    say("this Python has no pip: taking it out of Debian's package python3-pip-whl")
    try:
        tree = debian.fetch(("python3-pip-whl",), VENV / "debian")
    except TitaniumError as error:
        raise BootstrapError(
            f"this Python has no pip, and {error.message}",
            "Install pip (Debian: apt install python3-venv), or check the network.",
        ) from None
    for wheel in sorted(tree.root.glob("usr/share/python-wheels/pip-*.whl")):
        return [python, str(wheel / "pip")]
    raise BootstrapError(
        "Debian's package python3-pip-whl holds no pip",
        "Install pip (Debian: apt install python3-venv).",
    )


def pip_wheels() -> list[Path]:
    """Wheels of pip that come with Python: ensurepip's own, or where a distribution puts them."""
    import importlib.util
    import sysconfig

    folders = [Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels")]
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.origin:
        folders.insert(0, Path(spec.origin).parent / "_bundled")
    return [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]


def explain(output: str) -> BootstrapError:
    """One line for what pip said."""
    if re.search(r"No space left on device|Errno 28|Disk quota exceeded", output):
        return BootstrapError(f"no space left for {VENV}", "Free about 600 MB, then try again.")
    if re.search(r"DO NOT MATCH THE HASHES", output):
        return BootstrapError(
            "a downloaded package does not match its hash in the lock",
            f"Do not use it; see {LOG}. A proxy that changes files is a usual cause.",
        )
    network = (
        r"NewConnectionError|NameResolution|Temporary failure in name resolution|"
        r"ConnectTimeout|ReadTimeout|ProxyError|SSLError|Connection (refused|reset)|"
        r"Network is unreachable|from versions: none"
    )
    if re.search(network, output):
        return BootstrapError(
            "the package index cannot be reached",
            f"Check the network (and pip's proxy or index settings), then try again; see {LOG}.",
        )
    errors = re.findall(r"^ERROR: (.*)$", output, re.MULTILINE)
    return BootstrapError(
        f"pip failed: {errors[0] if errors else 'no reason given'}", f"All it said is in {LOG}."
    )


def link_sources() -> None:
    """Our packages are imported from the checkout: no build, no copy, no metadata to go stale."""
    link_file().write_text(links())


def link_file() -> Path:
    return next(VENV.glob("lib/python3.*/site-packages")) / "titanium-checkout.pth"


def links() -> str:
    return "".join(f"{path}\n" for path in sources())


def write_program() -> None:
    """`.venv/bin/titanium`. Through sh, because a `#!` line allows neither spaces nor length."""
    program = VENV / "bin/titanium"
    python = shlex.quote(str(VENV / "bin/python"))
    program.write_text(
        f"#!/bin/sh\nexec {python} -P -c 'from titanium.main import main; main()' \"$@\"\n"
    )
    program.chmod(0o755)


@contextlib.contextmanager
def alone():
    """One bootstrap at a time: `make -j` or two terminals wait for each other."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def say(line: str) -> None:
    print(line, flush=True)


def main(arguments: list[str]) -> int:
    if any(argument != "--dev" for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    dev = "--dev" in arguments
    if installed(dev) and linked():
        return 0
    try:
        with alone():
            if not installed(dev):
                set_up(dev)
            elif not linked():
                link_sources()
    except BootstrapError as error:
        print(f"error: {error.message}\nnext:  {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: cannot write {error.filename or VENV}: {error.strerror}\n"
            "next:  free space or correct the folder's permissions, then try again",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
