"""More than a hundred texts that try to run a script in the reader's browser, one a line."""

from __future__ import annotations

from pathlib import Path

PAYLOADS = Path(__file__).with_name("payloads.txt").read_text("utf-8").split("\n")[:-1]
