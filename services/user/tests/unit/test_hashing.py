"""Password hashes."""

from __future__ import annotations

import asyncio
from typing import Any

import argon2
import pytest
from werkzeug.security import generate_password_hash

from titanium_user.adapters.hashing import ThreadedHasher, is_hash
from titanium_user.domain.errors import OverloadedError
from titanium_user.settings import UserSettings

pytestmark = pytest.mark.unit


def hasher(**values: Any) -> ThreadedHasher:
    defaults = {"service": "user", "environment": "development", "argon2_memory_kib": 64}
    return ThreadedHasher(UserSettings(**{**defaults, **values}))


async def test_bar_41_new_hashes_are_argon2id_with_the_target_parameters() -> None:
    production = ThreadedHasher(UserSettings(service="user", environment="production"))
    hashed = await production.hash("correct horse battery")
    assert hashed.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert await production.verify("correct horse battery", hashed)
    assert not production.is_outdated(hashed)
    await production.stop()


async def test_bar_41_hashes_of_other_parameters_and_schemes_are_outdated() -> None:
    old = await hasher(argon2_memory_kib=128).hash("correct horse battery")
    assert hasher().is_outdated(old)
    assert hasher().is_outdated(generate_password_hash("x", "scrypt:1024:8:1"))


async def test_bar_42_a_password_is_compared_to_its_last_character() -> None:
    ours = hasher()
    for password in ("a" * 256, "한" * 256, "nul\x00and more", "x" * 1024):
        hashed = await ours.hash(password)
        assert await ours.verify(password, hashed)
        assert not await ours.verify(password[:-1], hashed)
        assert not await ours.verify(password + "x", hashed)


async def test_bar_44_an_unknown_user_costs_a_whole_hash_of_the_same_parameters() -> None:
    ours = hasher(argon2_memory_kib=96, argon2_time=3, argon2_parallelism=2)
    unmatched = argon2.extract_parameters(ours._unmatched)
    assert unmatched == argon2.extract_parameters(await ours.hash("correct horse battery"))
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        ours._argon2.verify(ours._unmatched, "anything")
    assert not await ours.verify("anything", None)


@pytest.mark.parametrize(
    "hashed",
    [
        *["", "plain", "$argon2id$v=19$broken", "scrypt:1:1:1$salt$00"],
        *["pbkdf2:sha256:0$salt$00", "scrypt:x$salt$00", "scrypt:32768:8:1$salt"],
    ],
)
async def test_a_damaged_hash_matches_nothing(hashed: str) -> None:
    assert not await hasher().verify("anything", hashed)


async def test_hashes_of_the_first_version_are_compared_as_they_were_made() -> None:
    decomposed = "cafe\u0301"
    for method in ("scrypt:1024:8:1", "pbkdf2:sha256:1000"):
        hashed = generate_password_hash(decomposed, method)
        assert is_hash(hashed)
        assert await hasher().verify(decomposed, hashed)
        assert not await hasher().verify("caf\u00e9", hashed)


def test_what_is_no_hash() -> None:
    for text in ("", "plain", "md5$a$b", "scrypt:1$a$", "pbkdf2:sha1:1$a$b", "$argon2i$v=19$x"):
        assert not is_hash(text)


async def test_more_than_may_wait_are_refused_and_the_rest_is_served() -> None:
    ours = hasher(hash_threads=1, hash_queue=2)
    results = await asyncio.gather(
        *(ours.hash("correct horse battery") for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(result, OverloadedError) for result in results] == [False] * 3 + [True] * 2
    assert (await ours.hash("again")).startswith("$argon2id$")
