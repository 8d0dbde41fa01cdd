#!/usr/bin/env python3
"""Draw the network of a plan of terraform/environments/aws.

usage: .venv/bin/python scripts/draw-network.py PLAN.json [--output FILE.svg]

PLAN.json is what `terraform plan -out=plan && terraform show -json plan` prints. Without --output
the picture is docs/img/network.svg, which a test compares with the plan of profile light. After a
change `make picture` draws it anew, against the emulator and without an account.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "img" / "network.svg"


def main() -> int:
    """Exit status 0, or that of titanium's errors with one line that says what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", type=Path, help="output of terraform show -json")
    parser.add_argument("--output", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    from titanium.errors import TitaniumError
    from titanium.picture.draw import draw
    from titanium.picture.read import read

    try:
        document = json.loads(arguments.plan.read_text("utf-8"))
        arguments.output.write_text(draw(read(document)), "utf-8")
    except TitaniumError as error:
        print(f"draw-network: {error.message}\n{error.hint}", file=sys.stderr)
        return error.exit_code
    except (OSError, ValueError) as error:
        print(f"draw-network: {arguments.plan}: {error}", file=sys.stderr)
        return 1
    print(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
