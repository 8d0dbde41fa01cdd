#!/usr/bin/env python3
"""Takes the blog's pictures in docs/img again: a platform of its own, its demo content, a browser.

    scripts/screenshots.py [--url URL] [NAME...]

`--url` takes them of a platform that runs already (started without `--no-seed`). The console's
pictures come from tests/browser with TITANIUM_SCREENSHOTS=1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.blog.pictures import PICTURES, take
from tests.support import ROOT, running_platform

FOLDER = ROOT / "docs/img"
LARGEST_BYTES = 300 * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", help="of a running platform; default: one is started")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: docs/img")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PICTURES)}")
    options = parser.parse_args()
    unknown = set(options.names) - set(PICTURES)
    if unknown:
        parser.error(f"no picture is called {', '.join(sorted(unknown))}")
    names = options.names or list(PICTURES)
    large = False
    with platform(options.url) as url:
        for path in take(url, options.folder, names):
            size = path.stat().st_size
            large |= size > LARGEST_BYTES
            print(f"{path}: {size / 1000:.0f} kB{' - too large' if size > LARGEST_BYTES else ''}")
    return 1 if large else 0


@contextmanager
def platform(url: str | None) -> Iterator[str]:
    """The address of the platform that runs, or of one that runs meanwhile."""
    if url:
        yield url.rstrip("/")
    else:
        with running_platform() as running:
            yield running.url


if __name__ == "__main__":
    sys.exit(main())
