"""Faults that people inject: none until runtime keys say so."""

from __future__ import annotations

from titanium.mesh.faults import SWITCH
from titanium.mesh.render.parts import Json, http_filter, typed

_NONE = {"numerator": 0, "denominator": "HUNDRED"}


def fault_filter() -> Json:
    """The fault filter of an inbound listener; see `titanium.mesh.faults` for what steers it.

    Only requests on a `faulty` route meet it: a filter that has nothing to do costs, too. Without a
    delay and an abort in the configuration Envoy would ignore the runtime keys.
    """
    content = {
        "delay": {"fixed_delay": "0.001s", "percentage": _NONE},
        "abort": {"http_status": 503, "percentage": _NONE},
        "disable_downstream_cluster_stats": True,
    }
    return {**http_filter("fault", "fault.v3.HTTPFault", content), "disabled": True}


def faulty(route: Json) -> Json:
    """The same route through the fault filter, taken while a fault is injected."""
    chosen = {"runtime_fraction": {"default_value": _NONE, "runtime_key": SWITCH}}
    enabled = typed("config.route.v3.FilterConfig", {"config": {}})
    return {
        **route,
        "match": {**route["match"], **chosen},
        "typed_per_filter_config": {"envoy.filters.http.fault": enabled},
    }
