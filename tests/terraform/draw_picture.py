"""Draws docs/img/network.svg anew (`make picture`) from a plan of profile light in the emulator,
without an account. The test of the picture has a plan at hand; this makes one, in a minute.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from tests.terraform.support import ACCOUNT, ROOT, emulator, environment, planned
from titanium.errors import TitaniumError
from titanium.picture.draw import draw
from titanium.picture.read import read

PICTURE = ROOT / "docs" / "img" / "network.svg"


def main() -> int:
    """Exit status 0, or 1 with what is missing or wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            with emulator(folder / "moto.log") as url:
                plan = planned(environment(folder, ACCOUNT, url), "-var-file=light.tfvars")
        except pytest.skip.Exception as reason:
            print(reason, file=sys.stderr)
            return 1
        except TitaniumError as error:
            print(error.message, error.hint, *error.details, sep="\n", file=sys.stderr)
            return 1
    PICTURE.write_text(draw(read(plan)), "utf-8")
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
