"""`python -P -m titanium.console HOME`: the console's process, started by the supervisor."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from titanium import state
from titanium.checkout import checkout
from titanium.errors import TitaniumError


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    try:
        home = state.find_home(Path(arguments[0]))
        # NiceGUI would keep a folder of its own where the process happens to stand.
        os.environ.setdefault("NICEGUI_STORAGE_PATH", str(home.run / "console"))
        from titanium.console.app import ports_from_environment, serve

        asyncio.run(serve(home, ports_from_environment(), checkout()))
    except TitaniumError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)  # noqa: T201 - its log
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
