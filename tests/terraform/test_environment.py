"""Environment aws: what it refuses, what its switches make, and the scripts beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.support import KUBECTL, MANIFESTS, REASON, build
from tests.terraform.life import every_resource
from tests.terraform.support import ACCOUNT, SOURCES, Lent, environment, planned

pytestmark = pytest.mark.cloud

ENVIRONMENT = SOURCES / "environments" / "aws"
DOMAIN = {"domain": "titanium.example.org", "zone_id": "Z0123456789EXAMPLE"}
NODES = {"instance_types": ["t4g.large"], "min": 1, "max": 5, "desired": 3}


def test_mistakes_between_variables_are_refused_in_words(tmp_path: Path) -> None:
    """Modules refuse what is wrong in itself; these are wrong together."""
    mistakes = {
        "name": "twenty-one-characters",
        "account_id": "1111-2222",
        "zones": ["ap-northeast-1a", "ap-northeast-1c"],
        "log_days": 100,
        "node_groups": {"application": NODES},
        "kubernetes_mode": "kubeadm",
    }
    terraform = environment(tmp_path, DOMAIN | mistakes, "http://127.0.0.1:9")  # asks nobody
    done = terraform.attempt("plan", "-refresh=false")
    assert done.returncode == 1
    said = " ".join(re.sub(r"[│╷╵]", " ", done.stdout + done.stderr).split())
    for message in (
        "name must be 2 to 20 lower-case letters, digits or hyphens and start with a letter",
        "account_id must be the twelve digits of an AWS account.",
        "zones must be of region ap-northeast-2; wrong: ap-northeast-1a, ap-northeast-1c.",
        "log_days must be one of the periods of CloudWatch Logs",
        "office_hours takes node groups to zero: set min = 0 in every node group",
        'office_hours stops EKS node groups; with kubernetes_mode = "kubeadm" set it to false.',
    ):
        assert message in said, said


@pytest.fixture(scope="module")
def other(lent: Lent, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What neither profile switches on: kubeadm in the place of EKS, and RDS with office hours."""
    switches = {
        "kubeadm": ("-var=kubernetes_mode=kubeadm", "-var=office_hours=false"),
        "rds": ("-var=database_mode=rds", "-var=office_hours=true"),
    }
    with lent() as url:
        terraform = environment(tmp_path_factory.mktemp("other"), ACCOUNT, url)
        plans = {name: planned(terraform, *options) for name, options in switches.items()}
    return {
        name: list(every_resource(plan["planned_values"]["root_module"]))
        for name, plan in plans.items()
    }


def test_kubeadm_takes_the_place_of_eks(other: dict[str, list[dict[str, Any]]]) -> None:
    kinds = [one["type"] for one in other["kubeadm"] if one["mode"] == "managed"]
    assert not [kind for kind in kinds if kind.startswith("aws_eks")]
    addresses = [one["address"] for one in other["kubeadm"]]
    assert "module.kubernetes.aws_instance.control_plane[2]" in addresses
    assert "module.schedule" not in " ".join(addresses)


def test_rds_stops_at_night_where_the_rest_does(other: dict[str, list[dict[str, Any]]]) -> None:
    schedules = {
        one["values"]["name"]: one["values"]
        for one in other["rds"]
        if one["type"] == "aws_scheduler_schedule"
    }
    assert {"start-rds-database", "stop-rds-database"} <= set(schedules)
    assert not {"start-database", "stop-database"} & set(schedules)


def test_the_logs_of_rds_are_ours_before_it_writes_any(
    other: dict[str, list[dict[str, Any]]],
) -> None:
    resources = [one for one in other["rds"] if one["mode"] == "managed"]
    (database,) = (one["values"] for one in resources if one["type"] == "aws_db_instance")
    groups = [
        one["values"]
        for one in resources
        if one["address"].startswith("module.database.aws_cloudwatch_log_group.rds[")
    ]
    folder = f"/aws/rds/instance/{database['identifier']}"
    assert {one["name"] for one in groups} == {
        f"{folder}/{log}" for log in database["enabled_cloudwatch_logs_exports"]
    }
    assert all(one["retention_in_days"] for one in groups)


# what pods ask of Secrets Manager


def asked_by(objects: list[Any]) -> dict[str, set[str]]:
    """Entry of the store -> properties, of every ExternalSecret."""
    asked: dict[str, set[str]] = {}
    for one in objects:
        if one and one["kind"] == "ExternalSecret":
            for item in one["spec"]["data"]:
                reference = item["remoteRef"]
                asked.setdefault(reference["key"], set()).add(reference["property"])
    return asked


def made(environment: str) -> dict[str, set[str]]:
    """The same of what an environment makes: services.yaml for both, and its own secrets.tf."""
    folder = SOURCES / "environments"
    listed = yaml.safe_load((folder / "services.yaml").read_text("utf-8"))["services"]
    entries = {f"titanium-{one['name']}": set(one["keys"]) for one in listed}
    text = (folder / environment / "secrets.tf").read_text("utf-8")
    for name, keys in re.findall(r"^    (?:titanium-)?(\w+) += \[(.*)\]$", text, re.MULTILINE):
        entries[f"titanium-{name}"] = set(re.findall(r'"(\w+)"', keys))
    entries["titanium-grafana"].add("user")
    return entries


