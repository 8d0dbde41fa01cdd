"""Points in time as people write them."""

from __future__ import annotations

import re
from datetime import datetime

from titanium.errors import UsageError

_AGO = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(s|m|h|d|w)", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def moment(text: str, option: str, now: float) -> float:
    """Seconds since the epoch of `10m` (ago), `2h`, `2026-11-21`, `2026-11-21T03:00`, `...Z`.

    A time without a zone is local time. UsageError names the option.
    """
    if (ago := _AGO.fullmatch(text.strip())) is not None:
        return now - float(ago[1]) * _SECONDS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{option} {text!r} is no point in time",
            "Write 30s, 10m, 2h or 3d (ago), or a time: 2026-11-21T03:00 or 2026-11-21T03:00:00Z.",
        ) from None
