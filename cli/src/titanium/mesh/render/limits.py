"""Token buckets per client and class, and the headers that tell clients about them.

One filter holds every class, and a route only names its class in its metadata. So all routes
of a class draw on one bucket per client; a configuration per route would give a client a
fresh budget on each of them.
"""

from __future__ import annotations

from titanium.mesh.policy import Limit, Policy
from titanium.mesh.render.parts import Json, header, http_filter, milliseconds

METADATA = "titanium"
# Answers that passed the limiter carry this header already, with a value that the mutation below
# replaces; answers to requests refused before it (not HTTP, no route) stay without.
PLACEHOLDER = header("ratelimit", "limited")
_CLASS = "class"
_CLIENT = "masked_remote_address"
# A descriptor always matches, so the bucket for "the rest" is never asked; it only must exist.
_UNUSED_BUCKET = {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"}


def route_metadata(limit_class: str, limit: Limit) -> Json:
    """What a route says about its class; read by the filters below."""
    return {
        "filter_metadata": {
            METADATA: {
                _CLASS: limit_class,
                "policy": f'"{limit_class}";q={limit.burst};w={_window(limit)}',
                "retry_after": str(limit.retry_after_seconds),
            }
        }
    }


def limit_filter(policy: Policy) -> Json:
    """The local_ratelimit filter for the whole listener."""
    actions = [
        {
            "metadata": {
                "descriptor_key": _CLASS,
                "metadata_key": {"key": METADATA, "path": [{"key": _CLASS}]},
                "source": "ROUTE_ENTRY",
                "default_value": policy.edge.limit_unknown,
            }
        },
        # Whoever has one IPv6 address usually has a whole /64.
        {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}},
    ]
    everyone = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    content = {
        "stat_prefix": "limit",
        "filter_enabled": everyone,
        "filter_enforced": everyone,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "always_consume_default_token_bucket": False,
        "max_dynamic_descriptors": policy.edge.clients_tracked,
        "token_bucket": _UNUSED_BUCKET,
        "rate_limits": [{"actions": actions}],
        "descriptors": [_descriptor(name, limit) for name, limit in policy.limits.items()],
        "response_headers_to_add": [
            header("retry-after", _route("retry_after")),
            PLACEHOLDER,
        ],
    }
    return http_filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", content)


def header_mutations() -> list[Json]:
    """Response mutations that turn Envoy's x-ratelimit-* into RateLimit and RateLimit-Policy."""
    remaining = "r=%RESP(x-ratelimit-remaining)%;t=%RESP(x-ratelimit-reset)%"
    counts = f'"{_route(_CLASS)}";{remaining}'
    gone = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    return [
        {"append": header("ratelimit", counts, "OVERWRITE_IF_EXISTS")},
        {"append": header("ratelimit-policy", _route("policy"))},
        *({"remove": name} for name in gone),
    ]


def _descriptor(name: str, limit: Limit) -> Json:
    tokens, interval = limit.fill
    return {
        "entries": [{"key": _CLASS, "value": name}, {"key": _CLIENT}],
        "token_bucket": {
            "max_tokens": limit.burst,
            "tokens_per_fill": tokens,
            "fill_interval": milliseconds(interval),
        },
    }


def _window(limit: Limit) -> int:
    """Seconds in which an empty bucket is full again, rounded up."""
    return max(1, -(-limit.burst * limit.per_seconds // limit.requests))


def _route(key: str) -> str:
    return f"%METADATA(ROUTE:{METADATA}:{key})%"
