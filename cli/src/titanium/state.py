"""The state folder: opened, checked, described, deleted."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from titanium.checkout import checkout
from titanium.errors import StateError, UsageError
from titanium.files import write_atomically
from titanium.layout import MAX_REPLICAS, Home

# Raise it when an older titanium could not use the folder any more, and write the step
# from the previous format into `_migrate`.
FORMAT = 1
HOME_SETTING = "TITANIUM_HOME"
SOCKET_LIMIT = 107
# The longest name below run/: "/<service of 31 letters>-99/egress.sock".
_LONGEST_SOCKET = 46
_NEEDED_BYTES = 200 * 1024 * 1024
_FOLDERS = ("data", "logs", "certs", "config", "tools", "secrets", "reports")
_FILES = ("version", "lock", "processes.json", "options.json")


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chose at `titanium up`; remembered, so that the next one needs no options.

    `bench` adds the route that the benchmark compares everything with (`titanium.mesh.Bench`).
    `observability` off: neither metrics of the proxies, nor traces, nor Prometheus and the rest.
    """

    port_base: int | None = None
    replicas: Mapping[str, int] = field(default_factory=dict)
    policy: str | None = None
    bench: bool = False
    observability: bool = True


def home_folder(chosen: str | None = None) -> Path:
    """The state folder: the option, else TITANIUM_HOME, else `.titanium` in the checkout."""
    name = chosen or os.environ.get(HOME_SETTING)
    try:
        return Path(name).expanduser().resolve() if name else checkout() / ".titanium"
    except (OSError, RuntimeError) as error:
        raise StateError(
            f"the state folder {name} cannot be used: {error}", "Choose another one with --home."
        ) from None


def find_home(root: Path) -> Home:
    """The folder as it is, without making or changing anything.

    StateError when it is there and not ours, damaged, or newer than this titanium.
    """
    _check_version(root)
    run = root / "run"
    try:
        return Home(root, run.readlink() if run.is_symlink() else None)
    except OSError as error:
        raise _unusable(run, error) from None


def open_home(root: Path) -> Home:
    """Make the folder (0700, with all its folders) or check the one that is there.

    StateError says what is wrong with it: not ours, unwritable, newer, full disk.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(root, error) from None
    try:
        # One at a time: a second one would meet the first one's half-made folder.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _opened(root)
    except OSError as error:
        raise _unusable(root, error) from None
    finally:
        os.close(descriptor)


def _opened(root: Path) -> Home:
    if _is_empty(root):
        _check_space(root)
    else:
        _check_version(root)
    root.chmod(0o700)
    if not (root / "version").exists():
        write_atomically(root / "version", f"{FORMAT}\n")
    for name in _FOLDERS:
        (root / name).mkdir(mode=0o700, exist_ok=True)
        (root / name).chmod(0o700)
    probe = root / ".writable"
    probe.write_bytes(b"x" * 4096)
    probe.unlink()
    return Home(root, _sockets(root))


def lock(home: Home) -> int | None:
    """Become the only supervisor of this folder: a descriptor to keep open; None if there is one.

    The kernel gives the lock back when the holder dies, however it dies.
    """
    try:
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(home.lock, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # For people who look; a full disk does not take the lock away.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def lock_holder(home: Home) -> int | None:
    """Id of the supervisor that has the lock, or had it last."""
    try:
        return int(home.lock.read_text("ascii"))
    except (OSError, ValueError):
        return None


def wait_until_unlocked(home: Home, seconds: float) -> bool:
    """Wait for the end of the supervisor of this folder; False when it is still there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            descriptor = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
        else:
            return True
        finally:
            os.close(descriptor)
        time.sleep(0.02)


def load_options(home: Home) -> Options:
    """What the last `up` was given; defaults when there was none."""
    try:
        body: Any = json.loads(home.options.read_text("utf-8"))
        return Options(
            port_base=body.get("port_base"),
            replicas={str(k): int(v) for k, v in body.get("replicas", {}).items()},
            policy=body.get("policy"),
            bench=bool(body.get("bench")),
            observability=bool(body.get("observability", True)),
        )
    except FileNotFoundError:
        return Options()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StateError(
            f"{home.options} is damaged: {error}",
            "Delete that file; give --port-base and --replicas to titanium up again.",
        ) from None


def save_options(home: Home, options: Options) -> None:
    write_atomically(home.options, json.dumps(asdict(options), indent=1) + "\n")


