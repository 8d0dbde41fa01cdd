"""The certificate authority: what it issues, when it renews, what it does about damage."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from titanium.errors import StateError
from titanium.mesh.ca import CertificateAuthority
from titanium.mesh.topology import identity_file, server_certificate_file, trust_file

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = ("blog", "gateway")


def certificate(path: Path) -> x509.Certificate:
    content = json.loads(path.read_text())["resources"][0]["tls_certificate"]
    return x509.load_pem_x509_certificate(content["certificate_chain"]["inline_string"].encode())


def trusted(folder: Path) -> list[x509.Certificate]:
    content = json.loads(trust_file(folder).read_text())["resources"][0]["validation_context"]
    return x509.load_pem_x509_certificates(content["trusted_ca"]["inline_string"].encode())


def test_an_identity_is_a_spiffe_id_on_p256_for_both_ends(tmp_path: Path) -> None:
    authority = CertificateAuthority.open(tmp_path, now=NOW)
    assert authority.ensure(NAMES, now=NOW) == NAMES
    found = certificate(identity_file(tmp_path, "blog"))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://titanium.local/ns/titanium/sa/blog"
    ]
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    found.verify_directly_issued_by(trusted(tmp_path)[0])


def test_bar_39_no_certificate_lives_longer_than_24_hours(tmp_path: Path) -> None:
    authority = CertificateAuthority.open(tmp_path, now=NOW)
    authority.ensure(NAMES, server=["localhost", "127.0.0.1"], now=NOW)
    for path in (identity_file(tmp_path, "blog"), server_certificate_file(tmp_path)):
        found = certificate(path)
        lifetime = found.not_valid_after_utc - found.not_valid_before_utc
        assert lifetime <= timedelta(hours=24)
    for lifetime in (timedelta(hours=25), timedelta(0), timedelta(seconds=-1)):
        with pytest.raises(ValueError, match="at most"):
            CertificateAuthority.open(tmp_path, lifetime=lifetime)
        with pytest.raises(ValueError, match="at most"):
            authority.issue("blog", lifetime)


def test_the_https_certificate_names_hosts_and_addresses(tmp_path: Path) -> None:
    authority = CertificateAuthority.open(tmp_path, now=NOW)
    renewed = authority.ensure(["gateway"], server=["localhost", "127.0.0.1"], now=NOW)
    assert renewed == ("gateway", "gateway (https)")
    found = certificate(server_certificate_file(tmp_path))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_renewal_happens_at_half_life_and_not_before(tmp_path: Path) -> None:
    authority = CertificateAuthority.open(tmp_path, lifetime=timedelta(hours=10), now=NOW)
    authority.ensure(NAMES, now=NOW)
    before = identity_file(tmp_path, "blog").read_bytes()
    assert authority.renew_due(NOW + timedelta(hours=4, minutes=59)) == ()
    assert identity_file(tmp_path, "blog").read_bytes() == before
    assert authority.renew_due(NOW + timedelta(hours=5)) == NAMES
    assert identity_file(tmp_path, "blog").read_bytes() != before


def test_a_second_start_issues_nothing(tmp_path: Path) -> None:
    CertificateAuthority.open(tmp_path, now=NOW).ensure(NAMES, now=NOW)
    before = trust_file(tmp_path).stat().st_mtime_ns
    assert CertificateAuthority.open(tmp_path, now=NOW).ensure(NAMES, now=NOW) == ()
    assert trust_file(tmp_path).stat().st_mtime_ns == before


def test_every_file_with_a_key_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    authority = CertificateAuthority.open(folder, now=NOW)
    authority.ensure(NAMES, server=["localhost"], now=NOW)
    (folder / "ca" / "ca.pem").chmod(0o644)
    CertificateAuthority.open(folder, now=NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path
            assert not path.name.startswith("."), "no temporary file is left"


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b'{"resources":[]}', b"{}", b"[1]"])
def test_a_damaged_identity_is_issued_anew(tmp_path: Path, content: bytes) -> None:
    authority = CertificateAuthority.open(tmp_path, now=NOW)
    authority.ensure(NAMES, now=NOW)
    identity_file(tmp_path, "blog").write_bytes(content)
    assert authority.renew_due(NOW) == ("blog",)


def test_a_certificate_from_the_future_is_issued_anew(tmp_path: Path) -> None:
    authority = CertificateAuthority.open(tmp_path, now=NOW)
    authority.ensure(NAMES, now=NOW + timedelta(hours=1))
    assert authority.renew_due(NOW) == NAMES


def test_certificates_of_another_authority_are_issued_anew(tmp_path: Path) -> None:
    CertificateAuthority.open(tmp_path, now=NOW).ensure(NAMES, now=NOW)
    for path in (tmp_path / "ca").iterdir():
        path.unlink()
    assert CertificateAuthority.open(tmp_path, now=NOW).ensure(NAMES, now=NOW) == NAMES
    found = certificate(identity_file(tmp_path, "blog"))
    found.verify_directly_issued_by(trusted(tmp_path)[0])


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_authority_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    CertificateAuthority.open(tmp_path, now=NOW)
    (tmp_path / "ca" / "ca.pem").write_bytes(content)
    with pytest.raises(StateError, match="damaged") as caught:
        CertificateAuthority.open(tmp_path, now=NOW)
    assert f"delete the folder {tmp_path / 'ca'}" in caught.value.hint


def test_a_key_that_does_not_fit_its_certificate_is_refused(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    CertificateAuthority.open(one, now=NOW)
    CertificateAuthority.open(other, now=NOW)
    key = (one / "ca" / "ca.pem").read_text().partition("-----BEGIN CERTIFICATE")[0]
    (one / "ca" / "ca.pem").write_text(key + (other / "ca" / "ca.crt").read_text())
    with pytest.raises(StateError, match="not a certificate authority of this platform"):
        CertificateAuthority.open(one, now=NOW)


def test_a_leaf_in_the_place_of_the_authority_is_refused(tmp_path: Path) -> None:
    issued = CertificateAuthority.open(tmp_path, now=NOW).issue("blog", timedelta(hours=1), now=NOW)
    (tmp_path / "ca" / "ca.pem").write_text(issued.key + issued.certificate)
    with pytest.raises(StateError, match="not a certificate authority"):
        CertificateAuthority.open(tmp_path, now=NOW)


def test_an_authority_from_the_future_points_at_the_clock(tmp_path: Path) -> None:
    CertificateAuthority.open(tmp_path, now=NOW + timedelta(days=2))
    with pytest.raises(StateError, match="valid only from") as caught:
        CertificateAuthority.open(tmp_path, now=NOW)
    assert "clock" in caught.value.hint


def test_an_expired_authority_is_replaced_and_not_trusted_any_more(tmp_path: Path) -> None:
    CertificateAuthority.open(tmp_path, now=NOW - timedelta(days=400))
    CertificateAuthority.open(tmp_path, now=NOW)
    assert len(trusted(tmp_path)) == 1


def test_an_authority_near_its_end_is_replaced_while_running(tmp_path: Path) -> None:
    """Both are trusted until every certificate of the first is gone."""
    authority = CertificateAuthority.open(tmp_path, now=NOW)
    authority.ensure(NAMES, now=NOW)
    later = NOW + timedelta(days=340)
    assert authority.renew_due(later) == NAMES
    assert len(trusted(tmp_path)) == 2
    assert CertificateAuthority.open(tmp_path, now=later).ensure(NAMES, now=later) == ()
    assert len(trusted(tmp_path)) == 2


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "certs"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(StateError, match="cannot be written"):
        CertificateAuthority.open(blocked, now=NOW)


def test_an_authority_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "ca" / "ca.pem").mkdir(parents=True)
    with pytest.raises(StateError, match="cannot be read"):
        CertificateAuthority.open(tmp_path, now=NOW)
