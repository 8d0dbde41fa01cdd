"""What Prometheus and Alertmanager are told, and that they understand it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from titanium.checkout import checkout
from titanium.errors import ToolMissingError
from titanium.layout import Home, Ports
from titanium.observe import configuration, processes
from titanium.observe.observability import TEMPLATE, Observability
from titanium.supervise.plan import PROVISION
from titanium.supervise.spec import HttpProbe
from titanium.tools import find_alertmanager, find_prometheus

HOME = Home(Path('/h o/"me'))
PORTS = Ports(20_000)


@pytest.mark.unit
def test_prometheus_asks_the_exporter_what_to_scrape_and_proves_who_it_is() -> None:
    body = json.loads(configuration.prometheus(HOME, PORTS, alerting=True))
    jobs = {job["job_name"]: job for job in body["scrape_configs"]}
    assert set(jobs) == {"exporter", "prometheus", "console", "alertmanager"}
    (found,) = jobs["exporter"]["http_sd_configs"]
    assert (found["url"], found["refresh_interval"]) == ("http://127.0.0.1:20005/sd", "5s")
    token = {"type": "Bearer", "credentials_file": '/h o/"me/secrets/observability/scrape_token'}
    assert found["authorization"] == jobs["exporter"]["authorization"] == token
    assert jobs["console"]["authorization"] == token
    account = {"username": "titanium", "password_file": '/h o/"me/secrets/observability/password'}
    assert jobs["prometheus"]["basic_auth"] == jobs["alertmanager"]["basic_auth"] == account
    assert all(job["honor_labels"] for job in jobs.values())
    assert body["global"]["scrape_interval"] == body["global"]["evaluation_interval"] == "5s"
    assert body["alerting"]["alertmanagers"][0]["basic_auth"] == account
    assert body["rule_files"] == ["rules/*.yaml"]


@pytest.mark.unit
@pytest.mark.parametrize(("name", "port"), [("prometheus", 20_003), ("console", 20_002)])
def test_static_targets_are_on_loopback_and_labelled_by_name(name: str, port: int) -> None:
    body = json.loads(configuration.prometheus(HOME, PORTS, alerting=False))
    (job,) = (job for job in body["scrape_configs"] if job["job_name"] == name)
    assert job["static_configs"] == [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"service": name, "instance": name}}
    ]
    assert "alerting" not in body
    assert all(job["job_name"] != "alertmanager" for job in body["scrape_configs"])


@pytest.mark.unit
def test_the_placeholders_of_alertmanagers_template_are_filled_in() -> None:
    template = 'url: "@CONSOLE_URL@/hooks"\nfile: "@CREDENTIALS_FILE@"\n'
    assert configuration.alertmanager(template, HOME, PORTS) == (
        'url: "http://127.0.0.1:20002/hooks"\n'
        'file: "/h o/\\"me/secrets/observability/scrape_token"\n'
    )


@pytest.mark.unit
def test_the_processes_that_watch_are_optional_and_on_loopback_only() -> None:
    env = processes.environment(Path("/root"), PORTS)
    inputs = (Path("/c/file"), Path("/c/web"))
    specs = [
        processes.exporter_process(HOME, PORTS, env),
        processes.prometheus_process(HOME, PORTS, Path("/t/prometheus"), inputs),
        processes.alertmanager_process(HOME, PORTS, Path("/t/alertmanager"), inputs),
        processes.console_process(HOME, PORTS, env),
    ]
    assert all(spec.optional for spec in specs)
    # Otherwise they would wait for what they are to watch.
    assert {need for spec in specs for need in spec.needs} <= {PROVISION}
    assert [spec.name for spec in specs] == ["exporter", "prometheus", "alertmanager", "console"]
    assert [spec.ports for spec in specs] == [(20_005,), (20_003,), (20_004,), (20_002,)]
    for spec in specs[1:3]:
        assert f"--web.listen-address=127.0.0.1:{spec.ports[0]}" in spec.argv
        assert not any("admin-api" in word or "lifecycle" in word for word in spec.argv)
        assert spec.inputs == inputs
        assert "GOMEMLIMIT" in spec.env
        assert "--web.config.file=/c/web" in spec.argv
    account = ("titanium", configuration.password(HOME))
    assert specs[2].probe == HttpProbe("/-/ready", port=20_004, account=account)
    assert env == {"TITANIUM_ROOT": "/root", "TITANIUM_PORT_BASE": "20000"}
    assert processes.environment(Path("/r"), Ports())["TITANIUM_PORT_BASE"] == ""


def _prepared(root: Path, folder: Path) -> Observability:
    observed = Observability.load(root, Home(folder / "home"), PORTS)
    observed.prepare()
    return observed


@pytest.mark.integration
def test_promtool_accepts_configuration_and_rules(tmp_path: Path) -> None:
    try:
        promtool = find_prometheus().promtool
    except ToolMissingError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    observed = _prepared(checkout(), tmp_path)
    file = observed.home.config / "prometheus" / "prometheus.yml"
    done = subprocess.run([promtool, "check", "config", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.integration
def test_amtool_accepts_the_configuration(tmp_path: Path) -> None:
    try:
        amtool = find_alertmanager().amtool
    except ToolMissingError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    assert (checkout() / TEMPLATE).is_file()
    observed = _prepared(checkout(), tmp_path)
    file = observed.home.config / "alertmanager" / "alertmanager.yml"
    done = subprocess.run([amtool, "check-config", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "@" not in file.read_text()


@pytest.fixture
def small_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two rule files and a template; both programs are there."""
    root = tmp_path / "checkout"
    for name in ("monitoring/rules/golden.yaml", "monitoring/rules/istio.yaml", str(TEMPLATE)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("groups: []\n")
    program = tmp_path / "program"
    program.touch(mode=0o755)
    monkeypatch.setenv("TITANIUM_PROMETHEUS", str(program))
    monkeypatch.setenv("TITANIUM_ALERTMANAGER", str(program))
    return root


@pytest.mark.unit
def test_rules_are_copied_without_the_clusters_and_a_change_restarts_prometheus(
    small_checkout: Path, tmp_path: Path
) -> None:
    observed = _prepared(small_checkout, tmp_path)
    rules = observed.home.config / "prometheus" / "rules"
    assert [path.name for path in rules.iterdir()] == ["golden.yaml"]
    before = {spec.name: spec.configuration_hash() for spec in observed.processes()}
    (small_checkout / "monitoring/rules/golden.yaml").rename(
        small_checkout / "monitoring/rules/silver.yaml"
    )
    observed.prepare()
    assert [path.name for path in rules.iterdir()] == ["silver.yaml"]
    after = {spec.name: spec.configuration_hash() for spec in observed.processes()}
    assert {name for name in before if before[name] != after[name]} == {"prometheus"}


@pytest.mark.unit
def test_secrets_are_private_and_stay_the_same(small_checkout: Path, tmp_path: Path) -> None:
    observed = _prepared(small_checkout, tmp_path)
    token = observed.token.read_text()
    assert observed.token.stat().st_mode & 0o777 == 0o600
    assert configuration.scrape_token(observed.home).read_text() not in ("", token)
    observed.prepare()
    assert observed.token.read_text() == token


@pytest.mark.unit
def test_the_hash_of_a_password_is_made_anew_only_for_another() -> None:
    """Each hash is another, and a changed file restarts both servers."""
    first = configuration.web("a secret")
    assert configuration.web("a secret", first) == first
    assert "a secret" not in first
    for broken in ("", "{}", "[1]", '{"basic_auth_users": {"titanium": "x"}}', "\0"):
        assert json.loads(configuration.web("a secret", broken))["basic_auth_users"]
    assert configuration.web("another", first) != first


@pytest.mark.unit
def test_what_is_missing_is_one_note_and_the_rest_runs(
    small_checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TITANIUM_PROMETHEUS")
    monkeypatch.delenv("TITANIUM_ALERTMANAGER")
    monkeypatch.setenv("PATH", str(tmp_path))
    observed = _prepared(small_checkout, tmp_path)
    assert [spec.name for spec in observed.processes()] == ["exporter", "console"]
    (note,) = observed.notes
    assert note.startswith("Prometheus and Alertmanager are missing")
    assert "no apt-get" in note
    assert "TITANIUM_PROMETHEUS" in note


@pytest.mark.unit
def test_a_checkout_without_alertmanagers_template_is_told_so(
    small_checkout: Path, tmp_path: Path
) -> None:
    (small_checkout / TEMPLATE).unlink()
    observed = _prepared(small_checkout, tmp_path)
    assert "alertmanager" not in [spec.name for spec in observed.processes()]
    assert str(TEMPLATE) in observed.notes[0]


@pytest.mark.unit
def test_a_new_prometheus_soon_forgets_replicas_that_are_gone() -> None:
    """The time for which it shows what it saw last is over the longest interval of the rules."""
    spec = processes.prometheus_process(
        HOME, PORTS, Path("prometheus"), (Path("a.yml"), Path("w.yml"))
    )
    lookback = next(word for word in spec.argv if "lookback" in word)
    seconds = int(lookback.partition("=")[2].removesuffix("s"))
    rules = (checkout() / "monitoring" / "rules").glob("*.yaml")
    found = [re.findall(r"interval: (\d+)s", path.read_text("utf-8")) for path in rules]
    assert max(int(number) for numbers in found for number in numbers) < seconds <= 60
    assert f"move {HOME.data / 'prometheus'} away" in spec.hint