def parse_replicas(values: tuple[str, ...]) -> dict[str, int]:
    """`("blog=2",)` as `{"blog": 2}`; UsageError on anything else."""
    replicas: dict[str, int] = {}
    for value in values:
        name, _, count = value.partition("=")
        if not name or not _fits(count):
            raise UsageError(
                f"--replicas {value}: expected SERVICE=N with N from 1 to {MAX_REPLICAS}",
                "For example: titanium up --replicas blog=2",
            )
        replicas[name] = int(count)
    return replicas


def _fits(count: str) -> bool:
    return count.isascii() and count.isdigit() and 1 <= int(count[:9]) <= MAX_REPLICAS


def delete(home: Home) -> None:
    """Remove everything that titanium made in the folder, and the folder when that was all."""
    try:
        if home.sockets is not None:
            shutil.rmtree(home.sockets, ignore_errors=True)
            (home.root / "run").unlink(missing_ok=True)
        for name in ("run", *_FOLDERS):
            if (home.root / name).exists():
                shutil.rmtree(home.root / name)
        for name in _FILES:
            (home.root / name).unlink(missing_ok=True)
        if not any(home.root.iterdir()):
            home.root.rmdir()
    except OSError as error:
        raise _unusable(home.root, error) from None


def _check_version(root: Path) -> None:
    """Nothing to say about a folder that does not exist yet or is empty."""
    try:
        if not root.exists() or _is_empty(root):
            return
        text = (root / "version").read_text("ascii").strip()
        version = int(text)
    except FileNotFoundError:
        raise StateError(
            f"{root} is not a state folder of titanium: it has files, but no file `version`",
            "Choose an empty or a new folder with --home.",
        ) from None
    except (ValueError, UnicodeDecodeError):
        raise StateError(
            f"{root / 'version'} is damaged: it should hold the number {FORMAT}",
            f"If this is a state folder of titanium, write {FORMAT} into that file.",
        ) from None
    except OSError as error:
        raise _unusable(root, error) from None
    if version > FORMAT:
        raise StateError(
            f"{root} was written by a newer titanium "
            f"(format {version}; this one knows up to {FORMAT})",
            "Update this checkout, or choose another folder with --home.",
        )


def _is_empty(root: Path) -> bool:
    """Whether nothing is there but what the making of a folder begins with."""
    return all(path.name == "lock" or path.name.startswith(".version.") for path in root.iterdir())


def scarce_space(root: Path) -> str:
    """What to say while the disk of `root` is nearly full; empty when there is room."""
    try:
        free = shutil.disk_usage(root).free
    except OSError:
        return ""
    if free >= _NEEDED_BYTES:
        return ""
    return (
        f"the disk of {root} has {free // 2**20} MiB left; on a full one writes are refused and "
        "programs stop. Next: free space (docs/runbooks/TitaniumDiskAlmostFull.md)"
    )


def _check_space(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < _NEEDED_BYTES:
        raise StateError(
            f"{root}: only {free // 2**20} MiB are free; "
            f"a first start needs {_NEEDED_BYTES // 2**20} MiB",
            "Free space, or choose a folder on another disk with --home.",
        )


def _sockets(root: Path) -> Path | None:
    """Where Unix sockets go: `run/`, or a short private folder that `run` then links to."""
    run = root / "run"
    if len(os.fsencode(run)) + _LONGEST_SOCKET <= SOCKET_LIMIT and not run.is_symlink():
        run.mkdir(mode=0o700, exist_ok=True)
        return None
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    short = run.readlink() if run.is_symlink() else None
    if short is None:
        short = Path(tempfile.gettempdir()) / f"titanium-{os.getuid()}-{digest}"
    if len(os.fsencode(short)) + _LONGEST_SOCKET > SOCKET_LIMIT:
        raise StateError(
            f"{root} is too deep: paths of Unix sockets may have {SOCKET_LIMIT} bytes, "
            f"and {short} is too long as well",
            "Choose a shorter folder with --home, or set TMPDIR to a short one.",
        )
    short.mkdir(mode=0o700, exist_ok=True)
    facts = short.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise StateError(
            f"{short} (for Unix sockets, because {root} is too deep) is not a private folder "
            "of this user",
            "Remove it, or choose a shorter folder with --home.",
        )
    if not run.is_symlink():
        if run.exists():
            run.rmdir()
        run.symlink_to(short)
    return short


def _unusable(path: Path, error: OSError) -> StateError:
    hint = "Choose a folder that you may write to with --home."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "Free space, or choose a folder on another disk with --home."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "Run as the user who owns it, or choose another folder with --home."
    elif error.errno in (errno.ENOTDIR, errno.EEXIST):
        hint = "Something else has that name; choose another folder with --home."
    return StateError(f"the state folder {path} cannot be used: {error.strerror}", hint)
