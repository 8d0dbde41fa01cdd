"""The certificates that Linkerd's control plane is installed with: an anchor and an issuer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from titanium.errors import StateError
from titanium.files import write_atomically

_ANCHOR, _ISSUER = timedelta(days=3650), timedelta(days=365)
_RENEWED = timedelta(days=30)
_DOMAIN = "linkerd.cluster.local"


def helm_arguments(folder: Path, now: datetime | None = None) -> list[str]:
    """Arguments for the control plane's chart; the files are made, and kept, in `folder` (0700).

    The anchor lasts ten years, the issuer one; an issuer near its end is replaced. Keys are
    passed as files, never as arguments.
    """
    moment = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    anchor, key = _load(folder, "ca", moment) or _make(folder, "ca", "root", _ANCHOR, None, moment)
    if _load(folder, "issuer", moment) is None:
        _make(folder, "issuer", "identity", _ISSUER, (anchor, key), moment)
    return [
        f"--set-file=identityTrustAnchorsPEM={folder / 'ca.crt'}",
        f"--set-file=identity.issuer.tls.crtPEM={folder / 'issuer.crt'}",
        f"--set-file=identity.issuer.tls.keyPEM={folder / 'issuer.key'}",
    ]


Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _load(folder: Path, name: str, now: datetime) -> Pair | None:
    """None when there is no such pair, or it is near its end."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    except FileNotFoundError:
        return None
    except ValueError:
        raise StateError(
            f"{folder}/{name}.crt or .key is damaged",
            "Restore both; or delete the folder and reinstall linkerd-control-plane.",
        ) from None
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we wrote it
    return (certificate, key) if certificate.not_valid_after_utc - now > _RENEWED else None


def _make(
    folder: Path, name: str, title: str, life: timedelta, parent: Pair | None, now: datetime
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{title}.{_DOMAIN}")])
    issuer, signer = (parent[0].subject, parent[1]) if parent else (subject, key)
    usage = x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    depth = 0 if parent else 1
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    write_atomically(folder / f"{name}.key", private.decode(), durable=True)
    write_atomically(folder / f"{name}.crt", certificate.public_bytes(pem).decode(), durable=True)
    return certificate, key
