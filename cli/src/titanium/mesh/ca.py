"""The mesh's certificate authority: short-lived certificates, renewed while proxies run.

Files in its folder (0700), all written in one step and readable by their owner only:
`ca/ca.pem` (key and certificate), `ca/ca.crt` (certificate alone, to trust in a browser),
`ca/previous.crt` (the CA before, until it expires), `sds-trust.json`, and for each identity
`<name>/sds-identity.json`; the gateway also has `sds-server.json` for its https listener.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from titanium.errors import StateError
from titanium.layout import GATEWAY
from titanium.mesh.files import write_document, write_private
from titanium.mesh.identity import TRUST_DOMAIN, spiffe_id
from titanium.mesh.render.secrets import IDENTITY, SERVER, render_certificate, render_trust
from titanium.mesh.topology import identity_file, server_certificate_file, trust_file

LONGEST_LIFETIME = timedelta(hours=24)
AUTHORITY_LIFETIME = timedelta(days=365)
AUTHORITY_RENEWAL = timedelta(days=30)
# A browser that is told to trust this CA trusts it for this machine only.
LOCAL_NAMES = ("localhost",)
LOCAL_NETWORKS = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, PEM."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class CertificateAuthority:
    """Issues and renews the certificates of one state folder; use `open`."""

    def __init__(self, folder: Path, authority: _Authority, lifetime: timedelta) -> None:
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
        if authority.certificate.not_valid_after_utc - moment < AUTHORITY_RENEWAL:
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
        if self._authority.certificate.not_valid_after_utc - moment < AUTHORITY_RENEWAL:
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
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(spiffe_id(name))]
        return self._sign(name, names, usages, lifetime, now)

    def issue_server(
        self, hosts: Sequence[str], lifetime: timedelta, *, now: datetime | None = None
    ) -> Issued:
        """A certificate for an https listener reached under these names and addresses."""
        names = [_host_name(host) for host in hosts]
        return self._sign(hosts[0], names, [ExtendedKeyUsageOID.SERVER_AUTH], lifetime, now)

    def _sign(
        self,
        common_name: str,
        names: Sequence[x509.GeneralName],
        usages: Sequence[x509.ObjectIdentifier],
        lifetime: timedelta,
        now: datetime | None,
    ) -> Issued:
        _check_lifetime(lifetime)
        start = (now or datetime.now(UTC)).replace(microsecond=0)
        key = ec.generate_private_key(ec.SECP256R1())
        ca_key = self._authority.key.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(self._authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lifetime)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key), False)
            .sign(self._authority.key, hashes.SHA256())
        )
        return Issued(_pem(certificate), _key_pem(key))

    def _due(self, path: Path, now: datetime) -> bool:
        certificate = _certificate_in(path)
        if certificate is None or certificate.not_valid_before_utc > now:
            return True
        if certificate.not_valid_after_utc - now <= self._lifetime / 2:
            return True
        try:
            certificate.verify_directly_issued_by(self._authority.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return True
        return False


def _check_lifetime(lifetime: timedelta) -> None:
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise ValueError(f"a certificate lives at most {LONGEST_LIFETIME}, not {lifetime}")


def _create(folder: Path, now: datetime, previous: _Authority | None) -> _Authority:
    """A new CA; the one before stays trusted until its certificates are gone."""
    start = now.replace(microsecond=0)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Titanium"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Titanium local CA {start:%Y-%m-%d}"),
        ]
    )
    permitted: list[x509.GeneralName] = [x509.UniformResourceIdentifier(TRUST_DOMAIN)]
    permitted += [x509.DNSName(name) for name in LOCAL_NAMES]
    permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in LOCAL_NETWORKS]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    authority = _Authority(certificate, key)
    if previous is not None:
        write_private(folder / "ca" / "previous.crt", _pem(previous.certificate).encode())
        # Proxies learn to trust the new CA before they meet a certificate of it.
        _publish(folder, authority, now)
    write_private(folder / "ca" / "ca.pem", (_key_pem(key) + _pem(certificate)).encode())
    return authority


def _load(path: Path, now: datetime) -> _Authority:
    hint = f"delete the folder {path.parent} and start again: every certificate is issued anew"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(
            f"{path}: cannot be read: {error.strerror}", "check the permissions of the state folder"
        ) from error
    try:
        key = serialization.load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError):
        raise StateError(f"{path}: the certificate authority is damaged", hint) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not _belongs(certificate, key):
        raise StateError(f"{path}: not a certificate authority of this platform", hint)
    if certificate.not_valid_before_utc > now:
        raise StateError(
            f"{path}: valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on",
            f"correct this machine's clock, or {hint}",
        )
    path.chmod(0o600)
    return _Authority(certificate, key)


def _belongs(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.value.ca and certificate.public_key() == key.public_key()


def _publish(folder: Path, authority: _Authority, now: datetime) -> None:
    """Bring the public files in line with the CA; touches only what differs."""
    current = _pem(authority.certificate)
    trusted = current
    previous = folder / "ca" / "previous.crt"
    try:
        certificate = x509.load_pem_x509_certificate(previous.read_bytes())
        if certificate.not_valid_after_utc > now:
            trusted += _pem(certificate)
    except (OSError, ValueError):
        pass  # no CA before this one, or none that can be read: nothing more to trust
    document = render_trust(trusted)
    if _json_in(trust_file(folder)) != document:
        write_document(trust_file(folder), document)
    write_private(folder / "ca" / "ca.crt", current.encode())


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _json_in(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _certificate_in(path: Path) -> x509.Certificate | None:
    """The certificate in an SDS file; None when there is none that can be read."""
    try:
        document = json.loads(path.read_bytes())
        pem = document["resources"][0]["tls_certificate"]["certificate_chain"]["inline_string"]
        return x509.load_pem_x509_certificate(pem.encode())
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
