"""What the database module renders: the bars' settings, valid cloud-init, no secret."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ROOT
from tests.terraform.patroni.render import PRODUCTION, Rendered, production_nodes, render
from titanium import debian
from titanium.errors import ToolMissingError
from titanium.layout import tools_folder
from titanium.terraform import find_terraform

pytestmark = pytest.mark.cloud
CLOUD_INIT = (
    "cloud-init",
    "python3-jsonschema",
    "python3-pyrsistent",
    "python3-attr",
    "python3-configobj",
    "python3-jinja2",
    "python3-markupsafe",
    "python3-jsonpatch",
    "python3-json-pointer",
    "python3-oauthlib",
    "python3-requests",
    "python3-urllib3",
    "python3-idna",
    "python3-chardet",
    "python3-certifi",
    "python3-six",
    "python3-yaml",
    "python3-netifaces",
    "python3-serial",
)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    try:
        find_terraform()
    except ToolMissingError as error:
        pytest.skip(str(error))
    return render(tmp_path_factory.mktemp("render"), production_nodes(), PRODUCTION)


@pytest.fixture(scope="module")
def patroni(nodes: dict[str, Rendered]) -> Any:
    return yaml.safe_load(nodes["titanium-1"].file("/etc/patroni/config.yml"))


def test_bar_10_the_timings_leave_no_time_with_two_leaders(patroni: Any) -> None:
    dcs = patroni["bootstrap"]["dcs"]
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]
    assert (dcs["ttl"], dcs["loop_wait"], dcs["retry_timeout"]) == (20, 5, 5)
    assert dcs["primary_start_timeout"] == 0
    assert dcs["failsafe_mode"] is True


def test_bar_10_a_commit_is_on_two_machines(patroni: Any) -> None:
    dcs = patroni["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert dcs["synchronous_mode_strict"] is True
    assert dcs["maximum_lag_on_failover"] <= 1024 * 1024
    assert dcs["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_bar_10_an_old_leader_rewinds_on_checksums(patroni: Any) -> None:
    assert patroni["bootstrap"]["dcs"]["postgresql"]["use_pg_rewind"] is True
    assert "data-checksums" in patroni["bootstrap"]["initdb"]


def test_bar_4_a_leader_that_was_cut_off_cannot_take_its_key_back(
    nodes: dict[str, Rendered], patroni: Any
) -> None:
    """Patroni 3.0.2 compares before it writes on version 2 of etcd's interface alone."""
    assert set(patroni) & {"etcd", "etcd3"} == {"etcd"}
    assert yaml.safe_load(nodes["titanium-1"].file("/etc/etcd/etcd.yml"))["enable-v2"] is True


def test_bar_3_every_node_leads_to_the_primary(nodes: dict[str, Rendered]) -> None:
    """The load balancer needs ten seconds to see another leader; the proxies ask every second."""
    for number, node in enumerate(nodes.values(), 1):
        proxy = node.file("/etc/titanium-database/haproxy.cfg")
        writer, reader = proxy.split("listen writer")[1].split("listen reader")
        assert f"bind 10.0.2{number}.10:5000" in writer
        assert f"bind 10.0.2{number}.10:5001" in reader
        assert "OPTIONS /primary" in writer
        assert "OPTIONS /replica" in reader
        for part in (writer, reader):
            assert part.count("    server ") == 3
        assert " inter 1s " in proxy
        assert "check-ssl verify required ca-file" in proxy
        assert "on-marked-down shutdown-sessions" in proxy


def test_bar_17_the_archive_lags_at_most_five_minutes(patroni: Any) -> None:
    parameters = patroni["postgresql"]["parameters"]
    assert parameters["archive_mode"] == "on"
    assert 0 < parameters["archive_timeout"] <= 300


def test_bar_18_whoever_changes_something_has_a_certificate(
    nodes: dict[str, Rendered], patroni: Any
) -> None:
    assert patroni["restapi"]["verify_client"] == "optional"  # demanded for unsafe methods
    etcd = yaml.safe_load(nodes["titanium-1"].file("/etc/etcd/etcd.yml"))
    for side in ("client-transport-security", "peer-transport-security"):
        assert etcd[side]["client-cert-auth"] is True
    urls = [value for key, value in etcd.items() if key.endswith("-urls")]
    assert all(url.startswith("https://10.0.") for url in urls)


