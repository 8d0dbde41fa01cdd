"""PostgreSQL runs neither as root nor as a user without a name: what lets it start all the same."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from titanium.errors import StateError

# In a user namespace of its own the same process is "nobody" to itself: files stay the
# starter's, the pid stays the same, and nothing outside changes.
NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")


def database_prefix(program: Path, folders: tuple[Path, ...]) -> tuple[str, ...]:
    """Words before a PostgreSQL command line; empty for an ordinary user.

    Where user namespaces are forbidden, root falls back on the account postgres or nobody
    and gives it `folders`. StateError when that account cannot reach the program or them.
    """
    user = os.geteuid()
    if user != 0 and _has_name(user):
        return ()
    if _works((*NAMESPACE, str(program), "--version")):
        return NAMESPACE
    if user != 0:
        raise StateError(
            f"PostgreSQL does not run for user {user}, who has no name in /etc/passwd, "
            "and this system allows no user namespaces",
            "Run titanium as a user who has a name.",
        )
    for name in ("postgres", "nobody"):
        prefix = _account_prefix(name)
        if prefix and _works((*prefix, str(program), "--version")):
            _hand_over(name, prefix, folders)
            return prefix
    raise StateError(
        "PostgreSQL does not run as root, and this system allows neither user namespaces "
        f"nor another account to run {program}",
        "Run titanium as an ordinary user, from a checkout that this user can read.",
    )


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _account_prefix(name: str) -> tuple[str, ...]:
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return ()
    if shutil.which("setpriv") is None:
        return ()
    return (
        "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--",
    )


def _hand_over(name: str, prefix: tuple[str, ...], folders: tuple[Path, ...]) -> None:
    account = pwd.getpwnam(name)
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        if not _works((*prefix, "test", "-w", str(folder))):
            raise StateError(
                f"PostgreSQL does not run as root, and the account {name} cannot reach {folder}",
                "Choose a state folder that others may enter (--home /var/lib/titanium), "
                "or run titanium as an ordinary user.",
            )


def _works(command: tuple[str, ...]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
