"""`.env.k8s`: how to reach a cluster with a ServiceAccount's token."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from titanium.errors import ConfigurationError

FILE = ".env.k8s"
SERVER, TOKEN, CA, CA_FILE = "K8S_API_SERVER", "K8S_TOKEN", "K8S_CA_CERT", "K8S_CA_FILE"
_KEYS = (SERVER, TOKEN, CA, CA_FILE)
_OTHERS_MAY_READ = 0o077


@dataclass(frozen=True, slots=True)
class Access:
    """Address, token and certificate authority (PEM) of a cluster. Never shown."""

    server: str
    token: str
    ca: bytes

    def __repr__(self) -> str:
        return f"Access({self.server})"


def load(path: Path) -> Access:
    """Read and check the file. ConfigurationError names file and key, never a value."""
    values = _values(path)
    server = values.get(SERVER, "")
    parts = urlsplit(server)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise _wrong(path, SERVER, "is not an address like https://203.0.113.10:6443")
    return Access(server.rstrip("/"), _token(path, values.get(TOKEN, "")), _ca(path, values))


def _values(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_mode & _OTHERS_MAY_READ:
            raise ConfigurationError(
                f"{path} can be read by others, and it holds a token", f"Run: chmod 600 {path}"
            )
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no {path}",
            f"Copy .env.k8s.example to {FILE}, run chmod 600 {FILE} and fill it in.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {type(error).__name__}") from None
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        key, separator, value = line.partition("=")
        if not separator or key.strip() not in _KEYS:
            raise ConfigurationError(
                f"{path}, line {number}: not one of {', '.join(_KEYS)}, written as KEY=value",
                "Compare with .env.k8s.example.",
            )
        values[key.strip()] = value.strip().strip("\"'")
    return values


def _token(path: Path, token: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{16,}", token):
        raise _wrong(path, TOKEN, "is missing, or is not a token")
    expiry = _expiry(token)
    if expiry is not None and expiry < time.time():
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expiry))
        raise _wrong(path, TOKEN, f"expired on {when}; make a new one (kubectl create token)")
    return token


def _expiry(token: str) -> float | None:
    """When a ServiceAccount's token ends (epoch seconds); None when it does not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None


def _ca(path: Path, values: dict[str, str]) -> bytes:
    encoded, name = values.get(CA, ""), values.get(CA_FILE, "")
    if bool(encoded) == bool(name):
        raise _wrong(path, CA, f"or {CA_FILE} must be given, and one of them only")
    if encoded:
        key = CA
        try:
            pem = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise _wrong(path, CA, "is not base64; take the cluster's ca.crt, base64 -w0") from None
    else:
        key, file = CA_FILE, path.parent / Path(name).expanduser()
        try:
            pem = file.read_bytes()
        except OSError as error:
            raise _wrong(path, CA_FILE, f"names {file}: {error.strerror}") from None
    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise _wrong(path, key, "does not hold a certificate in PEM form") from None
    return pem


def _wrong(path: Path, key: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: {key} {what}", f"Correct {key}; see .env.k8s.example.")
