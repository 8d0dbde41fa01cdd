"""A visitor as Locust's user: what it does, request by request."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from locust.contrib.fasthttp import FastHttpUser

from titanium.load.accounts import Account, delete_post, log_in, new_account, refresh
from titanium.load.client import Answer, Client
from titanium.load.scenario import (
    CATEGORIES,
    COUNT,
    EDIT,
    LIST,
    LOG_OUT,
    NEXT_PAGE,
    PAGE,
    PREFIX,
    READ,
    READ_AGAIN,
    SEARCH,
    THINK,
    VERIFY,
    WORDS,
    WRITE,
)
from titanium.load.target import is_loopback

if TYPE_CHECKING:
    from titanium.load.run import Run

_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_LIMIT = 20
# More than this a visitor does not leave lying about.
_KEPT_POSTS = 3
_TEXT = (
    "A note written by the load test; it is deleted at its end.\n\n"
    "- measure first\n- change **one** thing\n- measure again\n\n"
    "늦은 저녁 기차를 기다리며 같은 문단을 두 번 읽었습니다.\n"
)
_chance = random.Random()  # noqa: S311 - variety, no secret


class Visitor(FastHttpUser):
    """Subclassed by `visitor_class` with a run and its tasks."""

    abstract = True
    network_timeout = 10.0
    connection_timeout = 5.0
    run_of: ClassVar[Run]

    def __init__(self, environment: Any) -> None:
        self.insecure = is_loopback(self.host or "")
        super().__init__(environment)
        self.sender = Client(self.client, self.run_of)
        self.ids: list[int] = []
        self.etags: dict[int, str] = {}
        self.next_path = ""
        self.own: list[tuple[Account, int, str]] = []

    def wait_time(self) -> float:
        """Seconds until the next action; a test with a rate of its own has no pauses."""
        return _chance.uniform(*THINK) if self.run_of.order.thinking else 0.0

    def on_start(self) -> None:
        """Visitors do not all come in the same moment."""
        time.sleep(_chance.uniform(0, self.wait_time()))

    def newest(self) -> None:
        self._take(self.sender.send(LIST, f"/api/posts?limit={_LIMIT}", holds=_is_page))

    def next_page(self) -> None:
        if not self.next_path:
            self.newest()
            return
        before = frozenset(self.ids)
        self._take(
            self.sender.send(
                NEXT_PAGE,
                self.next_path,
                holds=lambda answer: (
                    _is_page(answer) and before.isdisjoint(post["id"] for post in answer.json())
                ),
            )
        )

    def read(self) -> None:
        """A post, and sometimes the same one again with its ETag."""
        if not self.ids:
            self.newest()
            return
        post = _chance.choice(self.ids)
        if post in self.etags:
            self._revalidate(post)
            return
        answer = self.sender.send(READ, f"/api/posts/{post}", holds=lambda found: bool(found.etag))
        if answer.good:
            self.etags[post] = answer.etag
        elif answer.status == 404:
            self.ids.remove(post)

    def _revalidate(self, post: int) -> None:
        etag = self.etags.pop(post)
        self.sender.send(
            READ_AGAIN,
            f"/api/posts/{post}",
            headers={"If-None-Match": etag},
            status=(200, 304),
            holds=lambda answer: (
                not answer.body if answer.status == 304 else answer.etag not in ("", etag)
            ),
        )

    def search(self) -> None:
        query = urlencode({"q": _chance.choice(WORDS), "limit": _LIMIT})
        self.sender.send(SEARCH, f"/api/posts?{query}", holds=_is_page)

    def categories(self) -> None:
        self.sender.send(COUNT, "/api/categories", holds=lambda found: _is_list(found.json()))

    def page(self) -> None:
        self.sender.send(PAGE, "/blog/", holds=lambda found: b"</html>" in found.body)

    def write(self) -> None:
        if len(self.own) >= _KEPT_POSTS:
            self.delete()
            return
        account = self.run_of.accounts.pick()
        token = self._token(account)
        title = f"Load test note {_chance.randrange(10**9)}"
        answer = self.sender.send(
            WRITE,
            "/api/posts",
            token=token,
            body={
                "title": title,
                "content": _TEXT,
                "category_name": _chance.choice(CATEGORIES),
            },
            status=(201,),
            holds=lambda found: found.member("title") == title,
        )
        if answer.good:
            post = int(answer.json()["id"])
            account.posts.add(post)
            self.own.append((account, post, answer.etag))
        self._refused(account, answer)

    def edit(self) -> None:
        if not self.own:
            self.write()
            return
        place = _chance.randrange(len(self.own))
        account, post, etag = self.own[place]
        answer = self.sender.send(
            EDIT,
            f"/api/posts/{post}",
            token=self._token(account),
            body={"content": _TEXT + "\nEdited.\n"},
            headers={"If-Match": etag},
            holds=lambda found: found.etag not in ("", etag),
        )
        if answer.good:
            self.own[place] = (account, post, answer.etag)
        elif answer.status in (404, 412):
            # An answer of ours was lost, or somebody else was here: the end deletes it.
            del self.own[place]
        self._refused(account, answer)

    def delete(self) -> None:
        if not self.own:
            self.write()
            return
        account, post, _ = self.own.pop()
        delete_post(self.sender, account, self._token(account), post)

    def session(self) -> None:
        """Log in, look who it is, refresh, log out: a session of its own in a shared account."""
        self.run_of.login_pace.wait()
        account = self.run_of.accounts.pick()
        session = new_account()
        session.username, session.password = account.username, account.password
        if not log_in(self.sender, session).good:
            return
        self.sender.send(
            VERIFY,
            "/api/auth/verify",
            token=session.token,
            holds=lambda found: found.member("username") == account.username,
        )
        refresh(self.sender, session)
        self.sender.send(LOG_OUT, "/api/auth/logout", token=session.token, status=(204,))

    def _token(self, account: Account) -> str:
        return self.run_of.accounts.bearer(self.sender, account)

    def _refused(self, account: Account, answer: Answer) -> None:
        """A session that ended early is replaced with the next request."""
        if answer.status == 401:
            account.token = ""

    def _take(self, answer: Answer) -> None:
        """Remember what a list showed; other load tests delete their posts again."""
        if not answer.good:
            self.next_path = ""
            return
        posts = answer.json()
        self.ids = [post["id"] for post in posts if not post["author"].startswith(PREFIX)]
        self.etags = {post: etag for post, etag in self.etags.items() if post in self.ids}
        found = _NEXT.search(answer.headers.get("link") or "")
        self.next_path = found.group(1) if found else ""


def _is_list(body: object) -> bool:
    return isinstance(body, list)


def _is_page(answer: Answer) -> bool:
    body = answer.json()
    return (
        _is_list(body) and len(body) <= _LIMIT and all({"id", "author"} <= {*one} for one in body)
    )


def visitor_class(run: Run) -> type[Visitor]:
    """The user class that Locust runs: this run's actions with their weights."""
    actions: dict[Callable[..., None], int] = {
        getattr(Visitor, name): weight for name, weight in run.scenario.actions.items()
    }
    members = {"tasks": actions, "run_of": run, "host": run.order.url or None}
    return type("BlogVisitor", (Visitor,), members)
