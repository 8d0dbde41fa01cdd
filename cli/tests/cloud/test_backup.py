"""Backup and restore against a real PostgreSQL; only kubectl is the stand-in of conftest.py.

The stand-in runs what follows `exec ... --` on this machine, with the variables that the pod has.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.tests.cloud.conftest import FakeKubectl
from conftest import PostgresServer
from titanium.catalog import load_catalog
from titanium.checkout import checkout
from titanium.cloud import backup, restore
from titanium.cloud.kubectl import Kubectl
from titanium.errors import TitaniumError
from titanium.tools import find_postgres_bin

pytestmark = pytest.mark.integration
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def client_folder() -> Path | None:
    """Folder of pg_dump, pg_restore and psql that are not older than the server."""
    places = [find_postgres_bin(), *(Path(one) for one in os.environ["PATH"].split(":"))]
    names = ("pg_dump", "pg_restore", "psql")
    return next((one for one in places if all((one / name).exists() for name in names)), None)


@dataclass
class Cluster:
    """The services' databases on one server, reached as if it were a pod."""

    fake: FakeKubectl
    variables: dict[str, str]
    clients: Path

    def sql(self, database: str, text: str) -> str:
        command = [str(self.clients / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", database]
        done = subprocess.run(
            [*command, "-c", text],
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def cluster(chosen: FakeKubectl, own_postgres: PostgresServer) -> Iterator[Cluster]:
    """Databases auth, blog and user with roles as in a cluster; blog has a table with a post."""
    clients = client_folder()
    if clients is None:
        pytest.skip("pg_dump, pg_restore and psql are not on this machine (postgresql-client)")
    variables = {
        "PGHOST": str(own_postgres.folder),
        "PGUSER": "titanium",
        "PGPASSWORD": own_postgres.password,
        "PATH": f"{clients}:{os.environ['PATH']}",
    }
    made = Cluster(chosen, variables, clients)
    version = subprocess.run(
        [str(clients / "pg_dump"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    server = made.sql("postgres", "SHOW server_version")
    if int(version.split()[-1].split(".")[0].split("(")[0]) < int(server.split(".")[0]):
        pytest.skip(f"{version.strip()} is older than the server ({server})")
    names = ("auth", "blog", "user")
    for name in names:
        made.sql("postgres", f'CREATE ROLE "{name}_owner"')
        made.sql("postgres", f'CREATE ROLE "{name}"')
        made.sql("postgres", f'CREATE DATABASE "{name}" OWNER "{name}_owner"')
    empty(made)
    made.sql("blog", "INSERT INTO posts VALUES (7, '안녕')")
    chosen.answer("cnpg.io/instanceRole=primary", {"items": []})
    chosen.answer(
        "app.kubernetes.io/name=postgres", {"items": [{"metadata": {"name": "postgres-0"}}]}
    )
    chosen.answer("exec", real=variables)
    chosen.answer("get deployment/", {"metadata": {}, "spec": {"replicas": 2}})
    chosen.answer("scale")
    chosen.answer("wait --for=delete")
    yield made
    for name in names:
        made.sql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
        made.sql("postgres", f'DROP ROLE "{name}_owner"')
        made.sql("postgres", f'DROP ROLE "{name}"')


def empty(cluster: Cluster) -> None:
    """What a first start leaves: tables, a revision, rights of the service, no rows."""
    cluster.sql(
        "blog",
        "DROP TABLE IF EXISTS posts, alembic_version; SET ROLE blog_owner;"
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO blog;"
        "CREATE TABLE posts (id int PRIMARY KEY, title text);"
        "CREATE TABLE alembic_version (v text); INSERT INTO alembic_version VALUES ('0001')",
    )


def save(folder: Path) -> Path:
    kubectl = Kubectl(None, "titanium")
    return backup.backup(kubectl, load_catalog(checkout()), folder, NOW, lambda _: None)


def put(folder: Path, only: str | None = None, **options: bool) -> None:
    kubectl = Kubectl(None, "titanium")
    restore.restore(kubectl, load_catalog(checkout()), folder, only, lambda _: None, **options)


def test_what_was_saved_comes_back_with_owner_and_rights(cluster: Cluster, tmp_path: Path) -> None:
    """Into databases that hold tables but no rows; the services are stopped and started again."""
    folder = save(tmp_path)
    assert folder.name == "titanium-20260102T030405Z"
    assert {path.name for path in folder.iterdir()} == {
        "auth.dump", "blog.dump", "user.dump", "backup.json",
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.iterdir()))
    empty(cluster)
    put(folder)
    assert cluster.sql("blog", "SELECT id || title FROM posts") == "7안녕"
    owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'posts'"
    assert cluster.sql("blog", owner) == "blog_owner"
    assert cluster.sql("blog", "SELECT has_table_privilege('blog', 'posts', 'SELECT')") == "t"
    scaled = [line.split("scale ")[1] for line in cluster.fake.lines if " scale " in line]
    assert scaled[:3] == [f"deployment/{name} --replicas=0" for name in ("auth", "blog", "user")]
    assert scaled[3:] == [f"deployment/{name} --replicas=2" for name in ("auth", "blog", "user")]


def test_a_database_with_rows_is_not_touched_without_force(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The tables that hold some are named; nothing was stopped."""
    folder = save(tmp_path)
    cluster.sql("blog", "UPDATE posts SET title = 'newer'")
    with pytest.raises(TitaniumError) as caught:
        put(folder)
    assert caught.value.message == "not empty: blog"
    assert caught.value.details == ("blog: posts (1 rows)",)
    assert cluster.sql("blog", "SELECT title FROM posts") == "newer"
    assert not any("scale" in line for line in cluster.fake.lines)
    put(folder, "blog", force=True)
    assert cluster.sql("blog", "SELECT title FROM posts") == "안녕"


def test_no_password_is_an_argument(cluster: Cluster, tmp_path: Path) -> None:
    """Whoever lists processes on this machine or in the pod sees none."""
    put(save(tmp_path), dry_run=True, force=True)
    assert cluster.variables["PGPASSWORD"] not in json.dumps(cluster.fake.calls)


def test_a_changed_dump_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Before anything is asked of the cluster; a folder without its manifest likewise."""
    folder = save(tmp_path)
    with (folder / "user.dump").open("ab") as file:
        file.write(b"x")
    with pytest.raises(TitaniumError, match="checksum differs"):
        put(folder)
    (folder / "backup.json").unlink()
    with pytest.raises(TitaniumError, match="not a complete backup"):
        put(folder)


def test_a_failed_restore_changes_nothing_and_starts_the_services(
    cluster: Cluster, tmp_path: Path
) -> None:
    """One transaction: a view that needs the old table ends it, and the rows are as they were."""
    folder = save(tmp_path)
    cluster.sql("blog", "CREATE VIEW titles AS SELECT title FROM posts")
    with pytest.raises(TitaniumError, match="blog was not restored, and is as it was"):
        put(folder, "blog", force=True)
    assert cluster.sql("blog", "SELECT id FROM posts") == "7"
    assert cluster.fake.lines[-1].endswith("scale deployment/blog --replicas=2")


@pytest.mark.parametrize("managed", [{"f:replicas": {}}, {"f:template": {}}])
def test_services_that_argocd_would_start_again_are_not_stopped(
    cluster: Cluster, tmp_path: Path, managed: dict[str, object]
) -> None:
    """With component hpa Git says no replicas, and self-healing leaves them; else it must pause."""
    folder = save(tmp_path)
    empty(cluster)
    field = {"manager": "argocd-controller", "fieldsV1": {"f:spec": managed}}
    answers = cluster.fake.folder / "answers.json"
    kept = [one for one in json.loads(answers.read_text()) if one["match"] != "get deployment/"]
    answers.write_text(json.dumps(kept))
    cluster.fake.answer(
        "get deployment/", {"metadata": {"managedFields": [field]}, "spec": {"replicas": 2}}
    )
    if "f:replicas" not in managed:
        put(folder, "blog")
        assert cluster.sql("blog", "SELECT id FROM posts") == "7"
        return
    with pytest.raises(TitaniumError, match="Argo CD keeps the replicas of blog") as caught:
        put(folder, "blog")
    assert "argocd.argoproj.io/skip-reconcile=true" in caught.value.hint
    assert not any("scale" in line for line in cluster.fake.lines)


def test_a_dump_that_fails_leaves_no_folder_that_looks_complete(
    chosen: FakeKubectl, tmp_path: Path
) -> None:
    """The manifest is written last."""
    chosen.answer("get pods", {"items": [{"metadata": {"name": "postgres-0"}}]})
    chosen.answer("exec", err="pg_dump: error: connection failed\n", code=1)
    with pytest.raises(TitaniumError, match=r"auth was not saved: .*connection failed"):
        save(tmp_path)
    assert not list(tmp_path.rglob("backup.json"))


def test_a_database_outside_of_the_cluster_is_saved_there(
    chosen: FakeKubectl, tmp_path: Path
) -> None:
    """No pod: the message says where instead."""
    chosen.answer("get pods", {"items": []})
    with pytest.raises(TitaniumError, match="no PostgreSQL runs in the namespace titanium"):
        save(tmp_path)


def test_clients_exist_where_the_server_does() -> None:
    """Says so in a skip, so that a missing client is not overlooked."""
    if client_folder() is None:
        pytest.skip("pg_dump, pg_restore and psql are not on this machine (postgresql-client)")
    assert shutil.which("psql", path=str(client_folder()))
