"""A laptop's configuration file, and the same as a QR code for a telephone."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from titanium.errors import StateError, UsageError
from titanium.vpn.peers import Peer
from titanium.vpn.plan import Plan

PICTURES = (".png", ".svg")
# Long enough to save traffic, short enough that home routers keep the way open.
_KEEPALIVE_SECONDS = 25


@dataclass(frozen=True)
class Server:
    """What a laptop must know of the server: `host:port` and its public key."""

    endpoint: str
    public_key: str


def configuration(peer: Peer, plan: Plan, server: Server, private_key: str, dns: str | None) -> str:
    """The text of a file for `wg-quick` and for WireGuard's applications.

    Only the VPC goes through the tunnel; a laptop's other traffic stays where it was.
    """
    lines = [
        f"# {peer.name}: holds a private key; it belongs on one machine and in no message.",
        "[Interface]",
        f"Address = {peer.address}/32",
        f"PrivateKey = {private_key}",
        *([f"DNS = {dns}"] if dns else []),
        "",
        "[Peer]",
        f"PublicKey = {server.public_key}",
        f"Endpoint = {server.endpoint}",
        f"AllowedIPs = {plan.vpc}, {plan.server}/32",
        f"PersistentKeepalive = {_KEEPALIVE_SECONDS}",
    ]
    return "\n".join(lines) + "\n"


def write_private(path: Path, content: str | bytes) -> None:
    """A new file that its owner alone can read; UsageError when there is one, StateError else."""
    data = content.encode() if isinstance(content, str) else content
    if os.path.lexists(path):
        raise _exists(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, data)
    except OSError as error:
        if isinstance(error, FileExistsError) and error.filename == str(path):
            raise _exists(path) from None
        raise StateError(
            f"cannot write {path}: {error.strerror}", "Give another file. Nothing was changed."
        ) from None


def _write_new(path: Path, data: bytes) -> None:
    """All of it, or no file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"{path} exists: it may hold somebody's only copy of a key",
        "Move it away, or give another file.",
    )


def qr_text(configuration_text: str) -> str:
    """The QR code as characters for a terminal."""
    import segno

    out = io.StringIO()
    segno.make(configuration_text, error="l", micro=False).terminal(out=out, compact=True)
    return out.getvalue()


def qr_picture(configuration_text: str, suffix: str) -> bytes:
    """The QR code as the bytes of a `.png` or `.svg` file."""
    import segno

    out = io.BytesIO()
    code = segno.make(configuration_text, error="l", micro=False)
    code.save(out, kind=suffix.lstrip("."), scale=6)
    return out.getvalue()
