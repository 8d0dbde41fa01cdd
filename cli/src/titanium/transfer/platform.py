"""The running platform as imports and operator commands see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from titanium.checkout import checkout
from titanium.errors import NotRunningError, UsageError
from titanium.layout import Home
from titanium.state import load_options
from titanium.supervise import record
from titanium.supervise.plan import POSTGRES, app_environment
from titanium.supervise.platform import Platform
from titanium.transfer.admin import AdminModule, Outcome, Row
from titanium.transfer.readback import ServiceReader


def is_running(home: Home) -> bool:
    """Whether PostgreSQL of this state folder runs, with or without a supervisor."""
    return POSTGRES in record.load(home.record)


def load_platform(home: Home) -> Platform:
    """Catalog and options of this state folder, as the last `up` had them."""
    return Platform.load(checkout(), home, load_options(home))


def require_running(home: Home) -> Platform:
    """The running platform of this state folder; NotRunningError when there is none."""
    if not is_running(home):
        raise NotRunningError(
            f"no database is running in {home.root}",
            "Start the platform: titanium up -d. If it runs, see titanium status.",
        )
    return load_platform(home)


def service_environment(platform: Platform, service: str) -> dict[str, str]:
    """What a process of that service gets, under an instance name of its own."""
    needs = platform.services.get(service)
    if needs is None:
        raise UsageError(
            f"there is no service {service}", f"Services are: {', '.join(platform.services)}."
        )
    return app_environment(platform.around, needs, f"{service}-admin")


def admin(home: Home, service: str) -> AdminModule:
    """The admin module of a service of the running platform."""
    platform = require_running(home)
    env = service_environment(platform, service)
    return AdminModule(platform.services[service].package, env)


class LocalPlatform:
    """The services of one state folder; a context manager. Implements `importer.Platform`."""

    def __init__(self, home: Home) -> None:
        self._users = admin(home, "user")
        self._posts = admin(home, "blog")
        self._stack = ExitStack()
        self._profile_reader = ServiceReader(home.app_socket("user-0"))
        self._post_reader = ServiceReader(home.app_socket("blog-0"))

    def __enter__(self) -> Self:
        self._stack.enter_context(self._profile_reader)
        self._stack.enter_context(self._post_reader)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def import_users(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        return self._users.stream(rows)

    def import_posts(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        return self._posts.stream(rows)

    def profile(self, username: str) -> Any:
        return self._profile_reader.profile(username)

    def post(self, number: int) -> Any:
        return self._post_reader.post(number)
