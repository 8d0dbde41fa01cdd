"""The running platform as imports and operator commands see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from titanium.checkout import checkout
from titanium.errors import NotRunningError, UsageError
from titanium.layout import Home
from titanium.transfer.admin import AdminModule, Outcome, Row
from titanium.transfer.readback import ServiceReader


def require_running(home: Home) -> None:
    """NotRunningError unless PostgreSQL of this state folder runs."""
    from titanium.supervise import record
    from titanium.supervise.plan import POSTGRES

    if POSTGRES not in record.load(home.record):
        raise NotRunningError(
            f"the platform in {home.root} is not running", "Start it with `titanium up -d`."
        )


def admin(home: Home, service: str) -> AdminModule:
    """The admin module of a service of the running platform."""
    from titanium.catalog import load_catalog
    from titanium.state import load_options
    from titanium.supervise.plan import app_environment, surroundings

    require_running(home)
    catalog = load_catalog(checkout())
    if service not in catalog.services:
        raise UsageError(f"there is no service {service}", f"One of: {', '.join(catalog.names)}")
    raise NotImplementedError


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
