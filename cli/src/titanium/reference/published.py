"""The generated reference as the gateway publishes it: two files of `docs/reference`."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

# What a checkout without a generated reference publishes instead.
NO_DOCUMENT = "{}\n"
NO_PAGE = "<!doctype html>\n<title>no reference in this checkout</title>\n"


@dataclass(frozen=True, slots=True)
class Published:
    """The OpenAPI document, the page, and the CSP source of the page's only style element."""

    openapi: str
    page: str

    @property
    def style(self) -> str:
        """`'sha256-...'` (Content Security Policy level 3, 2.3.1)."""
        style = self.page.partition("<style>")[2].partition("</style>")[0]
        digest = hashlib.sha256(style.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


def read_published(root: Path) -> Published:
    """The reference of the checkout at `root`, or what says that there is none."""
    folder = root / "docs" / "reference"
    return Published(
        _text(folder / "openapi.json", NO_DOCUMENT), _text(folder / "api.html", NO_PAGE)
    )


def _text(path: Path, otherwise: str) -> str:
    return path.read_text("utf-8") if path.is_file() else otherwise
