"""What is written for PostgreSQL and Redis, and that the real servers obey it."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from titanium.errors import StateError
from titanium.layout import Home
from titanium.provision import postgres as text
from titanium.provision import redis as redis_text
from titanium.provision.account import database_prefix
from titanium.provision.cluster import clear_remains, create_cluster, major_version
from titanium.provision.secret_files import secret
from titanium.supervise import probe
from titanium.supervise.process import Process
from titanium.supervise.spec import PostgresProbe, RedisProbe
from titanium.tools import find_postgres_bin, find_redis


@pytest.mark.unit
def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "blog" / "database_password"
    value = secret(path)
    assert len(value) == 43
    assert secret(path) == value
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("")
    with pytest.raises(StateError, match="is empty"):
        secret(path)


@pytest.mark.unit
def test_a_scram_verifier_matches_the_rfc() -> None:
    """The example of RFC 7677."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert text.scram_verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.unit
def test_names_and_values_are_quoted() -> None:
    assert text.identifier('us"er') == '"us""er"'
    assert text.literal("it's") == "'it''s'"
    assert text.quote_setting(Path("/it's")) == "'/it''s'"
    assert redis_text.quote(Path('/a "b"')) == '"/a \\"b\\""'


@pytest.mark.unit
def test_no_password_is_written_into_configuration(tmp_path: Path) -> None:
    database = text.Database("user", "runtime-password", "owner-password")
    home = Home(tmp_path)
    written = (
        text.provision_sql([database], "monitor-password")
        + text.configuration(home, tmp_path, 18)
        + redis_text.configuration(home, tmp_path)
        + redis_text.users({"user": "runtime-password"}, "admin-password", "monitor-password")
    )
    assert "-password" not in written


def run_psql(postgres: Any, script: Path) -> None:
    subprocess.run(
        [
            *(str(find_postgres_bin() / "psql"), "-X", "-q", "-f", str(script)),
            *("-h", str(postgres.folder), "-U", "titanium", "-d", "postgres"),
        ],
        check=True,
        env={**os.environ, "PGPASSWORD": postgres.password},
    )


