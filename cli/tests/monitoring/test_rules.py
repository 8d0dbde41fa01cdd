"""The rules hold together: names, engines, alerts, runbooks; test_tools.py runs them."""

from __future__ import annotations

import re

import pytest

from cli.tests.monitoring.rulefiles import (
    ENGINES,
    MONITORING,
    ROOT,
    RULE_FILES,
    TESTS,
    Rule,
    alerts,
    common_files,
    load,
    metric_names,
    recorded,
    rules,
)

pytestmark = pytest.mark.unit

RUNBOOKS = ROOT / "docs" / "runbooks"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
# What dashboards, alerts and the console may rely on, whichever engine runs below.
CONTRACT = {
    "service:http_requests:rate1m",
    "service:http_request_duration_milliseconds_bucket:rate1m",
    "service_pair:http_requests:rate1m",
    "service_pair:http_request_duration_milliseconds_bucket:rate1m",
    "service_pair:mtls:ratio",
    "service:instances:count",
    "service:instances_up:sum",
    "service:memory_bytes:sum",
    "service:cpu_cores:rate1m",
    "service:memory:saturation_ratio",
    "service:cpu:saturation_ratio",
    "service:restarts:increase15m",
    "process:restarts:increase5m",
    "gateway:rate_limited:rate1m",
    "gateway:connections:sum",
    "mesh:certificate_expiry_seconds:min",
    "state_disk:free_ratio",
    "service:http_requests_all:rate1m",
    "service:http_errors:rate1m",
    "service:http_errors:ratio_rate1m",
    "service:http_request_duration_seconds:quantile_rate1m",
    "service_pair:http_request_duration_seconds:quantile_rate1m",
    "service:cache_hits:ratio_rate5m",
    "service:database_pool:saturation_ratio",
    "route:http_requests:rate1m",
    "route:http_request_duration_seconds:p95_rate1m",
    "postgres:connections:saturation_ratio",
    "postgres:cache_hits:ratio_rate5m",
    "redis:memory:saturation_ratio",
    "service:slo_objective:ratio",
    "service:http_slow:rate1m",
    *(f"service:slo_errors:ratio_rate{window}" for window in WINDOWS),
    "service:error_budget:remaining_ratio",
}
# Names of the applications and of exporters that are the same everywhere.
COMMON = re.compile(
    r"(pg|redis|node|process|python)_\w+|up"
    r"|http_server_request_duration_seconds_(bucket|count|sum)"
    r"|titanium_(cache_lookups_total|database_pool_connections|log_lines_total)"
)
RAW = {
    "local": re.compile(r"envoy_\w+|titanium_(process|certificate)_\w+|node_\w+|up"),
    "istio": re.compile(r"(istio|kube|container|kubelet|envoy|certmanager|citadel)_\w+"),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_records_every_name(engine: str) -> None:
    assert recorded(engine, *common_files()) >= CONTRACT


def test_both_engines_record_the_same_names() -> None:
    assert recorded("local") == recorded("istio")


@pytest.mark.parametrize("engine", ENGINES)
def test_names_that_are_read_exist_with_either_engine(engine: str) -> None:
    known = recorded(engine, *common_files())
    for rule in rules(engine, *common_files()):
        used = {name for name in metric_names(rule.expression) if ":" in name}
        assert used <= known, f"{rule.file}: {rule.name}"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engines_file_reads_only_that_engine(engine: str) -> None:
    for rule in rules(engine):
        for name in metric_names(rule.expression):
            assert ":" in name or RAW[engine].fullmatch(name), f"{rule.name} reads {name}"


def test_everything_else_reads_nothing_of_an_engine() -> None:
    for rule in rules(*common_files()):
        for name in metric_names(rule.expression):
            assert ":" in name or COMMON.fullmatch(name), f"{rule.file}: {rule.name} reads {name}"


def test_metric_names_are_told_from_everything_else_in_an_expression() -> None:
    expression = """
      sum by (service) (rate(a_total{b="c_total"}[5m])) # d
      / on (service) group_left (x) e:f:g unless on () label_replace(h, "i", "$1", "j", "(.+)")
      and present_over_time(k:l[6h] offset 1h) > bool 1e3 or vector(1)
    """
    assert metric_names(expression) == {"a_total", "e:f:g", "h", "k:l"}


def test_every_group_says_how_often_it_is_evaluated() -> None:
    for path in RULE_FILES:
        for group in load(path)["groups"]:
            assert "interval" in group, f"{path.name}: {group['name']}"


def _tested(path_stem: str) -> set[str]:
    (path,) = [path for path in TESTS if path.stem == path_stem]
    return {
        name
        for test in load(path)["tests"]
        for case in test["promql_expr_test"]
        for name in metric_names(case["expr"])
    }


@pytest.mark.parametrize("file", [*ENGINES, "golden"])
def test_every_recorded_name_has_a_unit_test(file: str) -> None:
    assert recorded(file) <= _tested(file)


def test_every_recorded_name_of_the_objectives_has_a_unit_test() -> None:
    by_pattern = {f"service:slo_errors:ratio_rate{window}" for window in WINDOWS}
    assert recorded("slo", "burn") <= _tested("burn") | by_pattern


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_says_what_people_need(alert: Rule) -> None:
    labels, annotations = alert.body["labels"], alert.body["annotations"]
    assert re.fullmatch(r"Titanium[A-Z][A-Za-z]+", alert.name)
    assert labels["severity"] in ("critical", "warning", "info")
    assert {"summary", "description", "runbook_url"} == annotations.keys()
    assert annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"
    assert (ROOT / annotations["runbook_url"]).is_file()
    assert annotations["description"].endswith(".")
    assert not annotations["summary"].endswith(".")


def test_every_alert_has_a_test_that_it_fires_and_one_that_it_stays_silent() -> None:
    fires: set[tuple[str, str]] = set()
    silent: set[str] = set()
    for path in TESTS:
        for test in load(path)["tests"]:
            for case in test.get("alert_rule_test", ()):
                name = case["alertname"]
                silent |= set() if case["exp_alerts"] else {name}
                fires |= {(name, one["exp_labels"]["severity"]) for one in case["exp_alerts"]}
                for one in case["exp_alerts"]:
                    assert one["exp_labels"].get("service"), f"{path.name}: {name} has no service"
    assert {(alert.name, alert.body["labels"]["severity"]) for alert in alerts()} == fires
    assert {alert.name for alert in alerts()} == silent


def test_every_window_of_the_burn_rates_has_a_test_that_it_fires() -> None:
    windows = {
        one["exp_labels"]["window"]
        for path in TESTS
        for test in load(path)["tests"]
        for case in test.get("alert_rule_test", ())
        for one in case["exp_alerts"]
        if case["alertname"] == "TitaniumErrorBudgetBurn"
    }
    assert windows == {"1h", "6h", "1d", "3d"}


def test_there_is_a_runbook_for_every_alert_and_no_other() -> None:
    names = {alert.name for alert in alerts()}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"index"} == names
    index = (RUNBOOKS / "index.md").read_text("utf-8")
    assert names == set(re.findall(r"\]\((\w+)\.md\)", index))


@pytest.mark.parametrize("name", sorted({alert.name for alert in alerts()}))
def test_a_runbook_answers_the_same_questions_as_every_other(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "First look",
        "Likely causes",
        "Fix",
        "Verify",
    ]
    assert "titanium " in text
    assert "kubectl" in text


def test_both_alertmanagers_inhibit_the_same() -> None:
    local, cluster = (load(MONITORING / "alertmanager" / f"{n}.yaml") for n in ("local", "cluster"))
    assert local["inhibit_rules"] == cluster["inhibit_rules"]


def test_inhibition_names_alerts_that_exist() -> None:
    text = (MONITORING / "alertmanager" / "local.yaml").read_text("utf-8")
    names = set(re.findall(r"Titanium[A-Z]\w+", text))
    assert names <= {alert.name for alert in alerts()}
