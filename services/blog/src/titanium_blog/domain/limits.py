"""Bounds on what people may send. Lengths are in Unicode code points."""

from __future__ import annotations

TITLE = 200
CONTENT = 100_000
CATEGORY_NAME = 50
USERNAME = 64
QUERY = 200
IDEMPOTENCY_KEY = 200

PAGE = 100
DEFAULT_PAGE = 20
OFFSET = 10_000
ID = 2**63 - 1

HTML = 1_000_000
