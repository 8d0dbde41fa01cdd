"""The machine's figures under node_exporter's names."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from titanium.exporter.exposition import Family, counter, gauge


def families(state_folder: Path) -> list[Family]:
    """CPU, memory, load, and the disk of the state folder (`mountpoint="state"`)."""
    memory = psutil.virtual_memory()
    cpu = counter("node_cpu_seconds_total", "Seconds that the processors spent, by mode.")
    for mode, seconds in psutil.cpu_times()._asdict().items():
        # A guest's time is counted as the user's already.
        if not mode.startswith("guest"):
            cpu.add(seconds, mode=mode)
    found = [
        cpu,
        gauge("node_load1", "Load average of one minute.").add(os.getloadavg()[0]),
        gauge("node_memory_MemTotal_bytes", "Memory of the machine.").add(memory.total),
        gauge("node_memory_MemAvailable_bytes", "Memory that processes can still get.").add(
            memory.available
        ),
    ]
    try:
        disk = os.statvfs(state_folder)
    except OSError:
        return found
    return [
        *found,
        gauge("node_filesystem_avail_bytes", "Free space for ordinary users.").add(
            disk.f_bavail * disk.f_frsize, mountpoint="state"
        ),
        gauge("node_filesystem_size_bytes", "Size of the file system.").add(
            disk.f_blocks * disk.f_frsize, mountpoint="state"
        ),
    ]
