"""Moves the first version's users and posts, then checks what arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from titanium.errors import TitaniumError
from titanium.transfer.admin import Outcome, Row
from titanium.transfer.authors import Account, Authors, placeholder_row
from titanium.transfer.readback import digest
from titanium.transfer.report import Rejected, Report, Tally
from titanium.transfer.rows import RowError, StoredRow, folded, needed, post_row, text, user_row
from titanium.transfer.sqlite_file import POSTS, USERS, LegacyFile, TableShape

# (stage, done, total)
Progress = Callable[[str, int, int], None]

SOURCE = "first-version"
# As JSON, in bytes: a service ends an import at a line that is larger. The longest text that a
# post may have needs a tenth of it in ASCII and half of it in emoji.
LARGEST_ROW = 2 * 1024 * 1024 - 1024


class Platform(Protocol):
    """The services as an import sees them."""

    def import_users(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        """Store accounts; one outcome a row, in order."""

    def import_posts(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        """Store posts; one outcome a row, in order."""

    def profile(self, username: str) -> Any:
        """The public profile, or None."""

    def post(self, number: int) -> Any:
        """The public post, or None."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """A post as it should be read back."""

    legacy_id: int
    id: int
    digest: bytes
    created: bool


@dataclass(slots=True)
class _Waiting:
    """Rows on their way: what was stored, and what was sent."""

    rows: dict[int, tuple[StoredRow, Row]] = field(default_factory=dict)

    def send(self, stored: StoredRow, row: Row) -> Row:
        self.rows[int(row["legacy_id"])] = (stored, row)
        return row


class Import:
    """One run of `titanium db import-sqlite`. With `platform` None nothing is stored: a dry run
    that reports what the file itself tells."""

    def __init__(self, legacy: LegacyFile, platform: Platform | None, progress: Progress) -> None:
        self.report = Report()
        self._legacy = legacy
        self._platform = platform
        self._progress = progress
        self._authors = Authors()
        self._expected: list[_Expected] = []

    def run(self) -> Report:
        """Users, then posts, then the check. Running it again changes nothing that is there."""
        self._move_users()
        self._make_placeholders()
        self._move_posts()
        if self._platform is not None:
            self._check(self._platform)
        self._check_counts()
        self.report.rejected.sort(key=lambda item: (item.table == POSTS.name, item.order))
        return self.report

    # --- users ---------------------------------------------------------------------------

    def _move_users(self) -> None:
        waiting = _Waiting()
        rows = self._user_rows(waiting)
        tally = self.report.users
        if self._platform is None:
            for row in rows:
                tally.ready += 1
                self._authors.add(Account(row["username"], None))
            return
        for outcome in self._platform.import_users(rows):
            row = self._settle(USERS, tally, waiting, outcome)
            self._authors.add(Account.of(row, outcome))

    def _user_rows(self, waiting: _Waiting) -> Iterator[Row]:
        taken: dict[str, str] = {}
        seen: set[int] = set()

        def convert(stored: StoredRow) -> Row:
            row = user_row(stored)
            _refuse_twice(row["legacy_id"], seen)
            name = row["username"]
            other = taken.setdefault(folded(name), name)
            if other is not name:
                how = "is the same as" if other == name else "differs only in case from"
                raise RowError(f"username: {how} {other!r} in an earlier row")
            return row

        for stored, row in self._converted(USERS, self.report.users, convert):
            yield waiting.send(stored, row)

    def _make_placeholders(self) -> None:
        """Accounts for authors whose account is gone: their posts keep their name, and nobody
        can log in, because the password is random and told to no one."""
        usernames, authors = self._names(USERS, "username"), self._names(POSTS, "author")
        names = self._authors.missing(usernames, authors)
        if self._platform is None:
            self.report.placeholders += names
            for name in names:
                self._authors.add(Account(name, None))
            return
        rows = [placeholder_row(number, name) for number, name in enumerate(names, start=1)]
        for row, outcome in zip(rows, self._platform.import_users(rows), strict=True):
            account = Account.of(row, outcome)
            self._authors.add(account)
            if account.id is not None:
                self.report.placeholders.append(account.username)

    def _names(self, shape: TableShape, column: str) -> Iterator[str]:
        for stored in self._legacy.rows(shape):
            try:
                yield text(stored, column).strip()
            except RowError:
                continue

    # --- posts ---------------------------------------------------------------------------

    def _move_posts(self) -> None:
        waiting = _Waiting()
        rows = self._post_rows(waiting)
        tally = self.report.posts
        if self._platform is None:
            for _ in rows:
                tally.ready += 1
            return
        for outcome in self._platform.import_posts(rows):
            row = self._settle(POSTS, tally, waiting, outcome)
            if outcome.id is not None and outcome.status != "rejected":
                self._expected.append(
                    _Expected(
                        legacy_id=outcome.legacy_id,
                        id=outcome.id,
                        digest=digest(row["title"], row["content"], row["author"]),
                        created=outcome.status == "created",
                    )
                )

    def _post_rows(self, waiting: _Waiting) -> Iterator[Row]:
        fallback = datetime.fromtimestamp(self._legacy.modified, UTC)
        seen: set[int] = set()

        def convert(stored: StoredRow) -> Row:
            row = post_row(stored, fallback)
            _refuse_twice(row["legacy_id"], seen)
            author = self._authors.find(needed(stored, "author").strip())
            return {**row, "source": SOURCE, "author_id": author.id, "author": author.username}

        for stored, row in self._converted(POSTS, self.report.posts, convert):
            yield waiting.send(stored, row)

    # --- afterwards ----------------------------------------------------------------------

    def _check(self, platform: Platform) -> None:
        report = self.report
        accounts = [account for account in self._authors if account.id is not None]
        total = len(accounts) + len(self._expected)
        for done, account in enumerate(accounts, start=1):
            profile = platform.profile(account.username)
            if profile is None or int(profile["id"]) != account.id:
                report.mismatches.append(f"user {account.username!r} was not read back")
            self._progress("check", done, total)
        for done, expected in enumerate(self._expected, start=len(accounts) + 1):
            self._check_post(expected, platform.post(expected.id))
            self._progress("check", done, total)

    def _check_post(self, expected: _Expected, found: Any) -> None:
        same = found is not None and expected.digest == digest(
            found["title"], found["content"], found["author"]
        )
        if same:
            self.report.verified += 1
        elif expected.created:
            what = "differs" if found is not None else "is missing"
            self.report.mismatches.append(f"post {expected.legacy_id} {what} when read back")
        else:
            self.report.kept.append(expected.legacy_id)

    def _check_counts(self) -> None:
        for shape, tally in ((USERS, self.report.users), (POSTS, self.report.posts)):
            settled = tally.created + tally.existing + tally.rejected + tally.ready
            stored = self._legacy.count(shape)
            if not settled == tally.read == stored:
                self.report.mismatches.append(
                    f"{shape.name}: the file has {stored} rows, {tally.read} were read and "
                    f"{settled} settled"
                )

    # --- both tables ---------------------------------------------------------------------

    def _converted(
        self, shape: TableShape, tally: Tally, convert: Callable[[StoredRow], Row]
    ) -> Iterator[tuple[StoredRow, Row]]:
        total = self._legacy.count(shape)
        for stored in self._legacy.rows(shape):
            tally.read += 1
            try:
                row = convert(stored)
                _refuse_huge(row)
            except RowError as error:
                self._reject(shape, tally, stored, str(error))
            else:
                yield stored, row
            self._progress(shape.name, tally.read, total)

    def _settle(self, shape: TableShape, tally: Tally, waiting: _Waiting, outcome: Outcome) -> Row:
        try:
            stored, row = waiting.rows.pop(outcome.legacy_id)
        except KeyError:
            raise TitaniumError(
                f"the service answered for {shape.name} {outcome.legacy_id}, which was not sent",
                "Run `make up` so that all parts have the same version.",
            ) from None
        if outcome.status == "created":
            tally.created += 1
        elif outcome.status == "existing":
            tally.existing += 1
        else:
            self._reject(shape, tally, stored, outcome.reason or "refused by the service")
        return row

    def _reject(self, shape: TableShape, tally: Tally, stored: StoredRow, reason: str) -> None:
        tally.rejected += 1
        self.report.rejected.append(Rejected(shape.name, stored, reason))


def _refuse_huge(row: Row) -> None:
    size = len(json.dumps(row))
    if size > LARGEST_ROW:
        raise RowError(f"is too large: {size} bytes, at most {LARGEST_ROW} can be moved")


def _refuse_twice(number: int, seen: set[int]) -> None:
    if number in seen:
        raise RowError("id: an earlier row has the same")
    seen.add(number)
