"""Envoy takes the demonstration's configuration."""

from __future__ import annotations

import subprocess

import pytest

from tests.manifests.support import MANIFESTS
from titanium.errors import ToolMissingError
from titanium.tools import find_envoy

pytestmark = pytest.mark.integration


def test_envoy_accepts_the_edges_configuration() -> None:
    """The Envoy of this machine, which may be newer than the image's."""
    try:
        envoy = find_envoy()
    except ToolMissingError as error:
        pytest.skip(error.message)
    done = subprocess.run(
        [str(envoy), "--mode", "validate", "--config-path", str(MANIFESTS / "bookinfo/envoy.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
