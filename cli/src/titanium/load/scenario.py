"""Who visits and what they do: scenarios, requests and their checks, as pure data.

tests/performance/k6.js holds the same for k6; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# All users together, per second: below the platform's 100 a second for one client address.
RATE = 90.0
# Logins a second that a client address may go on with (mesh/policy.toml: ten a minute).
LOGIN_RATE = 10 / 60
GENTLE_RATE = 2.0
# Seconds that a visitor thinks between two requests.
THINK = (0.8, 1.4)
# Each account costs a registration and a login, of ten a minute: a few, shared by all users.
ACCOUNTS = 3
PREFIX = "load-"
CATEGORIES = ("Load", "부하")
WORDS = ("river", "coffee", "database", "weekend", "python", "커피", "여행", "책", "산책로", "부산")
# Seconds and the number of users at the end of each, reached in a straight line.
STEPS = ((15, 10), (30, 10), (15, 50), (30, 50), (15, 100), (30, 100))
PEAK = 100


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request: its method, its name in every table, and what is checked."""

    method: str
    name: str
    check: str


NOT_LIMITED = "not refused by the rate limit"
LIMITED = "rate limited (429)"

REGISTER = Request("POST", "register", "registered: 201")
LOG_IN = Request("POST", "log in", "logged in: 200 with both tokens")
REFRESH = Request("POST", "refresh", "refreshed: 200 with another refresh token")
VERIFY = Request("GET", "verify", "verified: 200, the own name")
LOG_OUT = Request("POST", "log out", "logged out: 204")
LIST = Request("GET", "list", "list: 200, at most 20 posts")
NEXT_PAGE = Request("GET", "next page", "next page: 200, other posts")
READ = Request("GET", "read", "read: 200 with an ETag")
READ_AGAIN = Request("GET", "read again", "read again: 304, or 200 with another ETag")
SEARCH = Request("GET", "search", "search: 200, at most 20 posts")
COUNT = Request("GET", "categories", "categories: 200 with counts")
PAGE = Request("GET", "page", "page: 200, HTML")
WRITE = Request("POST", "write", "written: 201 with the title")
EDIT = Request("PATCH", "edit", "edited: 200 with another ETag")
DELETE = Request("DELETE", "delete", "deleted: 204")
LEAVE = Request("DELETE", "leave", "left: 204")

REQUESTS = (
    *(REGISTER, LOG_IN, REFRESH, VERIFY, LOG_OUT),
    *(LIST, NEXT_PAGE, READ, READ_AGAIN, SEARCH, COUNT, PAGE),
    *(WRITE, EDIT, DELETE, LEAVE),
)

READING: Mapping[str, int] = {
    "newest": 20,
    "next_page": 5,
    "read": 45,
    "search": 20,
    "categories": 5,
    "page": 5,
}
WRITING: Mapping[str, int] = {"write": 4, "edit": 4, "delete": 4}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`actions` are methods of `visitor.Visitor` with their weights. `steps` multiply with the
    number of users over `PEAK`; `seconds` 0: until stopped."""

    name: str
    words: str
    actions: Mapping[str, int] = field(repr=False)
    users: int = 10
    seconds: float = 30.0
    rate: float = RATE
    accounts: int = ACCOUNTS
    steps: Sequence[tuple[int, int]] = ()

    @property
    def endless(self) -> bool:
        return self.seconds == 0

    def users_at(self, elapsed: float, users: int, seconds: float) -> int:
        """How many users there are after `elapsed` of `seconds`, with `users` at the most."""
        if not self.steps:
            return users
        scale = seconds / sum(length for length, _ in self.steps)
        before = 0
        for length, after in self.steps:
            if elapsed < length * scale:
                share = elapsed / (length * scale)
                count = before + (after - before) * share
                return max(1, round(count * users / PEAK))
            elapsed -= length * scale
            before = after
        return max(1, round(before * users / PEAK))


SCENARIOS: Mapping[str, Scenario] = {
    one.name: one
    for one in (
        Scenario("browse", "lists, searches and reads; no account", READING, accounts=0),
        Scenario("write", "writes, edits and deletes posts", {"read": 6, **WRITING}),
        Scenario("mixed", "mostly readers, one in nine requests writes", {**READING, **WRITING}),
        Scenario("login", "sessions from login to logout", {"session": 1}, users=2, accounts=2),
        Scenario(
            "steps",
            "mixed, with a tenth, half and all of the users",
            {**READING, **WRITING},
            users=PEAK,
            seconds=float(sum(length for length, _ in STEPS)),
            steps=STEPS,
        ),
        Scenario(
            "gentle",
            "mixed, two requests a second until stopped",
            {**READING, **WRITING},
            users=2,
            seconds=0.0,
            rate=GENTLE_RATE,
            accounts=1,
        ),
    )
}
