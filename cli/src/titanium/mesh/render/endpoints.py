"""EDS documents: where the instances of a service are."""

from __future__ import annotations

from collections.abc import Sequence

from titanium.mesh.render.parts import Json, tcp, typed
from titanium.mesh.topology import Endpoint


def render_endpoints(service: str, endpoints: Sequence[Endpoint]) -> Json:
    """The file that every proxy calling `service` watches; an empty list is allowed."""
    hosts = [{"endpoint": {"address": tcp(one.address, one.port)}} for one in endpoints]
    assignment = {"cluster_name": service, "endpoints": [{"lb_endpoints": hosts}]}
    return {"resources": [typed("config.endpoint.v3.ClusterLoadAssignment", assignment)]}
