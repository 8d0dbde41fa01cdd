"""Password hashes, made and checked in threads of their own."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from titanium_user.domain.errors import OverloadedError
from titanium_user.domain.passwords import normalized
from titanium_user.settings import UserSettings

P = ParamSpec("P")
T = TypeVar("T")

LEGACY = ("scrypt:", "pbkdf2:sha256:")
"""How hashes of the platform's first version (werkzeug) begin."""


def is_hash(text: str) -> bool:
    """Whether `text` looks like a hash that `ThreadedHasher.verify` can check."""
    if text.startswith(LEGACY):
        return text.count("$") == 2 and not text.endswith("$")
    try:
        return argon2.extract_parameters(text).type is argon2.Type.ID
    except InvalidHashError:
        return False


def _unmatched_hash(hasher: argon2.PasswordHasher) -> str:
    """A hash that costs as much as a real one and that no password has."""
    parts = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return "$".join(("", "argon2id", f"v={argon2.low_level.ARGON2_VERSION}", cost, *parts))


class ThreadedHasher:
    """Implements `domain.ports.Hasher`; a resource of the application.

    argon2 releases the interpreter's lock, so there is one thread per core; a queue longer than
    `hash_queue` is refused, which bounds both the waiting and the memory.
    """

    name = "hashing"
    required = True

    def __init__(self, settings: UserSettings) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
            type=argon2.Type.ID,
        )
        self._unmatched = _unmatched_hash(self._argon2)
        self._most = settings.hash_threads + settings.hash_queue
        self._pending = 0
        self._threads = ThreadPoolExecutor(settings.hash_threads, thread_name_prefix="hash")

    async def start(self) -> None:
        """Nothing to open: threads start when they are needed."""

    async def stop(self) -> None:
        """Let the running hashes end, drop the waiting ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def check(self) -> None:
        """A long queue is no failure: it answers 503 by itself."""

    async def hash(self, password: str) -> str:
        return await self._run(self._argon2.hash, normalized(password))

    async def verify(self, password: str, hashed: str | None) -> bool:
        if hashed is not None and hashed.startswith(LEGACY):
            return await self._run(_verify_legacy, hashed, password)
        return await self._run(self._verify, hashed or self._unmatched, normalized(password))

    def is_outdated(self, hashed: str) -> bool:
        return hashed.startswith(LEGACY) or self._argon2.check_needs_rehash(hashed)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        if self._pending >= self._most:
            raise OverloadedError
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._pending -= 1


def _verify_legacy(hashed: str, password: str) -> bool:
    """The first version hashed passwords as they were sent, without normalization."""
    from werkzeug.security import check_password_hash  # only accounts from before need it

    try:
        return check_password_hash(hashed, password)
    except ValueError:  # parameters that no hash has
        return False
