"""Categories are made by naming them: how a name becomes a key, a slug and a colour."""

from __future__ import annotations

import colorsys
import hashlib
import re
import unicodedata
from dataclasses import dataclass

DEFAULT_NAME = "General"
SATURATION = 0.62
CONTRAST = 4.6
"""Against white; WCAG 2.2 AA asks for 4.5."""
SLUG = 60


def _luminance(red: float, green: float, blue: float) -> float:
    """Relative luminance (WCAG 2.2) of sRGB components between 0 and 1."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def contrast_with_white(color: str) -> float:
    """The WCAG contrast ratio of `#rrggbb` and white, 1 to 21."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 1.05 / (_luminance(red, green, blue) + 0.05)


def color_of(key: str) -> str:
    """A colour that depends on the key alone and is readable under and as white text."""
    hue = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=2).digest(), "big") % 360
    lightness = 0.5
    while True:
        parts = colorsys.hls_to_rgb(hue / 360, lightness, SATURATION)
        color = "#" + "".join(f"{round(part * 255):02x}" for part in parts)
        if contrast_with_white(color) >= CONTRAST:
            return color
        lightness -= 0.01


def slug_of(key: str) -> str:
    """A stable address part: letters (Hangul too) and digits, joined by single hyphens.

    When that loses something (`c++`, `c#`), a digest follows after two hyphens, which a name
    alone can never give: keys with different slugs stay apart.
    """
    words = "-".join(re.findall(r"[^\W_]+", key))[:SLUG].strip("-")
    if words.replace("-", " ") == key:
        return words
    digest = hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
    return f"{words or 'category'}--{digest}"


@dataclass(frozen=True, slots=True)
class CategoryName:
    """A category as somebody names it; two names with one `key` are one category."""

    name: str

    @classmethod
    def of(cls, text: str | None) -> CategoryName:
        """From what a person typed; nothing or blank means the default category."""
        name = " ".join(unicodedata.normalize("NFC", text or "").split())
        return cls(name or DEFAULT_NAME)

    @property
    def key(self) -> str:
        """What makes two names the same: compatibility forms and case are folded."""
        folded = unicodedata.normalize("NFKC", self.name).casefold()
        return " ".join(unicodedata.normalize("NFC", folded).split())

    @property
    def slug(self) -> str:
        """Unique among keys."""
        return slug_of(self.key)

    @property
    def color(self) -> str:
        """`#rrggbb`."""
        return color_of(self.key)
