"""The text that Prometheus reads, and what it says of a platform."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.tests.exporter.support import STATUS, process
from titanium.exporter import machine
from titanium.exporter.exposition import counter, gauge, render
from titanium.exporter.platform import Platform
from titanium.exporter.redis import exposition, parse
from titanium.exporter.supervisor import Sight
from titanium.exporter.targets import discovery, source
from titanium.layout import Home

pytestmark = pytest.mark.unit


def read(text: bytes) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels in their order, and its value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_values_and_labels_are_written_as_prometheus_reads_them() -> None:
    """Counters keep their names, label values their quotes; what has no sample is left out."""
    odd = 'a "b"\\\nc'
    families = [
        counter("pg_x", "Help\nof two lines.").add(3, datname="y").add(0.25, datname=odd),
        gauge("g", "Help.").add(True).add(float("nan"), x="n").add(float("inf"), x=odd),
        gauge("nothing", "No sample."),
    ]
    text = render(families)
    assert text.decode().splitlines()[:4] == [
        r"# HELP pg_x Help\nof two lines.",
        "# TYPE pg_x counter",
        'pg_x{datname="y"} 3',
        r'pg_x{datname="a \"b\"\\\nc"} 0.25',
    ]
    assert b"nothing" not in text
    samples = read(text)
    assert samples["g",] == 1
    assert samples["g", odd] == float("inf")
    assert samples["g", "n"] != samples["g", "n"]


def test_a_status_becomes_metrics_of_each_process(tmp_path: Path) -> None:
    """A process of no service is a service of its own; one that is down has only a state."""
    samples = read(render(Platform(tmp_path).families(Sight(STATUS, 1000.0))))
    assert samples["titanium_supervisor_up",] == 1
    app = ("blog-0", "app", "blog")
    assert samples["titanium_process_ready", *app] == 1
    assert samples["titanium_process_restarts_total", *app] == 2
    assert samples["titanium_process_resident_memory_bytes", *app] == 50_000_000
    assert samples["titanium_process_cpu_seconds_total", *app] == 1.25
    assert samples["titanium_process_start_time_seconds", *app] == 987.5
    assert samples["titanium_process_ready", "gateway", "gateway", "gateway"] == 1
    down = ("user-0", "app", "user")
    assert samples["titanium_process_ready", *down] == 0
    assert ("titanium_process_cpu_seconds_total", *down) not in samples
    assert samples["titanium_fault_active", "blog"] == 1
    assert samples["titanium_fault_active", "user"] == 0


def test_a_start_time_changes_only_with_the_process(tmp_path: Path) -> None:
    """A status takes its time, and its uptimes are a little old."""
    platform = Platform(tmp_path)
    name = "titanium_process_start_time_seconds", "blog-0", "app", "blog"

    def start(now: float, pid: int) -> float:
        status = replace(STATUS, processes=(process("blog-0", "app", "blog", pid=pid),))
        return read(render(platform.families(Sight(status, now))))[name]

    assert [start(1000.0, 1), start(1000.9, 1), start(1001.0, 2)] == [987.5, 987.5, 988.5]


def test_without_a_supervisor_nothing_is_said_of_processes(tmp_path: Path) -> None:
    """Old figures would look like a healthy platform."""
    samples = read(render(Platform(tmp_path).families(Sight(None, 1000.0))))
    assert samples == {("titanium_supervisor_up",): 0}


def test_the_expiry_of_every_certificate_is_told(home: Home) -> None:
    """A replaced file is read again; a damaged one has expired for all that anyone can tell."""
    platform = Platform(home.certs)
    name = "titanium_certificate_expiry_timestamp_seconds"

    def expiries() -> dict[tuple[str, ...], float]:
        return read(render(platform.families(Sight(None, 0.0))))

    before = expiries()
    assert {key[1] for key in before if key[0] == name} == {
        "ca",
        "blog",
        "gateway",
        "gateway-https",
    }
    day = 86_400
    assert 363 * day < before[name, "ca"] - before[name, "blog"] < 366 * day
    damaged = home.certs / "blog" / "sds-identity.json"
    damaged.write_text("{}")
    os.utime(damaged, (1, 1))
    after = expiries()
    assert after[name, "blog"] == 0
    assert after[name, "gateway"] == before[name, "gateway"]


def test_the_machine_is_described_under_node_exporters_names(tmp_path: Path) -> None:
    """A state folder that is gone leaves out its disk and nothing else."""
    samples = read(render(machine.families(tmp_path)))
    assert samples["node_cpu_seconds_total", "idle"] > 0
    total = samples["node_memory_MemTotal_bytes",]
    assert 0 < samples["node_memory_MemAvailable_bytes",] < total
    size = samples["node_filesystem_size_bytes", "state"]
    assert 0 < samples["node_filesystem_avail_bytes", "state"] <= size
    without = read(render(machine.families(tmp_path / "none")))
    assert samples.keys() - without.keys() == {
        ("node_filesystem_avail_bytes", "state"),
        ("node_filesystem_size_bytes", "state"),
    }


def test_discovery_names_everything_that_is_scraped_through_the_exporter() -> None:
    """Processes with a TCP port of their own are not among them; those that are down are."""
    groups = discovery(STATUS.processes, 9901)
    assert all(group["targets"] == ["127.0.0.1:9901"] for group in groups)
    assert [tuple(group["labels"].values()) for group in groups] == [
        ("platform", "platform", "platform", "/platform/metrics"),
        ("postgres", "postgres", "postgres", "/postgres/metrics"),
        ("redis", "redis", "redis", "/redis/metrics"),
        ("app", "blog", "blog-0", "/processes/blog-0/metrics"),
        ("sidecar", "blog", "blog-0", "/processes/blog-0-sidecar/metrics"),
        ("app", "user", "user-0", "/processes/user-0/metrics"),
        ("gateway", "gateway", "gateway", "/processes/gateway/metrics"),
    ]
    assert list(groups[0]["labels"]) == ["job", "service", "instance", "__metrics_path__"]


def test_metrics_come_from_each_kinds_own_socket() -> None:
    """An app's from its own, a proxy's from its admin socket; other kinds have none."""
    home = Home(Path("/h"))
    found = {p.name: source(home, p) for p in STATUS.processes}
    assert found["blog-0"] == (Path("/h/run/blog-0/app.sock"), "/internal/metrics")
    envoy = "/stats/prometheus?usedonly"
    assert found["blog-0-sidecar"] == (Path("/h/run/blog-0/admin.sock"), envoy)
    assert found["gateway"] == (Path("/h/run/gateway/admin.sock"), envoy)
    assert [found[name] for name in ("postgres", "redis", "prometheus", "supervisor")] == [None] * 4


def test_info_of_redis_becomes_metrics() -> None:
    """Milliseconds become seconds; a database without keys, which INFO leaves out, has none."""
    info = (
        b"# Server\r\nuptime_in_seconds:7\r\n# Memory\r\nused_memory:1024\r\nmaxmemory:2048\r\n"
        b"# Commandstats\r\ncmdstat_client|id:calls=3,usec=1500,usec_per_call=500.00\r\n"
    )
    samples = read(render(exposition(parse(info))))
    assert samples["redis_memory_used_bytes",] == 1024
    assert samples["redis_commands_total", "client|id"] == 3
    assert samples["redis_commands_duration_seconds_total", "client|id"] == 0.0015
    assert samples["redis_db_keys", "db0"] == 0
    assert read(render(exposition(parse(b"db0:keys=5,expires=1\r\n"))))["redis_db_keys", "db0"] == 5
