"""Which of Envoy's thousands of figures are kept, and the bounds of its histograms."""

from __future__ import annotations

from titanium.mesh.render.parts import Json

# Milliseconds. Those of Istio besides 2.5: one dashboard reads both.
HISTOGRAM_BOUNDS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)

_HTTP = (
    r"downstream_rq_([1-5]xx|time|total|active|timeout|too_large|rx_reset|overload_close)",
    r"downstream_cx_(active|total|overload_.*|protocol_error|idle_timeout)",
    r"rbac\.(allowed|denied)",
    r"fault\.(aborts_injected|delays_injected|active_faults|faults_overflow)",
    r"tracing\.(random_sampling|service_forced|not_traceable)",
)
_CLUSTER = (
    r"upstream_rq_([1-5]xx|time|total|active|timeout|pending_(active|overflow)|retry(_.*)?)",
    r"upstream_cx_(active|total|connect_fail|connect_timeout|overflow)",
    r"ssl\.(handshake|connection_error|fail_verify_.*)",
    r"membership_(healthy|total)",
    r"outlier_detection\.ejections_(active|enforced_total)",
    r"circuit_breakers\.default\.(cx|rq|rq_pending|rq_retry)_open",
)
_LISTENER = (
    r"downstream_cx_(active|total|overflow|overload_reject)",
    r"downstream_global_cx_overflow",
    r"ssl\.(handshake|connection_error|no_certificate|fail_verify_.*)",
)
_SERVER = r"(uptime|live|state|concurrency|memory_.*|total_connections|days_until_first_cert_.*)"
_KEPT = (
    rf"http\.(inbound|egress|gateway_https?)\.({'|'.join(_HTTP)})",
    rf"cluster\.[^.]+\.({'|'.join(_CLUSTER)})",
    # Addresses only: neither each worker's share nor the admin interface.
    rf"listener\.[0-9a-f._\[\]]+\.({'|'.join(_LISTENER)})",
    rf"server\.{_SERVER}",
    r"[^.]+\.http_local_rate_limit\.(enabled|ok|rate_limited|enforced)",
    r"overload\..*\.(pressure|active)",
    r"tracing\.opentelemetry\..*",
    r"runtime\.(num_keys|load_success|load_error|admin_overrides_active)",
)


def stats_config() -> Json:
    """`stats_config` of every bootstrap: what is not in the list is never counted."""
    inclusions = [{"safe_regex": {"regex": pattern}} for pattern in _KEPT]
    return {
        "histogram_bucket_settings": [
            {"match": {"safe_regex": {"regex": ".*"}}, "buckets": list(HISTOGRAM_BOUNDS)}
        ],
        "stats_matcher": {"inclusion_list": {"patterns": inclusions}},
    }
