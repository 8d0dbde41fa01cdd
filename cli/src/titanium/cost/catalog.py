"""The price catalogue: a dated TOML file a region, and prices of one's own on top."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field

from titanium.cost.model import Price
from titanium.declared import Declared, read
from titanium.errors import ConfigurationError

FOLDER = Path(__file__).parent / "prices"
DEFAULT_REGION = "ap-northeast-2"


class _Price(Declared):
    usd: Annotated[Decimal, Field(ge=0)]
    per: str
    derived: str = ""
    note: str = ""


class _Additions(Declared):
    """A file given with --prices."""

    prices: dict[str, _Price] = Field(default_factory=dict)
    free: dict[str, str] = Field(default_factory=dict)
    eks_standard_support: dict[str, datetime.date] = Field(default_factory=dict)


class _Catalog(_Additions):
    region: str
    date: datetime.date
    source: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Prices by key, free types (patterns) with their reason."""

    region: str
    date: datetime.date
    source: str
    prices: Mapping[str, Price]
    free: Mapping[str, str]
    eks_standard_support: Mapping[str, datetime.date]

    @property
    def name(self) -> str:
        return f"{self.region}, {self.date}"

    def find(self, key: str) -> Price | None:
        return self.prices.get(key)

    def why_free(self, kind: str) -> str | None:
        """Why resources of this type cost nothing; None when nobody said so."""
        exact = self.free.get(kind)
        if exact is not None:
            return exact
        return next((why for like, why in self.free.items() if fnmatchcase(kind, like)), None)


def regions() -> list[str]:
    """Those that there are prices for."""
    return sorted({path.stem[:-11] for path in FOLDER.glob("*-????-??-??.toml")})


def load_catalog(region: str = DEFAULT_REGION, additions: Path | None = None) -> Catalog:
    """The newest catalogue of a region, with the prices of `additions` in front.

    Raises ConfigurationError for a region without catalogue, or a wrong file.
    """
    files = sorted(FOLDER.glob(f"{region}-????-??-??.toml")) if region in regions() else []
    if not files:
        raise ConfigurationError(
            f"there are no prices for region {region}; known: {', '.join(regions())}",
            "Add cli/src/titanium/cost/prices/REGION-DATE.toml, or estimate with another "
            "region's prices: --region.",
        )
    file = read(files[-1], _Catalog)
    catalog = Catalog(
        region=file.region,
        date=file.date,
        source=file.source,
        prices=_prices(file),
        free=file.free,
        eks_standard_support=file.eks_standard_support,
    )
    if additions is None:
        return catalog
    own = read(additions, _Additions)
    return replace(
        catalog,
        prices={**catalog.prices, **_prices(own, f"from {additions.name}")},
        free={**catalog.free, **own.free},
        eks_standard_support={**catalog.eks_standard_support, **own.eks_standard_support},
    )


def _prices(file: _Additions, origin: str = "") -> dict[str, Price]:
    return {
        key: Price(key, one.usd, one.per, one.derived or origin, one.note)
        for key, one in file.prices.items()
    }
