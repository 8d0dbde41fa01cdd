"""The bill of one resource while it is written: reads its values and usage, adds lines.

Whatever cannot be read or has no price raises `Unpriced`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from titanium.cost.catalog import Catalog
from titanium.cost.hours import TAG, Schedule
from titanium.cost.model import HOURS_A_MONTH, Component, Price, Resource, Unpriced

# More than AWS has of anything; beyond it a total would have no cents.
_MOST = Decimal(10**12)
# A month of 31 days, for usage that counts real hours.
_MOST_HOURS = Decimal(744)
IN_CONFIGURATION = "set it in the configuration"
Note = Callable[[str], None]


class Bill:
    """`resource` priced from `catalog` with `usage`; `note` takes what a reader must know.

    `others` are all resources by address, for a launch template that another one names.
    """

    def __init__(
        self,
        resource: Resource,
        catalog: Catalog,
        usage: Mapping[str, Any],
        schedule: Schedule | None,
        others: Mapping[str, Resource],
        today: date,
        note: Note,
    ) -> None:
        self.resource = resource
        self.catalog = catalog
        self.others = others
        self.today = today
        self.note = note
        self.components: list[Component] = []
        self._usage = dict(usage)
        self._schedule = schedule
        self._read: set[tuple[str, ...]] = set()

    # What the configuration says

    def get(self, *path: str | int, resource: Resource | None = None) -> Any:
        """The value at a path (`"root_block_device", 0, "volume_size"`).

        None when it is not set, also when AWS then fills it in: unknown as well, but no argument
        of the configuration. Raises Unpriced when it is set and known only after apply.
        """
        source = resource or self.resource
        arguments = source.references
        left_out = arguments is not None and path[0] not in arguments
        if left_out and self.is_open(path[0], resource=source):
            return None
        value = source.values
        for part in path:
            value = _child(value, part)
        if self.is_open(*path, resource=source):
            self.refuse(
                _shown(path), "is known only after apply", IN_CONFIGURATION, resource=source
            )
        return value

    def number(
        self, *path: str | int, default: Decimal | None = None, resource: Resource | None = None
    ) -> Decimal:
        """The same as a number, `default` when it is not set."""
        value = self.get(*path, resource=resource)
        if value in (None, ""):
            if default is None:
                self.refuse(_shown(path), "is not set", IN_CONFIGURATION)
            return default
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            self.refuse(_shown(path), f"{value!r} is no number", IN_CONFIGURATION)
        if not number.is_finite() or not 0 <= number <= _MOST:
            self.refuse(_shown(path), f"{value} is no amount", IN_CONFIGURATION)
        return number

    def text(self, *path: str | int, default: str = "", resource: Resource | None = None) -> str:
        """The same as a text."""
        value = self.get(*path, resource=resource)
        return default if value in (None, "") else str(value)

    def is_open(self, *path: str | int, resource: Resource | None = None) -> bool:
        """Whether a value is known only after apply, whoever decides it."""
        unknown: Any = (resource or self.resource).unknown
        for part in path:
            unknown = unknown is True or _child(unknown, part)
        return unknown is True

    def is_set(self, name: str) -> bool:
        """Whether somebody set an argument, known or not."""
        if not self.is_open(name):
            return self.resource.values.get(name) not in (None, "")
        if self.resource.references is None:
            self.refuse(name, "is known only after apply", IN_CONFIGURATION)
        return name in self.resource.references

    def blocks(self, name: str, resource: Resource | None = None) -> int:
        """How many blocks of this name are written down; those that AWS adds do not count."""
        found = (resource or self.resource).values.get(name)
        return len(found) if isinstance(found, list) else 0

    def refuse(
        self, attribute: str, reason: str, add: str, *, resource: Resource | None = None
    ) -> NoReturn:
        """This resource cannot be priced: what is wrong, and what would change that."""
        raise Unpriced(resource or self.resource, attribute, reason, add)

    # What people say about usage

    def used(self, *path: str) -> Decimal | None:
        """A number of the usage file, None when nobody gave it."""
        self._read.add(path)
        value: Any = self._usage
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None or value == "":
            return None
        if not isinstance(value, Decimal):
            self.refuse(f"usage {'.'.join(path)}", f"{value!r} is no number", "give a number")
        return value

    def used_text(self, name: str, default: str) -> str:
        self._read.add((name,))
        return str(self._usage.get(name) or default)

    def finish(self) -> None:
        """Raises Unpriced when the usage file says something that no line of the bill counts."""
        known = ", ".join(sorted(".".join(path) for path in self._read)) or "none"
        for path in _given(self._usage):
            if path not in self._read:
                self.refuse(
                    f"usage {'.'.join(path)}",
                    "has no price, or is misspelt",
                    f"remove it or correct it (priced: {known})",
                )

    # Lines of the bill

    def price(self, key: str, attribute: str, *, hourly: bool = False) -> Price:
        """The catalogue's price, with `hourly` one for an hour.

        Unpriced, with the attribute that asks for it, when there is none.
        """
        found = self.catalog.find(key)
        per = "hour" if hourly else "..."
        if found is None:
            self.refuse(
                attribute,
                f'the catalogue ({self.catalog.name}) has no price "{key}"',
                f'add "{key}" = {{ usd = "...", per = "{per}" }} under [prices], see --prices',
            )
        if (found.per == "hour") is not hourly:
            wanted = "an hour" if hourly else "what is no hour"
            self.refuse(attribute, f'the price "{key}" is per {found.per}', f"give it for {wanted}")
        if found.derived:
            self.note(f"price {key}: {found.derived}")
        return found

    @property
    def runs_by_schedule(self) -> bool:
        """Whether the schedule's tag is on it."""
        return self._schedule is not None and self.resource.tags.get(TAG) == self._schedule.name

    def hours(self, *, stops: bool = False) -> Decimal:
        """Hours a month of one piece: usage `monthly_hrs`, the schedule's, or all 730."""
        given = self.used("monthly_hrs")
        if given is not None:
            if given > _MOST_HOURS:
                self.refuse("usage monthly_hrs", f"{given} h", "a month has 744 at most")
            return given
        if self._schedule is None or not self.runs_by_schedule:
            return HOURS_A_MONTH
        if not stops:
            self.note(
                f"{self.resource.address} has tag {TAG}={self._schedule.name} and cannot be "
                "stopped: it counts whole"
            )
            return HOURS_A_MONTH
        return self._schedule.hours

    def per_hour(
        self, name: str, key: str, attribute: str, *, count: Decimal | int = 1, stops: bool = False
    ) -> None:
        """A line for `count` pieces that cost by the hour; with `stops`, by the schedule."""
        price = self.price(key, attribute, hourly=True)
        self._add(name, "hours", price, self.hours(stops=stops) * count)

    def per_month(
        self, name: str, key: str, attribute: str, quantity: Decimal | int, unit: str = "months"
    ) -> None:
        """A line for a quantity a month: GB, secrets, rules."""
        self._add(name, unit, self.price(key, attribute), Decimal(quantity))

    def per_use(
        self, name: str, key: str, *path: str, unit: str = "GB", each: int = 1, times: int = 1
    ) -> None:
        """A line for what the usage file gives at `path`, counted in units of `each`.

        Without usage the line stays, with no quantity: "depends on usage".
        """
        used = self.used(*path)
        price = self.price(key, f"usage {'.'.join(path)}")
        self._add(name, unit, price, None if used is None else used * times / each)

    def _add(self, name: str, unit: str, price: Price, quantity: Decimal | None) -> None:
        self.components.append(Component(name, unit, price, quantity))


def _child(value: Any, part: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _shown(path: tuple[str | int, ...]) -> str:
    """`("disk", 0, "size")` as people write it: `disk[0].size`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _given(usage: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all that a usage file says of a resource, without zeros."""
    for name, value in usage.items():
        path = (*above, name)
        if isinstance(value, Mapping):
            yield from _given(value, path)
        elif value not in (Decimal(0), "", None):
            yield path
