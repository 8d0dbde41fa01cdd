"""Access logs, one JSON object a line."""

from __future__ import annotations

from pathlib import Path

from titanium.mesh.render.parts import Json, typed

CLIENT = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
# The query is left out: search words and whatever people paste there are nobody's business.
_FIELDS = {
    "ts": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": "%TRACE_ID%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:ORIG_OR_PATH)%",
    "status": "%RESPONSE_CODE%",
    "duration_ms": "%DURATION%",
    "flags": "%RESPONSE_FLAGS%",
}


def edge_log(path: Path, only: Json | None = None) -> Json:
    """Requests at the gateway (those that `only` lets pass), to a file."""
    fields = {
        **_FIELDS,
        "level": "info",
        "service": "gateway",
        "event": "request",
        "client": CLIENT,
        "protocol": "%PROTOCOL%",
        "user_agent": "%REQ(USER-AGENT):200%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "details": "%RESPONSE_CODE_DETAILS%",
    }
    message = "extensions.access_loggers.file.v3.FileAccessLog"
    return {
        "name": "envoy.access_loggers.file",
        **({"filter": only} if only else {}),
        "typed_config": typed(message, {"path": str(path), **_format(fields)}),
    }


def sidecar_log(service: str, instance: str, event: str) -> Json:
    """Denials and failures only, to standard output.

    The gateway's log and the app's own already hold a line for every request; a third would
    cost time on the hot path and say nothing new. What only the sidecar knows is what it
    refused or could not deliver.
    """
    fields = {
        **_FIELDS,
        "level": "warning",
        "service": service,
        "instance": instance,
        "event": event,
        "caller": "%DOWNSTREAM_PEER_URI_SAN%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    }
    comparisons = [_status("EQ", 403), _status("GE", 500)]
    message = "extensions.access_loggers.stream.v3.StdoutAccessLog"
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"or_filter": {"filters": comparisons}},
        "typed_config": typed(message, _format(fields)),
    }


def _status(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": f"access_log.{comparison.lower()}.{status}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _format(fields: dict[str, str]) -> Json:
    return {"log_format": {"json_format": fields}}