def test_nobody_logs_in_without_tls_or_password(patroni: Any) -> None:
    rules = [rule.split() for rule in patroni["postgresql"]["pg_hba"]]
    over_network = [rule for rule in rules if rule[0] != "local" and rule[-1] != "reject"]
    assert over_network
    assert {(rule[0], rule[-1]) for rule in over_network} == {("hostssl", "scram-sha-256")}


def test_memory_settings_fit_the_machine(patroni: Any) -> None:
    """Buffers, and every connection at its dearest (10 MiB), beside 400 MiB for the rest."""
    dcs, parameters = patroni["bootstrap"]["dcs"], patroni["postgresql"]["parameters"]
    connections = dcs["postgresql"]["parameters"]["max_connections"]
    buffers = int(parameters["shared_buffers"].removesuffix("MB"))
    assert buffers + connections * 10 + 400 <= PRODUCTION["memory_mib"]  # type: ignore[operator]
    assert connections >= 100


def test_user_data_holds_no_secret(nodes: dict[str, Rendered]) -> None:
    for node in nodes.values():
        document = yaml.safe_load(node.user_data)
        for file in document["write_files"]:
            if not file["path"].startswith("/usr/local/sbin/"):
                assert "PRIVATE KEY" not in file["content"]
                assert "password:" not in file["content"].lower()


def test_the_exporter_listens_on_the_nodes_own_address(nodes: dict[str, Rendered]) -> None:
    for node in nodes.values():
        document = yaml.safe_load(node.user_data)
        assert "prometheus-node-exporter" in document["packages"]
        (unit,) = (
            file["content"]
            for file in document["write_files"]
            if file["path"].endswith("prometheus-node-exporter.service.d/titanium.conf")
        )
        address = yaml.safe_load(node.file("config.yml"))["restapi"]["listen"].partition(":")[0]
        assert f"--web.listen-address={address}:9100 " in unit
        # Debian's line goes before ours comes: a service has one.
        assert unit.index("ExecStart=\n") < unit.index(
            "ExecStart=/usr/bin/prometheus-node-exporter"
        )


def test_user_data_fits_into_an_instance_when_compressed(nodes: dict[str, Rendered]) -> None:
    import gzip

    for node in nodes.values():
        assert len(gzip.compress(node.user_data.encode())) < 16 * 1024 - 512


def test_user_data_writes_every_file_that_the_units_and_commands_name(
    nodes: dict[str, Rendered],
) -> None:
    node = nodes["titanium-1"]
    document = yaml.safe_load(node.user_data)
    written = {file["path"] for file in document["write_files"]}
    assert {file["path"] for file in node.files} <= written
    for word in " ".join(file["content"] for file in node.files).split():
        if word.startswith("/usr/local/sbin/"):
            assert word in written
    enabled = [name for command in document["runcmd"] for name in command if ".timer" in name]
    assert enabled
    for name in enabled:
        assert f"/etc/systemd/system/{name}" in written


def test_user_data_is_valid_for_debians_cloud_init(
    nodes: dict[str, Rendered], tmp_path: Path
) -> None:
    try:
        tree = debian.fetch(CLOUD_INIT, tools_folder(ROOT), within=90)
    except ToolMissingError as error:
        pytest.skip(f"no cloud-init: {error}")
    path = tmp_path / "user-data"
    path.write_text(nodes["titanium-1"].user_data)
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "cloudinit.cmd.main", "schema", "--config-file", str(path)],
        env={
            "PYTHONPATH": str(tree.root / "usr/lib/python3/dist-packages"),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip(f"cloud-init does not run here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name",
    [
        *("titanium-database-disks", "titanium-database-backup", "titanium-patronictl"),
        *("titanium-database-leads", "titanium-database-provision", "titanium-database-roles"),
    ],
)
def test_shell_programs_are_sound(nodes: dict[str, Rendered], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(nodes["titanium-1"].file(name))
    shell = path.read_text().splitlines()[0].removeprefix("#!")
    subprocess.run([shell, "-n", str(path)], check=True)
    subprocess.run([str(ROOT / ".venv/bin/shellcheck"), str(path)], check=True)
