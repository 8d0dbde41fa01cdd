"""`python -m titanium.supervise HOME OPTIONS FD`: the supervisor's process, started by `up`.

OPTIONS is JSON; FD is the pipe on which `up` hears events and the result of the start.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path

from titanium import state
from titanium.checkout import checkout
from titanium.errors import TitaniumError
from titanium.supervise import journal
from titanium.supervise.protocol import Event, Result, encode


class Pipe:
    """Tells the starter; forgets it when it has gone or does not listen."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)

    def __call__(self, message: Event | Result) -> None:
        if self._descriptor < 0:
            return
        try:
            os.write(self._descriptor, encode(message))
        except BlockingIOError:
            return
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1


def main(arguments: list[str]) -> int:
    home, options, descriptor = arguments
    # Whatever our processes write (logs, sockets) is for this user alone.
    os.umask(0o077)
    report = Pipe(int(descriptor))
    try:
        from titanium.supervise.service import supervise

        folder = state.find_home(Path(home))
        asyncio.run(supervise(folder, state.Options(**json.loads(options)), checkout(), report))
    except TitaniumError as error:
        journal.log("error", "could not run", message=error.message, hint=error.hint)
        report(Result.failure(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - told to the starter and kept in the log
        journal.log("error", "crashed", traceback=traceback.format_exc())
        failure = TitaniumError(
            f"the supervisor failed: {type(error).__name__}: {error}",
            "This is a fault in titanium; its traceback is in logs/supervisor.log.",
        )
        report(Result.failure(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
