"""provision.sql and monitor.sql where the administrator is no superuser, as on RDS."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from titanium.tools import find_postgres_bin

SQL = ROOT / "k8s-manifests" / "base" / "postgres"


def psql(server: Any, user: str, password: str, *arguments: str, folder: str = "") -> str:
    """What psql prints; AssertionError with its complaint."""
    program = str(find_postgres_bin() / "psql")
    done = subprocess.run(
        [program, "-X", "-qtA", "-h", str(server.folder), "-U", user, *arguments],
        env=os.environ
        | {"PGPASSWORD": password, "PGDATABASE": "postgres", "PASSWORDS": folder}
        | {"OWNER": "blog_owner", "RUNTIME": "blog"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.integration
def test_an_administrator_who_is_no_superuser_makes_roles_and_databases(
    own_postgres: Any, tmp_path: Path
) -> None:
    for role in ("blog", "blog_owner", "titanium_monitor"):
        (tmp_path / role).write_text(f"password-of-{role}")
    for sql in (
        "CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD 'administrators'",
        "GRANT pg_monitor TO administrator WITH ADMIN OPTION",
    ):
        psql(own_postgres, "titanium", own_postgres.password, "-c", sql)
    names = [f"--variable={name}" for name in ("owner=blog_owner", "runtime=blog", "database=blog")]
    for _ in range(2):  # and again: nothing stands in the way
        for arguments in ([*names, "-f", str(SQL / "provision.sql")], ["-f", f"{SQL}/monitor.sql"]):
            psql(own_postgres, "administrator", "administrators", *arguments, folder=str(tmp_path))
    owner = ("blog_owner", "password-of-blog_owner", "-d", "blog", "-c")
    psql(own_postgres, *owner, "CREATE TABLE posts (id int)")
    runtime = ("blog", "password-of-blog", "-d", "blog", "-c")
    assert psql(own_postgres, *runtime, "SELECT count(*) FROM posts") == "0"
    with pytest.raises(AssertionError, match="permission denied for schema public"):
        psql(own_postgres, *runtime, "CREATE TABLE mine (id int)")
    monitor = ("titanium_monitor", "password-of-titanium_monitor", "-c")
    assert psql(own_postgres, *monitor, "SELECT count(*) > 0 FROM pg_stat_activity") == "t"
