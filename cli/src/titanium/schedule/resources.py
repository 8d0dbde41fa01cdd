"""What a schedule switches, whatever it is: an instance, a database, a group of nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from titanium.errors import UnhealthyError, UsageError

SCHEDULE_TAG = ("Schedule", "office-hours")
PROJECT_TAG = ("Project", "titanium")
TIER_TAG = "Tier"
ENVIRONMENT_TAG = "Environment"
Tier = Literal["application", "database"]
# The application uses the database: it goes first and comes last.
STOP_ORDER: tuple[Tier, ...] = ("application", "database")
START_ORDER: tuple[Tier, ...] = ("database", "application")


class State(Enum):
    """Where a resource is; `moving` is on its way to one of the others."""

    ON = "on"
    OFF = "off"
    MOVING = "moving"
    FAILED = "failed"


@dataclass(frozen=True)
class Size:
    """How many nodes a group has at least, and now."""

    minimum: int
    desired: int


@dataclass(frozen=True)
class Resource:
    """One tagged resource as it was when it was looked at."""

    kind: str
    id: str
    name: str
    tier: Tier
    environment: str
    state: State
    # AWS's own words for the state.
    detail: str
    # Whether it can be asked to turn round before it has arrived.
    turnable: bool = False
    # Of groups alone: what they go back to; None when nobody says.
    size: Size | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Kind(ABC):
    """One sort of resource: finds the tagged ones, looks at one again, switches it."""

    name: str

    @abstractmethod
    def find(self) -> list[Resource]:
        """Every resource with our tags. Others are never returned, so never touched."""

    @abstractmethod
    def look(self, resource: Resource) -> Resource:
        """The same resource as it is now."""

    @abstractmethod
    def start(self, resource: Resource) -> None:
        """Ask AWS to start it."""

    @abstractmethod
    def stop(self, resource: Resource) -> None:
        """Ask AWS to stop it."""


def only(found: Sequence[Any]) -> Any:
    """What AWS found of one resource; UnhealthyError when it is there no more."""
    if not found:
        raise UnhealthyError("it is gone")
    return found[0]


def is_ours(tags: Mapping[str, str]) -> bool:
    """Whether a resource with these tags is one that the schedule may switch."""
    return all(tags.get(key) == value for key, value in (SCHEDULE_TAG, PROJECT_TAG))


def tier_of(tags: Mapping[str, str], what: str) -> Tier:
    """Its tier; UsageError when the tag is missing: its place in the order is not known."""
    for tier in STOP_ORDER:
        if tags.get(TIER_TAG) == tier:
            return tier
    said = tags.get(TIER_TAG)
    raise UsageError(
        f"{what} has {f'the tag {TIER_TAG}={said}' if said else f'no tag {TIER_TAG}'}",
        f"Tag it {TIER_TAG}=database or {TIER_TAG}=application. Nothing was changed.",
    )


def size_of_tags(tags: Mapping[str, str]) -> Size | None:
    """The size that tags ScheduleMin and ScheduleDesired say; None when they say none."""
    minimum, desired = tags.get("ScheduleMin", ""), tags.get("ScheduleDesired", "")
    if not (minimum.isdigit() and desired.isdigit()):
        return None
    return Size(int(minimum), int(desired))
