"""Administration: `python -m titanium_blog.admin import < posts.jsonl`, `... bulk 100000`.

`import` reads one JSON object a line on standard input:
`{"source", "legacy_id", "author_id", "author", "title", "content", "category_name"?, "created_at",
"updated_at"}`, and writes one a line: `{"legacy_id", "id", "status", "reason"}`, where `status` is
`created`, `existing` (imported before; nothing was changed) or `rejected`. It may be repeated.
A time without a zone is UTC. The exit status is 0 also when rows were rejected; it is 1, with one
line on standard error, when the import could not go on.

`bulk N` adds N posts for measurements.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import IO, Annotated, Any

import asyncpg
import orjson
from pydantic import AfterValidator, Field, StrictInt, ValidationError

from titanium_blog.adapters.bulk import insert_many
from titanium_blog.adapters.importing import OldPost, import_post
from titanium_blog.domain import limits, tags
from titanium_blog.domain.errors import BlogError
from titanium_blog.domain.posts import Author
from titanium_blog.http.schemas import PostIn
from titanium_blog.settings import Settings
from titanium_kit.body import Line, parse_json
from titanium_kit.cache import ResponseCache
from titanium_kit.metrics import Metrics
from titanium_kit.problems import Problem
from titanium_kit.settings import SettingsError, load_settings

MOST_BULK = 5_000_000
MOST_LINE = 2 * 1024 * 1024
FIRST_YEAR, LAST_YEAR = 1970, 2999


def _utc(moment: datetime) -> datetime:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must be between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]


class OldPostIn(PostIn):
    """One line of an import."""

    source: Annotated[Line, Field(min_length=1, max_length=50)]
    legacy_id: StrictInt | Annotated[Line, Field(min_length=1, max_length=100)]
    author_id: int = Field(ge=1, le=limits.ID)
    author: Annotated[Line, Field(min_length=1, max_length=limits.USERNAME)]
    created_at: Moment
    updated_at: Moment

    def post(self) -> OldPost:
        """The domain's form, with times in UTC."""
        return OldPost(
            source=self.source,
            legacy_id=self.legacy_id,
            author=Author(self.author_id, self.author),
            draft=self.draft(),
            created_at=self.created_at,
            updated_at=max(self.updated_at, self.created_at),
        )


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
    return error.detail if isinstance(error, Problem) else str(error)


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(
        settings.database_url, password=settings.database_password.get_secret_value() or None
    )
    try:
        yield connection
    finally:
        connection.terminate()


async def forget_cached(settings: Settings) -> None:
    """Tell the running replicas to forget every answer."""
    cache = ResponseCache(settings, Metrics(settings.service))
    await cache.start()
    try:
        await cache.invalidate(*tags.EVERYTHING)
    finally:
        await cache.stop()


def _document(line: bytes) -> Any:
    if len(line) > MOST_LINE:
        raise Problem(413, f"the line is longer than {MOST_LINE} bytes")
    return parse_json(line)


async def _import_line(connection: Any, line: bytes) -> dict[str, Any]:
    legacy_id: Any = None
    try:
        document = _document(line)
        legacy_id = document.get("legacy_id") if isinstance(document, dict) else None
        old = OldPostIn.model_validate(document).post()
        post_id, made = await import_post(connection, old)
    except (ValidationError, Problem, BlogError) as error:
        reason = _reason(error)
        return {"legacy_id": legacy_id, "id": None, "status": "rejected", "reason": reason}
    status = "created" if made else "existing"
    return {"legacy_id": legacy_id, "id": post_id, "status": status, "reason": None}


async def import_posts(settings: Settings, source: IO[bytes], target: IO[bytes]) -> None:
    """Import the lines of `source`; one line of `target` tells what became of each."""
    changed = False
    try:
        async with _connected(settings) as connection:
            for line in source:
                if line.strip():
                    result = await _import_line(connection, line)
                    changed = changed or result["status"] == "created"
                    target.write(orjson.dumps(result) + b"\n")
                    target.flush()
    finally:
        if changed:
            await forget_cached(settings)


async def bulk(settings: Settings, total: int) -> None:
    """Add `total` posts."""
    async with _connected(settings) as connection:
        await insert_many(connection, total)
    await forget_cached(settings)


def _number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_BULK:
        raise argparse.ArgumentTypeError(f"must be between 1 and {MOST_BULK}")
    return number


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line. Exit status 1 when the work could not be done."""
    parser = argparse.ArgumentParser(prog="python -m titanium_blog.admin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("import", help="import posts from standard input, one JSON object a line")
    commands.add_parser("bulk", help="add posts for measurements").add_argument("n", type=_number)
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(Settings)
        if options.command == "import":
            asyncio.run(import_posts(settings, sys.stdin.buffer, sys.stdout.buffer))
        else:
            asyncio.run(bulk(settings, options.n))
    except SettingsError as error:
        sys.exit(f"titanium_blog.admin: {error}")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        sys.exit(f"titanium_blog.admin: the database refused or went away: {error}")


if __name__ == "__main__":
    main()
