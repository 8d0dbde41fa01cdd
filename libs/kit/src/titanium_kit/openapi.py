"""Prints a service's OpenAPI document: `python -m titanium_kit.openapi MODULE:FACTORY`.

Needs no database and no secret; `SERVICE` and `ENVIRONMENT=development` must be set.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module


def main() -> None:
    """Command line: one argument, `module:factory`."""
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit("usage: python -m titanium_kit.openapi MODULE:FACTORY")
    module, _, factory = sys.argv[1].partition(":")
    app = getattr(import_module(module), factory)()
    json.dump(app.openapi(), sys.stdout)


if __name__ == "__main__":
    main()
