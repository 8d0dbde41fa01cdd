"""A run to be scraped: a real PostgreSQL, a real Redis, and a supervisor's control socket."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli.tests.exporter.support import StandIn
from titanium.layout import Home
from titanium.mesh import CertificateAuthority
from titanium.provision import postgres as postgres_text
from titanium.provision import redis as redis_text
from titanium.provision.secret_files import secret
from titanium.supervise import probe
from titanium.supervise.process import Process
from titanium.supervise.spec import RedisProbe
from titanium.tools import find_postgres_bin, find_redis


@pytest.fixture
def home(short_folder: Path) -> Home:
    """A state folder as `up` leaves it, with certificates and secrets."""
    made = Home(short_folder)
    for folder in (made.data / "redis", made.logs, made.run / "redis", made.config):
        folder.mkdir(mode=0o700, parents=True)
    made.version.write_text("1\n")
    secret(made.secret("observability", "scrape_token"))
    CertificateAuthority.open(made.certs).ensure(("blog", "gateway"), server=("localhost",))
    return made


@pytest.fixture
async def supervisor(home: Home) -> AsyncIterator[StandIn]:
    made = StandIn(home)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def database(postgres: Any, home: Home) -> Any:
    """The session's PostgreSQL, provisioned as the platform's and reached over its socket."""
    password = secret(home.secret("exporter", "database_password"))
    script = home.config / "provision.sql"
    seen = postgres_text.Database("observed", "runtime", "owner")
    script.write_text(postgres_text.provision_sql([seen], password))
    subprocess.run(
        [
            *(str(find_postgres_bin() / "psql"), "-X", "-q", "-f", str(script)),
            *("-h", str(postgres.folder), "-U", "titanium", "-d", "postgres"),
        ],
        check=True,
        env={**os.environ, "PGPASSWORD": postgres.password},
    )
    home.postgres_sockets.symlink_to(postgres.folder)
    return postgres


@pytest.fixture
async def redis(home: Home) -> AsyncIterator[Process]:
    """A Redis with the platform's configuration and users; the test may stop it."""
    monitor = secret(home.secret("exporter", "redis_password"))
    acl, configuration = home.config / "users.acl", home.config / "redis.conf"
    acl.write_text(redis_text.users({"blog": "pw"}, "admin", monitor))
    configuration.write_text(redis_text.configuration(home, acl))
    server = Process.start(
        (str(find_redis()), str(configuration)), folder=home.root, log=home.log("redis"), env={}
    )
    async with asyncio.timeout(20):
        while not (await probe.ask(RedisProbe(home.redis_socket))).ready:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    yield server
    await server.stop(signal.SIGTERM, 5)
