"""The accounts of a load test: made at its beginning, shared by all users, deleted at its end."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from titanium.errors import TitaniumError, UnhealthyError
from titanium.load.client import Answer, Client
from titanium.load.scenario import DELETE, LEAVE, LOG_IN, PREFIX, REFRESH, REGISTER

# An access token is replaced when this part of its life is left.
_LAST_PART = 0.2
# A login limit gives a new place every few seconds.
_LIMIT_PATIENCE = 90.0
_CLEAN_UP_WITHIN = 15.0


@dataclass(slots=True)
class Account:
    """One account with its session; `posts` are the ids of those that it wrote and still has."""

    username: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires: float = 0.0
    lifetime: float = 0.0
    posts: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def fresh(self) -> bool:
        return bool(self.token) and time.monotonic() < self.expires - _LAST_PART * self.lifetime

    def take(self, answer: Answer) -> bool:
        """Keep the tokens of a login or refresh; False when there are none."""
        if not answer.good:
            return False
        self.token = str(answer.member("access_token"))
        self.refresh_token = str(answer.member("refresh_token"))
        self.lifetime = float(answer.member("expires_in") or 0)
        self.expires = time.monotonic() + self.lifetime
        return True

    def forget(self) -> None:
        self.token = self.refresh_token = ""


def new_account() -> Account:
    return Account(f"{PREFIX}{secrets.token_hex(6)}", f"correct horse {secrets.token_hex(8)}")


def has_tokens(answer: Answer) -> bool:
    """What is checked of a login."""
    return bool(answer.member("access_token") and answer.member("refresh_token"))


def log_in(client: Client, account: Account, *, patient: bool = True) -> Answer:
    """A new session for the account."""
    answer = client.send(
        LOG_IN,
        "/api/login",
        body={
            "username": account.username,
            "password": account.password,
            "with_refresh_token": True,
        },
        holds=has_tokens,
        patient=patient,
    )
    account.take(answer)
    return answer


def refresh(client: Client, account: Account) -> bool:
    """Tokens for tokens; False when the session is over."""
    before = account.refresh_token
    answer = client.send(
        REFRESH,
        "/api/auth/refresh",
        body={"refresh_token": before},
        holds=lambda found: has_tokens(found) and found.member("refresh_token") != before,
    )
    if answer.status in (401, 403):
        account.forget()
    return account.take(answer)


@dataclass(slots=True)
class Accounts:
    """`count` accounts. Locust has replaced threads: a lock holds back other users only."""

    count: int
    tell: Callable[[str], None] = lambda _phase: None
    everyone: list[Account] = field(default_factory=list)

    def prepare(self, client: Client) -> None:
        """Register and log in. UnhealthyError when the platform does not let us."""
        while len(self.everyone) < self.count:
            account = new_account()
            self._insist(client, partial(_register, client, account))
            self.everyone.append(account)
            self._insist(client, partial(log_in, client, account, patient=False))

    def pick(self) -> Account:
        return random.choice(self.everyone)  # noqa: S311 - no secret

    def bearer(self, client: Client, account: Account) -> str:
        """A valid access token, refreshed in time; empty when the platform gives none."""
        with account.lock:
            if account.fresh:
                return account.token
            if account.refresh_token and refresh(client, account):
                return account.token
            if not account.refresh_token:
                answer = log_in(client, account)
                if answer.status == 401:
                    # The account is gone: somebody emptied the platform.
                    self._replace(client, account)
            return account.token

    def clean_up(self, client: Client) -> tuple[str, ...]:
        """Delete every post that is left, then the accounts; says what could not be deleted."""
        deadline = time.monotonic() + _CLEAN_UP_WITHIN
        for account in self.everyone:
            token = self.bearer(client, account)
            for post in tuple(account.posts):
                if token and time.monotonic() < deadline:
                    delete_post(client, account, token, post)
        left = [one.username for one in self.everyone if not self._leave(client, one, deadline)]
        self.everyone.clear()
        return (f"could not be deleted: {', '.join(left)} and what they wrote",) if left else ()

    def _insist(self, client: Client, attempt: Callable[[], Answer]) -> None:
        """Repeat while the rate limit refuses."""
        deadline = time.monotonic() + _LIMIT_PATIENCE
        while not (answer := attempt()).good:
            if answer.status != 429:
                raise UnhealthyError(
                    "the platform does not let the load test register and log in: "
                    + (f"it answered {answer.status}" if answer.status else "no answer"),
                    "See titanium status; --scenario browse needs no account.",
                )
            if time.monotonic() > deadline or client.run.stopping.is_set():
                raise TitaniumError(
                    "the platform's login limit (mesh/policy.toml, limits.login) refused all tries",
                    "Run it again in a minute, or start a platform with limits of its own: "
                    "titanium up --policy FILE",
                )
            self.tell(f"waiting {answer.retry_after:g} s for the login limit")
            time.sleep(answer.retry_after)

    def _replace(self, client: Client, account: Account) -> None:
        other = new_account()
        if _register(client, other).good:
            account.username, account.password = other.username, other.password
            account.posts.clear()
            log_in(client, account)

    def _leave(self, client: Client, account: Account, deadline: float) -> bool:
        while time.monotonic() < deadline:
            token = self.bearer(client, account)
            answer = client.send(
                LEAVE,
                "/api/users/me",
                token=token,
                body={"password": account.password},
                status=(204,),
            )
            if answer.good:
                return True
            if answer.status == 401:
                account.token = ""
            time.sleep(1)
        return False


def delete_post(client: Client, account: Account, token: str, post: int) -> bool:
    """Delete a post of the account; it may be gone already when an earlier answer was lost."""
    account.posts.discard(post)
    answer = client.send(DELETE, f"/api/posts/{post}", token=token, status=(204, 404))
    if not answer.good:
        account.posts.add(post)
    return answer.good


def _register(client: Client, account: Account) -> Answer:
    return client.send(
        REGISTER,
        "/api/register",
        body={
            "username": account.username,
            "email": f"{account.username}@example.org",
            "password": account.password,
        },
        status=(201,),
        patient=False,
    )
