"""The running platform's certificates are looked after, whoever issued them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from titanium import state
from titanium.checkout import checkout
from titanium.mesh import CertificateAuthority, write_document
from titanium.mesh.render.secrets import IDENTITY, render_certificate
from titanium.mesh.topology import identity_file
from titanium.supervise.platform import Platform

pytestmark = pytest.mark.integration


def test_certificates_past_half_their_life_are_renewed(tmp_path: Path) -> None:
    """What the supervisor's chore calls, each time with nothing in memory."""
    home = state.open_home(tmp_path / "home")
    platform = Platform.load(checkout(), home, state.Options())
    names = {*platform.catalog.names, "gateway", "gateway (https)"}
    assert set(platform.renew_certificates()) == names
    assert platform.renew_certificates() == ()
    issued = CertificateAuthority.open(home.certs).issue("blog", timedelta(hours=11))
    document = render_certificate(IDENTITY, issued.certificate, issued.key)
    write_document(identity_file(home.certs, "blog"), document)
    assert platform.renew_certificates() == ("blog",)
