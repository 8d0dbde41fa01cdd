"""What is asked for: accounts with sessions, posts, words, and the requests made of them."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import secrets
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from titanium.bench.http import Answer, Client, encode
from titanium.errors import TitaniumError
from titanium.mesh.render.routes import LIMIT_PATH

PEOPLE = 16
OWN_POSTS = 20
SAMPLE = 25_000  # prepared requests of a step, more than one round can send
_ANSWER_WITHIN = 30.0
_AT_ONCE = 4
_WORD = re.compile(r"[^\W\d_]{2,}")
_CATEGORIES = ("Engineering", "Travel", "Cooking", "Books", "일상")
T = TypeVar("T")
_TEXT = (
    "The evening train was late again, so I read the chapter about **queues** twice. "
    "A queue that never drains is a list, a list that nobody reads is a log.\n\n"
    "- measure first\n- change one thing\n- measure again\n\n"
    "늦은 저녁 기차를 기다리며 같은 문단을 두 번 읽었습니다. "
    "서두르지 않으니 오히려 잘 보입니다.\n\n"
)


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the run; `token` is valid for 15 minutes from its login."""

    username: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Content:
    """What the platform holds: ids from `first` to `last`, one list page, words to search for,
    and posts that belong to one of the people (id, index of the person)."""

    people: tuple[Person, ...]
    first: int
    last: int
    words: tuple[str, ...]
    own: tuple[tuple[int, int], ...]


class Requests:
    """Prepared requests. Where caches must not help, each has a query that no other one has:
    the platform caches by path and query."""

    def __init__(self, content: Content, seed: int) -> None:
        self._content = content
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._numbers = itertools.count(seed * 1_000_000)

    def limit(self) -> list[bytes]:
        return [encode("GET", LIMIT_PATH)]

    def cached_post(self) -> list[bytes]:
        return [encode("GET", f"/api/posts/{self._content.last}")]

    def cached_list(self) -> list[bytes]:
        return [encode("GET", "/api/posts?limit=20")]

    def uncached_post(self, count: int = SAMPLE) -> list[bytes]:
        return [
            encode("GET", f"/api/posts/{self._id()}?n={next(self._numbers)}") for _ in range(count)
        ]

    def uncached_list(self, cursors: Sequence[str], count: int = SAMPLE) -> list[bytes]:
        """Pages of 20 posts that begin at random `cursors`."""
        chosen = self._chance.choices(cursors, k=count)
        return [
            encode("GET", f"/api/posts?limit=20&cursor={cursor}&n={next(self._numbers)}")
            for cursor in chosen
        ]

    def search(self, count: int = SAMPLE) -> list[bytes]:
        """One word or two, the first 20 matches."""
        return [
            encode("GET", f"/api/posts?q={self._query()}&limit=20&n={next(self._numbers)}")
            for _ in range(count)
        ]

    def create(self, count: int = 2000) -> list[bytes]:
        return [self._create(self._chance.choice(self._content.people)) for _ in range(count)]

    def login(self) -> list[bytes]:
        return [encode("POST", "/api/login", one.credentials) for one in self._content.people]

    def mixed(self) -> dict[str, list[bytes]]:
        """Half of the reads go to ten popular posts, half anywhere; lists are the front page."""
        popular = [encode("GET", f"/api/posts/{self._content.last - n}") for n in range(10)]
        reads = popular * 50 + [encode("GET", f"/api/posts/{self._id()}") for _ in range(500)]
        lists = [encode("GET", f"/api/posts?limit={limit}") for limit in (10, 20, 50)]
        searches = [encode("GET", f"/api/posts?q={self._query()}&limit=20") for _ in range(200)]
        return {
            "read": reads,
            "list": lists,
            "search": searches,
            "create": self.create(200),
            "edit": self._edits(),
        }

    def _edits(self) -> list[bytes]:
        people = self._content.people
        return [
            encode("PATCH", f"/api/posts/{post}", {"title": _title(post)}, people[owner].bearer)
            for post, owner in self._content.own
        ]

    def _create(self, person: Person) -> bytes:
        return encode("POST", "/api/posts", new_post(next(self._numbers)), person.bearer)

    def _id(self) -> int:
        return self._chance.randint(self._content.first, self._content.last)

    def _query(self) -> str:
        words = self._chance.sample(self._content.words, self._chance.choice((1, 2)))
        return "+".join("".join(f"%{byte:02X}" for byte in word.encode()) for word in words)


