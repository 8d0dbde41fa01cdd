"""Keeps log files small: the processes hold them open in append mode, so they are cut in place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LIMIT = 32 * 1024 * 1024


def rotate(folder: Path, limit: int = LIMIT) -> list[str]:
    """Move what a log over `limit` bytes holds to `<name>.1` and empty it; names of those cut.

    Lines written between copy and cut are lost: a fair price for needing nothing from the
    writers.
    """
    cut = []
    for path in folder.glob("*.log"):
        try:
            if path.stat().st_size <= limit:
                continue
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            path.with_name(f"{path.name}.1").chmod(0o600)
        except OSError:
            # No room for the copy: the old lines are worth less than a working disk.
            path.with_name(f"{path.name}.1").unlink(missing_ok=True)
        os.truncate(path, 0)
        cut.append(path.name)
    return cut
