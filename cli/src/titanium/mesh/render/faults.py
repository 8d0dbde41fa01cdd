"""Faults that people inject: none until runtime keys say so."""

from __future__ import annotations

from titanium.mesh.render.parts import Json, http_filter


def fault_filter() -> Json:
    """The fault filter of an inbound listener; see `titanium.mesh.faults` for what steers it.

    Without a delay and an abort in the configuration Envoy would ignore the runtime keys.
    """
    nothing = {"numerator": 0, "denominator": "HUNDRED"}
    content = {
        "delay": {"fixed_delay": "0.001s", "percentage": nothing},
        "abort": {"http_status": 503, "percentage": nothing},
        "disable_downstream_cluster_stats": True,
    }
    return http_filter("fault", "fault.v3.HTTPFault", content)
