"""The base and the local overlay outlive the restart of each of their pods."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.manifests.support import MANIFESTS, ROOT, Object, catalog, named, pod_of, pod_specs
from titanium_kit.server import GRACE
from titanium_kit.tokens.verifier import MAX_SILENCE

pytestmark = pytest.mark.integration

SCRIPTS = MANIFESTS / "base" / "postgres"
# Measured on two busy cores: migration, imports, startup and readiness probes of a new pod.
START_SECONDS = 12


def server_of(objects: list[Object]) -> Object:
    (pod,) = (pod for name, pod in pod_specs(objects) if name == "StatefulSet/postgres")
    (one,) = pod["spec"]["containers"]
    found: Object = one
    return found


def waited_for_the_database(objects: list[Object]) -> float:
    found = [
        one["data"]["DATABASE_WAIT"]
        for one in objects
        if one["kind"] == "ConfigMap" and "DATABASE_WAIT" in one.get("data", {})
    ]
    assert len(found) == 1
    return float(found[0])


def test_an_only_pod_that_is_deleted_serves_until_the_next_is_ready(local: list[Object]) -> None:
    """Without another one the Service goes on sending requests to a pod that is going away."""
    for service in (*catalog().names, "gateway"):
        spec = pod_of(local, service)["spec"]
        (one,) = spec["containers"]
        waits = one["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert waits >= START_SECONDS, service
        assert waits + GRACE < spec["terminationGracePeriodSeconds"], service


def test_requests_wait_for_the_database_and_no_longer_than_others_wait_for_them(
    local: list[Object],
) -> None:
    wait = waited_for_the_database(local)
    timeouts = tomllib.loads((ROOT / "mesh" / "policy.toml").read_text("utf-8"))["timeouts"]
    assert wait < timeouts["request_seconds"]
    assert wait <= MAX_SILENCE


def test_production_does_not_wait_for_a_database_that_fails_over(
    production: list[Object],
) -> None:
    for one in production:
        assert one["kind"] != "ConfigMap" or "DATABASE_WAIT" not in one.get("data", {})
        assert "publishNotReadyAddresses" not in one.get("spec", {})


def test_clients_find_the_database_as_soon_as_it_has_an_address(local: list[Object]) -> None:
    assert named(local, "Service", "postgres")["spec"]["publishNotReadyAddresses"] is True
    # So its roles have to be there before it listens: the image runs what it finds here.
    mounts = {one["mountPath"]: one for one in server_of(local)["volumeMounts"]}
    assert mounts["/docker-entrypoint-initdb.d/databases.sh"]["subPath"] == "databases.sh"


def test_postgres_is_provisioned_and_drained_by_scripts_that_it_has(local: list[Object]) -> None:
    server = server_of(local)
    hooks = server["lifecycle"]
    assert hooks["postStart"]["exec"]["command"] == ["sh", "/etc/titanium/provision.sh"]
    assert hooks["preStop"]["exec"]["command"] == ["sh", "/etc/titanium/drain.sh"]
    (pod,) = (pod for name, pod in pod_specs(local) if name == "StatefulSet/postgres")
    (volume,) = (one for one in pod["spec"]["volumes"] if one["name"] == "configuration")
    files = named(local, "ConfigMap", volume["configMap"]["name"])["data"]
    assert {"provision.sh", "databases.sh", "drain.sh"} <= files.keys()
    for argument in server["args"]:
        path = Path(argument.partition("=")[2])
        if path.parent == Path("/etc/titanium"):
            assert path.name in files, argument
    # Below the volume's folder, which belongs to root on most small clusters.
    (mount,) = (one for one in server["volumeMounts"] if one["name"] == "data")
    (data,) = (one["value"] for one in server["env"] if one["name"] == "PGDATA")
    assert Path(data).parent == Path(mount["mountPath"])


def test_provisioning_needs_no_password_that_may_be_another_by_now() -> None:
    """The volume remembers the superuser's first one."""
    rules = [
        line.split()
        for line in (SCRIPTS / "pg_hba.conf").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == ["local", "all", "titanium", "peer", "map=server"]
    assert {rule[-1] for rule in rules[1:]} == {"scram-sha-256"}
    for script in SCRIPTS.glob("*.sh"):
        assert "PGPASSWORD" not in script.read_text("utf-8"), script.name


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_clean(script: Path) -> None:
    program = shutil.which("shellcheck") or str(ROOT / ".venv" / "bin" / "shellcheck")
    done = subprocess.run(
        [program, "--shell=sh", str(script)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout
