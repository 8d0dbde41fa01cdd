"""X.509 building blocks of the mesh's certificate authority; nothing here touches the disk."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from titanium.mesh.identity import TRUST_DOMAIN, spiffe_id

# A browser that is told to trust this CA trusts it for this machine only.
LOCAL_NAMES = ("localhost",)
LOCAL_NETWORKS = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, PEM."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA's certificate and private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """Key and certificate in one text."""
        return _key_pem(self.key) + certificate_pem(self.certificate)

    def identity(self, name: str, start: datetime, lifetime: timedelta) -> Issued:
        """A certificate for one identity, for both ends of a mesh connection."""
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(spiffe_id(name))]
        return self._sign(name, names, usages, start, lifetime)

    def server(self, hosts: Sequence[str], start: datetime, lifetime: timedelta) -> Issued:
        """A certificate for an https listener reached under these names and addresses."""
        names = [_host_name(host) for host in hosts]
        return self._sign(hosts[0], names, [ExtendedKeyUsageOID.SERVER_AUTH], start, lifetime)

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether this CA signed `certificate`."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True

    def _sign(
        self,
        common_name: str,
        names: Sequence[x509.GeneralName],
        usages: Sequence[x509.ObjectIdentifier],
        start: datetime,
        lifetime: timedelta,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(_name(common_name), self.certificate.subject, key, start, lifetime)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Issued(certificate_pem(certificate), _key_pem(key))


def new_authority(start: datetime, lifetime: timedelta) -> Authority:
    """A self-signed CA for our identities and this machine's own names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"Titanium local CA {start:%Y-%m-%d}")
    permitted: list[x509.GeneralName] = [x509.UniformResourceIdentifier(TRUST_DOMAIN)]
    permitted += [x509.DNSName(name) for name in LOCAL_NAMES]
    permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in LOCAL_NETWORKS]
    certificate = (
        _builder(subject, subject, key, start, lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def read_authority(pem: bytes) -> Authority | None:
    """The CA in a text of key and certificate; None when they do not belong together.

    Raises ValueError when the text is damaged.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:  # a key with a password: not ours, and of no use
        raise ValueError(str(error)) from error
    certificate = x509.load_pem_x509_certificate(pem)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not constraints.value.ca:
        return None
    return Authority(certificate, key) if certificate.public_key() == key.public_key() else None


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    start: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    first = start.replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(first + lifetime)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Titanium"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


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


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
