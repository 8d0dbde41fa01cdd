"""Sets up `.venv`: what the locks name, and our own packages from this checkout.

    python3 scripts/bootstrap.py [--dev]
    python3 scripts/bootstrap.py --only NAME

Needs Python 3.11 or newer and its standard library: neither pip nor ensurepip nor root. When
nothing changed since the last time it returns within milliseconds. `--dev` adds the tools of
`make test`. `--only` sets up `.venv/NAME` instead, with what requirements/NAME.txt names, for tools
whose packages do not go together with ours. The package index is the one that pip is configured
for.
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


class Environment:
    """What the lock `name` names, in `folder`; in `.venv` our own packages and program besides."""

    def __init__(self, name: str, folder: Path = VENV) -> None:
        self.folder = folder
        self.lock = ROOT / "requirements" / f"{name}.txt"
        self.python = folder / "bin/python"
        self.stamp = folder / "titanium-stamp"
        self.log = folder / "bootstrap.log"
        self.shown = folder.relative_to(ROOT)

    def wanted(self) -> str:
        """Changes exactly when packages have to be installed."""
        digest = hashlib.sha256()
        digest.update(f"{sys.version} {sys.executable} {ROOT}".encode())
        for path in (self.lock, Path(__file__)):
            digest.update(f"\0{path}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def installed(self) -> bool:
        try:
            return self.stamp.read_text() == self.wanted()
        except OSError:
            return False

    def set_up(self) -> None:
        began = time.monotonic()
        count = len(re.findall(r"^[A-Za-z0-9._-]+==", self.lock.read_text(), re.MULTILINE))
        say(f"setting up {self.shown}: {count} packages")
        self.stamp.unlink(missing_ok=True)
        self.create()
        self.install()
        if self.folder == VENV:
            link_sources()
            write_program()
        self.stamp.write_text(self.wanted())
        say(f"{self.shown} is ready ({time.monotonic() - began:.0f} s)")

    def create(self) -> None:
        """A virtual environment without pip; one of another Python is replaced."""
        import subprocess

        # The same Python has several names (python3, python3.11), and either may have made it.
        report = "import os, sys; print(sys.version, os.path.realpath(sys._base_executable))"
        if self.python.exists():
            done = subprocess.run(
                [self.python, "-c", report], capture_output=True, text=True, check=False
            )
            mine = subprocess.run(
                [sys.executable, "-c", report], capture_output=True, text=True, check=False
            )
            if done.returncode == 0 and done.stdout == mine.stdout and self.moved_from() == ROOT:
                return
        import venv

        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(self.folder)
        (self.folder / "checkout").write_text(str(ROOT))

    def moved_from(self) -> Path:
        """Where the checkout was when this was made: its programs name that place."""
        try:
            return Path((self.folder / "checkout").read_text())
        except OSError:
            return ROOT  # made by other means, here

    def install(self) -> None:
        """Exactly what the lock names; hashes are checked. Modules compile on first import."""
        import subprocess

        command = [*pip(self), "install", "--no-compile", *PIP_OPTIONS, "-r", str(self.lock)]
        with self.log.open("w", encoding="utf-8") as log:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode != 0:
            raise explain(self.log.read_text("utf-8", "replace"), self.log)


def linked() -> bool:
    """Whether the environment knows all our packages, and no other."""
    try:
        return link_file().read_text() == links()
    except (OSError, StopIteration):
        return False


def pip(environment: Environment) -> list[str]:
    """Command line of a pip that installs into it, wherever one can be had."""
    import importlib.util

    python = str(environment.python)
    for wheel in pip_wheels():
        return [python, str(wheel / "pip")]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", f"--python={python}"]
    sys.path.insert(0, str(ROOT / "cli/src"))
    from titanium import debian
    from titanium.errors import TitaniumError

    say("this Python has no pip: taking it out of Debian's package python3-pip-whl")
    try:
        tree = debian.fetch(("python3-pip-whl",), environment.folder / "debian")
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


def explain(output: str, log: Path) -> BootstrapError:
    """One line for what pip said."""
    if re.search(r"No space left on device|Errno 28|Disk quota exceeded", output):
        return BootstrapError(
            f"no space left for {log.parent}", "Free about 600 MB, then try again."
        )
    if re.search(r"DO NOT MATCH THE HASHES", output):
        return BootstrapError(
            "a downloaded package does not match its hash in the lock",
            f"Do not use it; see {log}. A proxy that changes files is a usual cause.",
        )
    network = (
        r"NewConnectionError|NameResolution|Temporary failure in name resolution|"
        r"ConnectTimeout|ReadTimeout|ProxyError|SSLError|Connection (refused|reset)|"
        r"Network is unreachable|from versions: none"
    )
    if re.search(network, output):
        return BootstrapError(
            "the package index cannot be reached",
            f"Check the network (and pip's proxy or index settings), then try again; see {log}.",
        )
    errors = re.findall(r"^ERROR: (.*)$", output, re.MULTILINE)
    return BootstrapError(
        f"pip failed: {errors[0] if errors else 'no reason given'}", f"All it said is in {log}."
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


def parse(arguments: list[str]) -> list[Environment]:
    """Environments of which any one will do, first the one to set up; empty for wrong arguments."""
    if arguments in ([], ["--dev"]):
        # One with the development tools serves for both.
        return [Environment("dev" if arguments else "local"), Environment("dev")]
    if len(arguments) == 2 and arguments[0] == "--only":
        environment = Environment(arguments[1], VENV / arguments[1])
        return [environment] if environment.lock.is_file() else []
    return []


def main(arguments: list[str]) -> int:
    enough = parse(arguments)
    if not enough:
        print(__doc__, file=sys.stderr)
        return 2
    environment = enough[0]

    def is_there() -> bool:
        return any(one.installed() for one in enough)

    try:
        if not is_there():
            with alone():
                if not is_there():
                    environment.set_up()
        if environment.folder == VENV and not linked():
            with alone():
                link_sources()
    except BootstrapError as error:
        print(f"error: {error.message}\nnext:  {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: cannot write {error.filename or environment.folder}: {error.strerror}\n"
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
