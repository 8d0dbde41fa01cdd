"""What the services see of the database: roles and passwords, and the API when the leader fails."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.terraform.patroni.api import Author, author
from tests.terraform.patroni.cluster import Cluster
from tests.terraform.patroni.fixtures import cluster_or_skip

pytestmark = [pytest.mark.cloud, pytest.mark.machines]
ENVIRONMENT = ROOT / "terraform" / "environments" / "aws"
STAND_IN = Path(__file__).parent / "patroni" / "aws"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_or_skip() as running:
        yield running


def give_passwords(cluster: Cluster, passwords: str) -> None:
    for service in ("blog", "user"):
        document = {
            "database_password": f"{service}-{passwords}",
            "database_owner_password": f"{service}-owner-{passwords}",
        }
        (cluster.secrets / f"titanium-{service}").write_text(json.dumps(document))


def log_in(cluster: Cluster, user: str, password: str, sql: str, database: str = "blog") -> str:
    """What `sql` answers, or why it was refused."""
    leader = cluster.leader()
    server = f"host={leader.address} port={cluster.ports['writer_proxy']} dbname={database}"
    whole = f"{server} user={user} sslmode=verify-ca sslrootcert={cluster.authority}"
    psql = str(leader.programs.postgres_bin / "psql")
    done = subprocess.run(
        [psql, "--no-psqlrc", "-qtA", "-c", sql, whole],
        capture_output=True,
        text=True,
        env=os.environ | leader.programs.environment | {"PGPASSWORD": password},
    )
    return (done.stdout + done.stderr).strip()


def test_the_leader_makes_the_services_roles_and_takes_up_new_passwords(cluster: Cluster) -> None:
    leader = cluster.leader()
    assert "has no database_password yet" in leader.run_program("roles", ok=1)
    give_passwords(cluster, "first")
    leader.run_program("roles")
    assert "nothing has changed" in leader.run_program("roles")
    table = "CREATE TABLE notes (id int); INSERT INTO notes VALUES (7)"
    assert log_in(cluster, "blog_owner", "blog-owner-first", table) == ""
    assert log_in(cluster, "blog", "blog-first", "SELECT id FROM notes") == "7"
    assert "denied" in log_in(cluster, "blog", "blog-first", "CREATE TABLE mine (id int)")
    assert "denied" in log_in(cluster, "user", "user-first", "SELECT 1")
    monitor = cluster.client_secret()["monitor_password"]
    seen = "SELECT count(*) > 0 FROM pg_stat_replication"
    assert log_in(cluster, "titanium_monitor", monitor, seen, "postgres") == "t"

    give_passwords(cluster, "second")
    leader.run_program("roles")
    assert log_in(cluster, "blog", "blog-second", "SELECT id FROM notes") == "7"
    assert "password authentication failed" in log_in(cluster, "blog", "blog-first", "SELECT 1")


def test_a_replica_makes_no_roles(cluster: Cluster) -> None:
    for node in cluster.standbys():
        assert "not the leader" in node.run_program("roles")


def test_no_password_stays_on_a_disk(cluster: Cluster) -> None:
    leader = cluster.leader()
    give_passwords(cluster, "third")
    leader.run_program("roles")
    found = subprocess.run(
        ["grep", "-rl", "blog-owner-third", str(leader.root), "--exclude-dir=postgresql"],
        capture_output=True,
        text=True,
    )
    assert found.stdout == ""


@pytest.fixture
async def writing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Author]:
    """The blog's API on this database, once everything is in order; no confirmed post is lost."""
    monkeypatch.setenv("PGSSLMODE", "verify-ca")
    monkeypatch.setenv("PGSSLROOTCERT", str(cluster.authority))
    give_passwords(cluster, "api")
    cluster.settle()
    cluster.leader().run_program("roles")
    passwords = {"blog": "blog-api", "blog_owner": "blog-owner-api"}
    with cluster.load_balancer() as balancer:
        async with author(cluster, balancer.port, passwords) as writer:
            stop = asyncio.Event()
            task = asyncio.create_task(writer.write(stop))
            await until(lambda: len(writer.confirmed) > 5)
            yield writer
            stop.set()
            await task
    titles = published(cluster)
    assert len(titles) == len(set(titles))  # bar 13: a repeated request is one post
    assert {title for _, title in writer.confirmed} <= set(titles)


def published(cluster: Cluster) -> list[str]:
    rows = log_in(cluster, "blog", "blog-api", "SELECT title FROM posts WHERE title LIKE 'post %'")
    return rows.splitlines()