@pytest.mark.integration
async def test_roles_may_do_what_they_need_and_no_more(postgres: Any, tmp_path: Path) -> None:
    databases = [
        text.Database("user", "user-runtime", "user-owner"),
        text.Database("shop", "shop-runtime", "shop-owner"),
    ]
    script = tmp_path / "provision.sql"
    for _ in range(2):
        script.write_text(text.provision_sql(databases, "monitor"))
        run_psql(postgres, script)

    async def connect(user: str, password: str, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(postgres.folder), user=user, password=password, database=database
        )

    owner = await connect("user_owner", "user-owner", "user")
    await owner.execute("CREATE TABLE t (id bigserial PRIMARY KEY, x text)")
    await owner.close()
    runtime = await connect("user", "user-runtime", "user")
    await runtime.execute("INSERT INTO t (x) VALUES ('a')")
    assert await runtime.fetchval("SELECT x FROM t") == "a"
    for forbidden in ("CREATE TABLE u (x int)", "DROP TABLE t", "TRUNCATE t", "CREATE ROLE x"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.execute(forbidden)
    await runtime.close()
    for database in ("shop", "postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connect("user", "user-runtime", database)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect("user", "wrong", "user")


@pytest.fixture
def home(short_folder: Path) -> Home:
    home = Home(short_folder)
    for folder in (home.data, home.logs, home.run, home.postgres_sockets, home.data / "redis"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home.run / "redis").mkdir()
    return home


async def until_ready(asked: PostgresProbe | RedisProbe, process: Process) -> None:
    async with asyncio.timeout(20):
        while not (await probe.ask(asked)).ready:
            assert process.running
            await asyncio.sleep(0.05)


@pytest.mark.integration
async def test_redis_users_reach_only_their_own_keys_and_channels(home: Home) -> None:
    from redis.asyncio import Redis
    from redis.exceptions import NoPermissionError, RedisError

    acl, configuration = home.root / "users.acl", home.root / "redis.conf"
    acl.write_text(redis_text.users({"blog": "pw", "user": "pw2"}, "admin", "monitor"))
    configuration.write_text(redis_text.configuration(home, acl))
    server = Process.start(
        (str(find_redis()), str(configuration)), folder=home.root, log=home.log("redis"), env={}
    )
    try:
        await until_ready(RedisProbe(home.redis_socket), server)
        path = str(home.redis_socket)
        async with Redis(unix_socket_path=path, username="blog", password="pw") as blog:
            await blog.set("blog:x", "1")
            assert await blog.get("blog:x") == b"1"
            await blog.publish("blog:invalidate", "x")
            for refused in (
                blog.get("user:x"),
                blog.publish("user:invalidate", "x"),
                blog.flushall(),
                blog.keys("*"),
                blog.config_get("*"),
            ):
                with pytest.raises(NoPermissionError):
                    await refused
        async with Redis(unix_socket_path=path) as anybody:
            with pytest.raises(RedisError):
                await anybody.get("blog:x")
        assert home.redis_socket.stat().st_mode & 0o777 == 0o700
    finally:
        await server.stop(signal.SIGTERM, 5)


def make_cluster(home: Home) -> tuple[str, ...]:
    """A data folder and its configuration; the command line of its server."""
    programs = find_postgres_bin()
    prefix = database_prefix(programs / "postgres", (home.data, home.postgres_sockets))
    password = home.root / "password"
    password.write_text("pw")
    assert create_cluster(programs, home.postgres_data, password, prefix)
    assert not create_cluster(programs, home.postgres_data, password, prefix), "made again"
    hba = home.root / "pg_hba.conf"
    hba.write_text(text.client_authentication())
    configuration = home.root / "postgresql.conf"
    configuration.write_text(text.configuration(home, hba, major_version(programs)))
    data = str(home.postgres_data)
    return (*prefix, str(programs / "postgres"), "-D", data, "-c", f"config_file={configuration}")


@pytest.mark.integration
async def test_a_killed_server_leaves_nothing_that_stops_the_next(home: Home) -> None:
    """Its backend is busy when the server is killed, and its lock file names a live process."""
    command = make_cluster(home)

    def start() -> Process:
        return Process.start(command, folder=home.postgres_data, log=home.log("postgres"), env={})

    server = start()
    ready = PostgresProbe(home.postgres_socket)
    await until_ready(ready, server)
    connection = await asyncpg.connect(
        host=str(home.postgres_sockets), user="titanium", password="pw", database="postgres"
    )
    assert await connection.fetchval("SHOW data_checksums") == "on"
    assert await connection.fetchval("SHOW server_encoding") == "UTF8"
    assert await connection.fetchval("SELECT lower('ÄÖ') || upper('é')") == "äöÉ"
    busy = asyncio.create_task(
        connection.execute(
            "DO $$ BEGIN PERFORM count(*) FROM generate_series(1, 2000000000); END $$"
        )
    )
    await asyncio.sleep(0.3)
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await clear_remains(home.postgres_data, home.postgres_sockets)
    with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
        await busy
    (home.postgres_data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    await clear_remains(home.postgres_data, home.postgres_sockets)
    server = start()
    try:
        await until_ready(ready, server)
        # A server that no record knows is shut down in order, too.
        await clear_remains(home.postgres_data, home.postgres_sockets)
        await server.wait()
        assert "database system is shut down" in home.log("postgres").read_text()
    finally:
        await server.kill()


@pytest.mark.integration
def test_a_data_folder_without_a_database_is_refused(home: Home) -> None:
    home.postgres_data.mkdir()
    (home.postgres_data / "x").touch()
    with pytest.raises(StateError, match="holds no database"):
        create_cluster(find_postgres_bin(), home.postgres_data, home.root / "password", ())


@pytest.mark.integration
def test_a_data_folder_of_another_version_is_refused(home: Home) -> None:
    home.postgres_data.mkdir()
    (home.postgres_data / "PG_VERSION").write_text("12\n")
    with pytest.raises(StateError, match="belongs to PostgreSQL 12"):
        create_cluster(find_postgres_bin(), home.postgres_data, home.root / "password", ())


@pytest.mark.integration
def test_what_initdb_says_is_passed_on(home: Home) -> None:
    """Without its password file initdb fails, and nothing half-made stays."""
    programs = find_postgres_bin()
    prefix = database_prefix(programs / "postgres", ())
    with pytest.raises(StateError, match="could not create its data folder") as raised:
        create_cluster(programs, home.postgres_data, home.root / "none", prefix)
    assert any("none" in line for line in raised.value.details)
    assert list(home.data.iterdir()) == [home.data / "redis"]