def new_post(number: int) -> dict[str, str]:
    """A post of about 700 bytes."""
    return {
        "title": _title(number),
        "content": _TEXT * 2,
        "category_name": _CATEGORIES[number % len(_CATEGORIES)],
    }


def _title(number: int) -> str:
    return f"Notes from the late train, number {number}"


def words_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Different words of two letters and more, in the order of their first use."""
    return tuple(dict.fromkeys(word.lower() for text in texts for word in _WORD.findall(text)))


async def prepare(port: int, posts: int) -> Content:
    """Register people, write their posts, and look around among the newest `posts` posts.

    TitaniumError when the platform answers something else than the contract says.
    """
    client = Client(port)
    try:
        people = [_new_person() for _ in range(PEOPLE)]
        await _each([_register(client, person) for person in people])
        people = await _log_in(client, people)
        page = (await _expect(client, 200, encode("GET", "/api/posts?limit=100"))).json()
        newest = int(page[0]["id"])
        own = await _each([_write(client, people, number) for number in range(OWN_POSTS)])
        return Content(
            people=tuple(people),
            first=newest - posts + 1,
            last=newest,
            words=words_of(f"{post['title']} {post['excerpt']}" for post in page),
            own=tuple(own),
        )
    finally:
        await client.close()


async def log_in_again(port: int, content: Content) -> Content:
    """The same content with fresh tokens: access tokens live for 15 minutes."""
    client = Client(port)
    try:
        return replace(content, people=tuple(await _log_in(client, content.people)))
    finally:
        await client.close()


async def cursors(port: int, content: Content, count: int = 200) -> list[str]:
    """Places in the list of all posts: each starts behind a random post."""
    ids = random.sample(range(content.first, content.last + 1), count)
    client = Client(port)
    try:
        found = await _each(
            [_expect(client, 200, encode("GET", f"/api/posts/{number}")) for number in ids]
        )
    finally:
        await client.close()
    return [_cursor(answer.json()) for answer in found]


def _cursor(post: dict[str, Any]) -> str:
    from titanium_blog.domain.cursor import Cursor

    return Cursor(datetime.fromisoformat(post["created_at"]), int(post["id"])).encode()


def _new_person() -> Person:
    return Person(f"bench-{secrets.token_hex(5)}", f"correct horse {secrets.token_hex(8)}")


async def _each(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all `work`, a few at a time."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Coroutine[Any, Any, T]) -> T:
        async with places:
            return await item

    return list(await asyncio.gather(*(one(item) for item in work)))


async def _register(client: Client, person: Person) -> None:
    body = {**person.credentials, "email": f"{person.username}@example.org"}
    await _expect(client, 201, encode("POST", "/api/register", body))


async def _log_in(client: Client, people: Iterable[Person]) -> list[Person]:
    async def one(person: Person) -> Person:
        answer = await _expect(client, 200, encode("POST", "/api/login", person.credentials))
        return replace(person, token=answer.json()["access_token"])

    return await _each([one(person) for person in people])


async def _write(client: Client, people: Sequence[Person], number: int) -> tuple[int, int]:
    owner = number % len(people)
    request = encode("POST", "/api/posts", new_post(number), people[owner].bearer)
    answer = await _expect(client, 201, request)
    return int(answer.json()["id"]), owner


async def _expect(client: Client, status: int, request: bytes) -> Answer:
    what = request.split(b" HTTP", 1)[0].decode()
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            answer = await client.send(request)
    except (OSError, EOFError) as error:
        raise TitaniumError(f"{what}: no answer ({error or type(error).__name__})") from None
    if answer.status != status:
        raise TitaniumError(
            f"{what}: answered {answer.status}, expected {status}",
            "See that `make test` passes, then run the benchmark again.",
            (answer.body[:300].decode("utf-8", "replace"),),
        )
    return answer