def test_every_secret_that_pods_ask_for_is_made_and_may_be_read() -> None:
    """Terraform -> Secrets Manager -> External Secrets -> pods, in one piece."""
    if KUBECTL is None:
        pytest.skip(REASON)
    asked = asked_by(build(MANIFESTS / "overlays" / "aws"))
    entries = made("aws")
    database = (SOURCES / "modules" / "database" / "secrets.tf").read_text("utf-8")
    (described,) = re.findall(r'"Of postgres: (.*)"$', database, re.MULTILINE)
    entries["titanium-postgres"] = set(described.split(", "))
    for entry, properties in asked.items():
        assert properties <= entries[entry], entry
    # Nothing that no pod asks for, but what the cache's users have.
    assert role_reads("services") == {*asked, "titanium-redis"}


def test_solid_cloud_makes_every_secret_that_its_pods_ask_for() -> None:
    if KUBECTL is None:
        pytest.skip(REASON)
    entries = made("solid-cloud")
    text = (SOURCES / "environments" / "solid-cloud" / "secrets.tf").read_text("utf-8")
    entries["titanium-postgres"] |= set(re.findall(r"^      (backup_\w+) +=", text, re.MULTILINE))
    for entry, properties in asked_by(build(MANIFESTS / "overlays" / "solid-cloud")).items():
        assert properties <= entries[entry], entry


def role_reads(which: str) -> set[str]:
    """Entries that the role for `which` External Secrets may read."""
    roles = (ENVIRONMENT / "roles.tf").read_text("utf-8")
    (names,) = re.findall(rf"^    {which} = (.*)$", roles, re.MULTILINE)
    listed = re.findall(r'"(\w+)"', names)
    if "local.services" in names:
        text = (SOURCES / "environments" / "services.yaml").read_text("utf-8")
        listed += [one["name"] for one in yaml.safe_load(text)["services"]]
    return {f"titanium-{name}" for name in listed}


def test_the_add_ons_role_reads_what_they_ask_for() -> None:
    files = (MANIFESTS / "platform").rglob("*.yaml")
    objects = [
        one
        for path in files
        if path.name != "values.yaml" and "ExternalSecret" in path.read_text("utf-8")
        for one in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    assert role_reads("platform") == set(asked_by(objects))


# set-cache-passwords.sh

AWS = """#!/bin/bash
echo "$*" >> "$CALLS"
case "$*" in
    *get-secret-value*) jq --null-input --compact-output --arg name "$6" \
        '{redis_password: "redis of \\($name)", monitor_password: "monitor of \\($name)"}' ;;
    *modify-user*) jq --compact-output . >> "$CHANGES" ;;
    *describe-users*) if [ -e "$CALLS.again" ]; then echo active; else
        touch "$CALLS.again"; echo modifying; fi ;;
esac
"""
USERS = {"titanium-blog": "on ~blog:*", "titanium-monitor": "on +info"}


def set_passwords(folder: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script with `programs` first on PATH."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not on PATH")
    own = folder / "programs"
    own.mkdir()
    for name, text in programs.items():
        (own / name).write_text(text)
        (own / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", str(ENVIRONMENT / "set-cache-passwords.sh")],
        env={
            "PATH": f"{own}:{os.environ['PATH']}" if "aws" in programs else str(own),
            "REGION": "ap-northeast-2",
            "CACHE_USERS": json.dumps(USERS),
            "CALLS": str(folder / "calls"),
            "CHANGES": str(folder / "changes"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_user_of_the_cache_gets_the_password_of_its_secret(tmp_path: Path) -> None:
    done = set_passwords(tmp_path, {"aws": AWS, "sleep": "#!/bin/bash\n"})
    assert done.returncode == 0, done.stderr
    changes = [json.loads(line) for line in (tmp_path / "changes").read_text().splitlines()]
    assert changes == [
        {
            "UserId": "titanium-blog",
            "AccessString": "on ~blog:*",
            "AuthenticationMode": {
                "Type": "password",
                "Passwords": ["redis of titanium-blog"],
            },
        },
        {
            "UserId": "titanium-monitor",
            "AccessString": "on +info",
            "AuthenticationMode": {
                "Type": "password",
                "Passwords": ["monitor of titanium-redis"],
            },
        },
    ]
    calls = (tmp_path / "calls").read_text()
    assert " of titanium" not in calls, "arguments show in the process list"
    # The first was waited for before the second began.
    assert [line.split()[1] for line in calls.splitlines()].index("describe-users") == 2


def test_a_missing_program_is_one_clear_line(tmp_path: Path) -> None:
    done = set_passwords(tmp_path, {"dirname": "#!/bin/bash\n/usr/bin/dirname $1\n"})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "aws is missing" in done.stderr
    assert "configure_cache = false" in done.stderr
