"""Whether a TCP port on loopback is free, and who has it when it is not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection

from titanium.errors import PortBusyError
from titanium.layout import HOST
from titanium.supervise.procfs import port_holder


def check_port(port: int, wanted_by: str, ours: Collection[int] = ()) -> None:
    """PortBusyError, naming the holder, unless the port is free or a process of `ours` has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise PortBusyError(
                    f"port {port} ({wanted_by}) may only be used by root",
                    "Choose ports above 1023: titanium up --port-base N.",
                ) from None
            if error.errno != errno.EADDRINUSE:
                raise PortBusyError(
                    f"port {port} ({wanted_by}) cannot be used: {error.strerror}",
                    "Choose other ports: titanium up --port-base N.",
                ) from None
        else:
            return
    holder = port_holder(port)
    if holder is not None and holder.pid in ours:
        return
    raise PortBusyError(
        f"port {port} ({wanted_by}) is in use by {holder or 'another process'}",
        "Stop that process, or choose other ports: titanium up --port-base N.",
    )
