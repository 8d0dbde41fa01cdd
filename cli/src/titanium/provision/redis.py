"""Redis of a local run: configuration and users, as text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from titanium.layout import Home

ADMIN = "titanium"
# The exporter's user: it may ask for figures and for nothing else.
MONITOR = "monitor"


def quote(path: Path) -> str:
    """A path as a redis.conf argument."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def configuration(home: Home, acl_file: Path) -> str:
    """redis.conf: a cache behind a Unix socket; nothing is written to disk."""
    return f"""\
# Rendered by titanium up. Redis is a cache and a message channel: its loss loses nothing.
port 0
unixsocket {quote(home.redis_socket)}
unixsocketperm 700
dir {quote(home.data / "redis")}
aclfile {quote(acl_file)}
databases 1
save ""
appendonly no
maxmemory 32mb
maxmemory-policy volatile-ttl
maxclients 500
timeout 0
daemonize no
set-proc-title no
logfile ""
loglevel notice
"""


def users(passwords: Mapping[str, str], admin_password: str, monitor_password: str) -> str:
    """ACL file: nobody by default; a service sees keys and channels under its own name only."""
    lines = [
        "user default off resetkeys resetchannels -@all",
        f"user {ADMIN} on #{_hash(admin_password)} ~* &* +@all",
        f"user {MONITOR} on #{_hash(monitor_password)} resetkeys resetchannels -@all +info",
    ]
    lines += [
        f"user {service} on #{_hash(password)} resetkeys ~{service}:* resetchannels &{service}:* "
        "+@all -@admin -@dangerous +client|setname +client|setinfo +client|id +client|tracking"
        for service, password in sorted(passwords.items())
    ]
    return "\n".join(lines) + "\n"


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
