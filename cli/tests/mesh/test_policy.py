"""policy.toml and edge.toml are refused in words when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanium.catalog import load_catalog
from titanium.errors import ConfigurationError
from titanium.mesh import load_edge, load_policy
from titanium.mesh.policy import Limit

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]


def copy(root: Path, tmp_path: Path, file: str, old: str, new: str) -> Path:
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path


def test_the_real_files_load_and_fit_the_catalog() -> None:
    policy = load_policy(ROOT)
    policy.check(load_catalog(ROOT))
    assert policy.limits["read"] == Limit(requests=100, per_seconds=1, burst=200)
    assert policy.limits["preview"] == Limit(requests=10, per_seconds=1, burst=20)
    assert policy.limits["login"] == Limit(requests=10, per_seconds=60, burst=10)
    assert policy.edge.max_body_bytes == 1024 * 1024


def test_the_real_content_security_policy_is_strict() -> None:
    policy = load_edge(ROOT).headers["content-security-policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'none'", "object-src 'none'", "base-uri 'none'"):
        assert directive in policy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("connect_ms = 500", "connect_ms = 0", "timeouts.connect_ms:"),
        ("connect_ms = 500", "connect_ms = 0.5", "timeouts.connect_ms:"),
        ("connect_ms = 500", "connect_s = 1", "timeouts.connect_s: unknown key"),
        ("call_seconds = 5", "call_seconds = 15", "call_seconds must be below request_seconds"),
        ("budget_percent = 20", "budget_percent = 90", "retries.budget_percent:"),
        ("header_timeout_seconds = 5", "header_timeout_seconds = 10", "header_timeout_seconds:"),
        ('limit_unknown = "read"', 'limit_unknown = "none"', "no [limits.none]"),
        ("idle_seconds = 30", "idle_seconds = 60", "must be below edge.idle_timeout_seconds"),
        ("burst = 200", "burst = 0", "limits.read.burst:"),
        ("burst = 200", "burst = 200\nsize = 1", "limits.read.size: unknown key"),
        ("sampling_percent = 1 ", "sampling_percent = 101 ", "tracing.sampling_percent:"),
        ("sampling_percent = 1 ", "sampled = 1 ", "tracing.sampled: unknown key"),
    ],
)
def test_a_wrong_policy_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    root = copy(ROOT, tmp_path, "mesh/policy.toml", old, new)
    with pytest.raises(ConfigurationError, match=r"policy\.toml") as caught:
        load_policy(root)
    assert message in caught.value.message


def test_without_limits_everything_else_stays() -> None:
    policy = load_policy(ROOT)
    unlimited = policy.unlimited()
    assert set(unlimited.limits) == set(policy.limits)
    assert min(limit.burst for limit in unlimited.limits.values()) == 1_000_000
    assert unlimited.edge == policy.edge


def test_a_route_with_an_unknown_class_is_named(tmp_path: Path) -> None:
    root = copy(ROOT, tmp_path, "mesh/policy.toml", "[limits.login]", "[limits.signin]")
    with pytest.raises(ConfigurationError, match=r"routes\[0\]\.limit") as caught:
        load_policy(root).check(load_catalog(ROOT))
    assert "signin" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"http://localhost:3000"', '"*"', "cors.allow_origins[0]:"),
        ('x-content-type-options = "nosniff"', 'x-content-type-options = "%x"', "headers."),
        ('minimum_version = "1.2"', 'minimum_version = "1.1"', "tls.minimum_version:"),
        ("[tls]", "[tls]\nciphers = 1", "tls.ciphers: unknown key"),
        ("minimum_bytes = 512", "minimum_bytes = 0", "compression.minimum_bytes:"),
        ('"text/css"', '"text/*"', "compression.content_types["),
    ],
)
def test_a_wrong_edge_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    root = copy(ROOT, tmp_path, "services/gateway/edge.toml", old, new)
    with pytest.raises(ConfigurationError, match=r"edge\.toml") as caught:
        load_edge(root)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("requests", "per_seconds", "fill", "retry_after"),
    [
        (100, 1, (5, 50), 1),
        (10, 1, (1, 100), 1),
        (10, 60, (1, 6000), 6),
        (1, 1, (1, 1000), 1),
        (7, 3600, (1, 514285), 515),
        (1_000_000, 1, (50_000, 50), 1),
    ],
)
def test_buckets_fill_as_evenly_as_envoy_permits(
    requests: int, per_seconds: int, fill: tuple[int, int], retry_after: int
) -> None:
    limit = Limit(requests=requests, per_seconds=per_seconds, burst=10)
    assert limit.fill == fill
    assert limit.fill[1] >= 50
    assert limit.retry_after_seconds == retry_after
