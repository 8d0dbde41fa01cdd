"""The mesh's certificate authority: short-lived certificates, renewed while proxies run.

Files in its folder (0700), all written in one step and readable by their owner only:
`ca/ca.pem` (key and certificate), `ca/ca.crt` (certificate alone, to trust in a browser),
`ca/previous.crt` (the CA before, until it expires), `sds-trust.json`, and for each identity
`<name>/sds-identity.json`; the gateway also has `sds-server.json` for its https listener.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from titanium.certificate_files import certificate_in
from titanium.errors import StateError
from titanium.layout import GATEWAY
from titanium.mesh.certificates import (
    Authority,
    Issued,
    certificate_pem,
    new_authority,
    read_authority,
)
from titanium.mesh.files import write_document, write_private
from titanium.mesh.render.secrets import IDENTITY, SERVER, render_certificate, render_trust
from titanium.mesh.topology import identity_file, server_certificate_file, trust_file

LONGEST_LIFETIME = timedelta(hours=24)
AUTHORITY_LIFETIME = timedelta(days=365)
AUTHORITY_RENEWAL = timedelta(days=30)


class CertificateAuthority:
    """Issues and renews the certificates of one state folder; use `open`."""

    def __init__(self, folder: Path, authority: Authority, lifetime: timedelta) -> None:
        self._folder = folder
        self._authority = authority
        self._lifetime = lifetime
        self._names: tuple[str, ...] = ()
        self._server: tuple[str, ...] = ()

    @classmethod
    def open(
        cls, folder: Path, *, lifetime: timedelta = LONGEST_LIFETIME, now: datetime | None = None
    ) -> CertificateAuthority:
        """Load the CA in `folder`, or create it; a CA near its end is replaced.

        `lifetime` is that of the certificates it issues, at most 24 hours (ValueError).
        Raises StateError when the files are damaged, foreign or from the future.
        """
        _check_lifetime(lifetime)
        moment = now or datetime.now(UTC)
        path = folder / "ca" / "ca.pem"
        authority = _load(path, moment) if path.exists() else _create(folder, moment, None)
        if _near_its_end(authority, moment):
            authority = _create(folder, moment, authority)
        _publish(folder, authority, moment)
        return cls(folder, authority, lifetime)

    @property
    def certificate_file(self) -> Path:
        """PEM file to trust when speaking https to the gateway."""
        return self._folder / "ca" / "ca.crt"

    def ensure(
        self, names: Iterable[str], server: Sequence[str] = (), now: datetime | None = None
    ) -> tuple[str, ...]:
        """Make sure that every identity has a valid certificate of this CA.

        `server` are the host names and addresses of the gateway's https listener. Returns
        the names that got a new certificate; from then on `renew_due` looks after all.
        """
        self._names = tuple(names)
        self._server = tuple(server)
        return self.renew_due(now)

    def renew_due(self, now: datetime | None = None) -> tuple[str, ...]:
        """Replace every certificate that has lived half its time, is damaged or foreign.

        Cheap when nothing is due. Running proxies notice the new files by themselves.
        """
        moment = now or datetime.now(UTC)
        if _near_its_end(self._authority, moment):
            self._authority = _create(self._folder, moment, self._authority)
            _publish(self._folder, self._authority, moment)
        renewed = []
        for name in self._names:
            path = identity_file(self._folder, name)
            if self._due(path, moment):
                issued = self.issue(name, self._lifetime, now=moment)
                document = render_certificate(IDENTITY, issued.certificate, issued.key)
                write_document(path, document)
                renewed.append(name)
        path = server_certificate_file(self._folder)
        if self._server and self._due(path, moment):
            issued = self.issue_server(self._server, self._lifetime, now=moment)
            write_document(path, render_certificate(SERVER, issued.certificate, issued.key))
            renewed.append(f"{GATEWAY} (https)")
        return tuple(renewed)

    def issue(self, name: str, lifetime: timedelta, *, now: datetime | None = None) -> Issued:
        """A certificate for one identity, for both ends of a mesh connection."""
        _check_lifetime(lifetime)
        return self._authority.identity(name, now or datetime.now(UTC), lifetime)

    def issue_server(
        self, hosts: Sequence[str], lifetime: timedelta, *, now: datetime | None = None
    ) -> Issued:
        """A certificate for an https listener reached under these names and addresses."""
        _check_lifetime(lifetime)
        return self._authority.server(hosts, now or datetime.now(UTC), lifetime)

    def _due(self, path: Path, now: datetime) -> bool:
        certificate = certificate_in(path)
        if certificate is None or certificate.not_valid_before_utc > now:
            return True
        if certificate.not_valid_after_utc - now <= self._lifetime / 2:
            return True
        return not self._authority.issued(certificate)


def _check_lifetime(lifetime: timedelta) -> None:
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise ValueError(f"a certificate lives at most {LONGEST_LIFETIME}, not {lifetime}")


def _near_its_end(authority: Authority, now: datetime) -> bool:
    return authority.certificate.not_valid_after_utc - now < AUTHORITY_RENEWAL


def _create(folder: Path, now: datetime, previous: Authority | None) -> Authority:
    """A new CA; the one before stays trusted until its certificates are gone."""
    authority = new_authority(now, AUTHORITY_LIFETIME)
    if previous is not None:
        old = certificate_pem(previous.certificate)
        write_private(folder / "ca" / "previous.crt", old.encode())
        # Proxies learn to trust the new CA before they meet a certificate of it.
        _publish(folder, authority, now)
    write_private(folder / "ca" / "ca.pem", authority.pem.encode())
    return authority


def _load(path: Path, now: datetime) -> Authority:
    hint = f"delete the folder {path.parent} and start again: every certificate is issued anew"
    try:
        authority = read_authority(path.read_bytes())
        path.chmod(0o600)
    except OSError as error:
        raise StateError(
            f"{path}: cannot be read: {error.strerror}", "check the permissions of the state folder"
        ) from error
    except ValueError:
        raise StateError(f"{path}: the certificate authority is damaged", hint) from None
    if authority is None:
        raise StateError(f"{path}: not a certificate authority of this platform", hint)
    start = authority.certificate.not_valid_before_utc
    if start > now:
        raise StateError(
            f"{path}: valid only from {start:%Y-%m-%d %H:%M} UTC on",
            f"correct this machine's clock, or {hint}",
        )
    return authority


def _publish(folder: Path, authority: Authority, now: datetime) -> None:
    """Bring the public files in line with the CA; touches only what differs."""
    current = certificate_pem(authority.certificate)
    trusted = current + _still_trusted(folder / "ca" / "previous.crt", now)
    document = render_trust(trusted)
    if _json_in(trust_file(folder)) != document:
        write_document(trust_file(folder), document)
    write_private(folder / "ca" / "ca.crt", current.encode())


def _still_trusted(previous: Path, now: datetime) -> str:
    """The CA before this one, while it is valid; empty when there is none to be read."""
    try:
        certificate = x509.load_pem_x509_certificate(previous.read_bytes())
    except (OSError, ValueError):
        return ""
    return certificate_pem(certificate) if certificate.not_valid_after_utc > now else ""


def _json_in(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
