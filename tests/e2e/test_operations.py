"""What an operator does to a platform that does not start."""

from __future__ import annotations

import socket

import pytest

from tests.support import free_port_base, running_platform

pytestmark = pytest.mark.e2e

UNHEALTHY = 3
BUSY = 5


def test_a_start_that_failed_is_not_remembered_and_lost_keys_are_replaced() -> None:
    """A busy port is no option for the next start; `keys discard` helps when auth cannot start."""
    with running_platform("--no-seed") as platform:
        person = platform.register("before")
        platform.down()

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", free_port_base()))
            taken.listen()
            port = str(taken.getsockname()[1])
            refused = platform.titanium("up", "-d", "--port-base", port, check=False)
        assert refused.returncode == BUSY
        assert port in refused.stderr

        key = platform.home / "secrets" / "auth" / "key_encryption_key"
        key.write_text("lost, and replaced by another text of some length")
        broken = platform.titanium("up", "-d", check=False)
        assert broken.returncode == UNHEALTHY
        assert "titanium keys discard" in broken.stdout + broken.stderr

        platform.titanium("keys", "discard", "--yes")
        platform.titanium("up", "-d")
        assert platform.healthy(), "on the port of the start that succeeded"
        assert platform.client.get("/api/users/me", headers=person.bearer).status_code == 401
        platform.login(person)
        assert platform.client.get("/api/users/me", headers=person.bearer).status_code == 200
