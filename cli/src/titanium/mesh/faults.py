"""What a sidecar is told to inject or end a fault (`POST /runtime_modify` on its admin socket).

A sidecar that is started anew knows nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from titanium.supervise.protocol import FaultRequest

# Percent of requests that meet the fault filter at all.
SWITCH = "titanium.fault_percent"
_DELAY_PERCENT = "fault.http.delay.fixed_delay_percent"
_DELAY_MS = "fault.http.delay.fixed_duration_ms"
_ABORT_PERCENT = "fault.http.abort.abort_percent"
_ABORT_STATUS = "fault.http.abort.http_status"


def runtime_settings(fault: FaultRequest | None) -> dict[str, str]:
    """Runtime keys and their values; an empty value takes a key back. None ends every fault.

    All keys are named each time, so that a new fault replaces the one before it.
    """
    names = (SWITCH, _DELAY_PERCENT, _DELAY_MS, _ABORT_PERCENT, _ABORT_STATUS)
    settings = dict.fromkeys(names, "")
    if fault is None or fault.seconds == 0:
        return settings
    settings[SWITCH] = "100"
    if fault.delay_ms:
        settings[_DELAY_PERCENT] = str(fault.percent)
        settings[_DELAY_MS] = str(fault.delay_ms)
    if fault.abort_status:
        settings[_ABORT_PERCENT] = str(fault.percent)
        settings[_ABORT_STATUS] = str(fault.abort_status)
    return settings