async def until(condition: Callable[[], bool], within: float = 30) -> None:
    """In this loop, where the API itself runs."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it does not come true"
        await asyncio.sleep(0.1)


async def test_bars_1_13_14_the_api_writes_again_15_s_after_the_leader_was_killed(
    cluster: Cluster, writing: Author
) -> None:
    old, began = await asyncio.to_thread(cluster.leader), time.monotonic()
    old.kill_postgres()
    await asyncio.to_thread(cluster.wait_for_leader, 20, old)
    await until(lambda: writing.confirmed[-1][0] > began + 1)
    again = writing.first_after(began + 0.5)
    assert again - began <= 15
    await asyncio.sleep(7)
    assert {status for _, _, status in writing.refused} <= {503}
    assert [one for one in writing.refused if one[0] > again + 5] == []  # bar 14
    await asyncio.to_thread(cluster.settle)


@pytest.mark.drill
async def test_bar_12_without_a_standby_the_api_says_503_within_5_s(
    cluster: Cluster, writing: Author
) -> None:
    standbys = await asyncio.to_thread(cluster.standbys)
    for node in standbys:
        node.lose()
    lost = time.monotonic()
    await until(lambda: any(moment > lost + 6 for moment, _, _ in writing.refused))
    refused = [one for one in writing.refused if one[0] > lost]
    for node in standbys:
        node.start()
    assert [title for moment, title in writing.confirmed if lost + 0.5 < moment < lost + 6] == []
    assert {status for _, _, status in refused} == {503}
    assert max(seconds for _, seconds, _ in refused) <= 5.5
    await asyncio.to_thread(cluster.settle)


def stand_ins(folder: Path, cluster: Cluster) -> Path:
    """Programs that answer for Terraform's state, AWS and Amazon's authorities."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    leader = cluster.leader()
    outputs = {
        "region": {"value": "ap-northeast-2"},
        "database": {
            "value": {
                "mode": "rds",
                "writer": f"{leader.address}:5432",
                "services": {"blog": "titanium-blog", "user": "titanium-user"},
                "secrets": {"client": "rds-client", "administrator": "rds-administrator"},
            }
        },
    }
    (folder / "outputs.json").write_text(json.dumps(outputs))
    shutil.copy(STAND_IN, bin_folder / "aws")
    for name, script in {
        "terraform": f"cat {folder}/outputs.json",
        "curl": f'while [ "$1" != --output ]; do shift; done; cp {cluster.authority} "$2"',
    }.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)
    return bin_folder


def test_with_rds_one_command_does_it_and_needs_no_superuser(
    cluster: Cluster, tmp_path: Path
) -> None:
    """As RDS's administrator, who may make roles and databases and is no superuser."""
    leader = cluster.leader()
    for sql in (
        "CREATE ROLE titanium_admin LOGIN CREATEROLE CREATEDB PASSWORD 'of-rds'",
        "ALTER DATABASE postgres OWNER TO titanium_admin",
        "DROP DATABASE IF EXISTS blog",
        'DROP DATABASE IF EXISTS "user"',
        'DROP ROLE IF EXISTS blog, blog_owner, "user", user_owner',
    ):
        cluster.psql(leader, sql)
    give_passwords(cluster, "of-rds")
    administrator = {"username": "titanium_admin", "password": "of-rds"}
    (cluster.secrets / "rds-administrator").write_text(json.dumps(administrator))
    environment = os.environ | leader.programs.environment
    environment |= {
        "PATH": f"{stand_ins(tmp_path, cluster)}:{environment['PATH']}",
        "TITANIUM_TEST_SECRETS": str(cluster.secrets),
        "PGPORT": str(cluster.ports["postgres"]),
    }
    script = str(ENVIRONMENT / "provision-database.sh")
    provision = partial(
        subprocess.run, [script], env=environment, capture_output=True, text=True, timeout=60
    )
    for _ in range(2):  # twice: changes nothing
        done = provision()
        assert done.returncode == 0, done.stderr
    client = json.loads((cluster.secrets / "rds-client").read_text())
    assert client["ca_certificate"] == cluster.authority.read_text()
    assert log_in(cluster, "blog_owner", "blog-owner-of-rds", "CREATE TABLE posts (id int)") == ""
    assert log_in(cluster, "blog", "blog-of-rds", "SELECT count(*) FROM posts") == "0"
    monitor = client["monitor_password"]
    assert log_in(cluster, "titanium_monitor", monitor, "SELECT 1", "postgres") == "1"
    assert "of-rds" not in done.stdout + done.stderr
    # A secret that cannot be read is not one that is not there: the exporter keeps its password.
    denied = "An error occurred (AccessDeniedException) when calling GetSecretValue"
    (tmp_path / "bin" / "aws").write_text(
        f"#!/bin/sh\ncase $* in *get-secret-value*) echo '{denied}' >&2; exit 254 ;; esac\n"
        f'exec {STAND_IN} "$@"\n'
    )
    refused = provision()
    assert refused.returncode != 0
    assert denied in refused.stderr
    assert json.loads((cluster.secrets / "rds-client").read_text()) == client
