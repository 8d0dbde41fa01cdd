"""What the user service tells everybody about an author: name, bio, since when.

A page is whole without it. Nobody tells the blog when a profile changes, so it is asked for again
after `KEPT` seconds; pages that show it may be kept for `SHOWN` seconds more, and pages that had
to do without for `MISSED`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, StringConstraints, ValidationError

from titanium_kit.client import MeshClient
from titanium_kit.logs import get_logger
from titanium_kit.problems import Problem

logger = get_logger(__name__)

WAIT = 0.5
"""Seconds that a page waits for the user service at most."""
KEPT = 5.0
SHOWN = 5.0
MISSED = 1.0
PEOPLE = 1000
"""Profiles in memory, a few kilobytes each."""
LONGEST = 10_000


class Person(BaseModel):
    """A public profile. Both texts may be empty, and are text: to be escaped in a page."""

    display_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST)]
    bio: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST)]
    created_at: datetime


class People:
    """Public profiles by username, in any case. One call at a time for each name."""

    def __init__(self, client: MeshClient) -> None:
        self._client = client
        self._known: OrderedDict[str, tuple[float, Person]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Person | None]] = {}

    async def find(self, username: str) -> Person | None:
        """The profile; None when there is none, or no answer within `WAIT` seconds."""
        name = username.lower()
        known = self._known.get(name)
        if known and time.monotonic() - known[0] <= KEPT:
            self._known.move_to_end(name)
            return known[1]
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.create_task(self._ask(name), name="profile")
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(task)

    async def _ask(self, name: str) -> Person | None:
        asked = time.monotonic()
        self._known.pop(name, None)
        path = f"/api/users/{quote(name, safe='')}"
        try:
            answer = await self._client.get_json("user", path, timeout=WAIT)
            person = Person.model_validate(answer)
        except Problem:  # the client has said it; whoever has no account is no news
            return None
        except ValidationError:
            logger.warning("profile_unreadable", username=name)
            return None
        self._known[name] = asked, person
        while len(self._known) > PEOPLE:
            self._known.popitem(last=False)
        return person
