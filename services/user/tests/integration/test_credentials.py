"""POST /internal/credentials/verify."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
from werkzeug.security import generate_password_hash

from titanium_user.settings import UserSettings

pytestmark = pytest.mark.integration

PASSWORD = "correct horse battery"


async def test_right_credentials_name_the_account(service: Any) -> None:
    await service.register("Minji")
    answer = await service.verify("MINJI")
    assert answer.status_code == 200
    assert answer.json() == {"user_id": 1, "username": "Minji", "session_epoch": 1}


async def test_bar_44_every_refusal_is_the_same(service: Any) -> None:
    await service.register("minji")
    await service.register("disabled")
    await service.sql("UPDATE account SET disabled_at = now() WHERE username = 'disabled'")
    refusals = [
        await service.verify("minji", "wrong password"),
        await service.verify("nobody", PASSWORD),
        await service.verify("disabled", PASSWORD),
        await service.verify("no\x00body", PASSWORD),
        await service.verify("' OR '1'='1", PASSWORD),
    ]
    bodies = []
    for answer in refusals:
        assert answer.status_code == 401
        body = answer.json()
        del body["request_id"]
        bodies.append((body, answer.headers["www-authenticate"]))
    assert all(body == bodies[0] for body in bodies)


async def _median_gap(service: Any, rounds: int) -> float:
    """Seconds between the medians of refusing a known and an unknown name."""
    times: dict[str, list[float]] = {"minji": [], "nobody": []}
    for _ in range(rounds):
        for name, samples in times.items():
            began = time.perf_counter()
            assert (await service.verify(name, "wrong password")).status_code == 401
            samples.append(time.perf_counter() - began)
    return abs(statistics.median(times["minji"]) - statistics.median(times["nobody"]))


async def _is_even(service: Any) -> bool:
    """Whether no gap shows: a real one is there every time, what a busy machine adds is not."""
    for _ in range(4):
        if await _median_gap(service, 5) < 0.005:
            return True
    return False


async def test_bar_44_refusals_take_the_same_time(make_service: Any) -> None:
    fields = UserSettings.model_fields
    async with make_service(
        argon2_memory_kib=fields["argon2_memory_kib"].default,
        failure_seconds=fields["failure_seconds"].default,
    ) as service:
        await service.register("minji")
        assert await _is_even(service)


async def test_bar_44_a_hash_of_the_first_version_does_not_show(make_service: Any) -> None:
    async with make_service(failure_seconds=0.1) as service:
        await service.register("minji")
        legacy = generate_password_hash(PASSWORD, "scrypt:4096:8:1")
        await service.sql("UPDATE account SET password_hash = $1", legacy)
        assert await _is_even(service)


@pytest.mark.parametrize("method", ["scrypt:1024:8:1", "pbkdf2:sha256:1000"])
async def test_a_hash_of_the_first_version_is_upgraded_at_login(service: Any, method: str) -> None:
    await service.register("minji")
    decomposed = "cafe\u0301 décomposé"
    legacy = generate_password_hash(decomposed, method)
    await service.sql("UPDATE account SET password_hash = $1", legacy)
    assert (await service.verify("minji", "wrong password")).status_code == 401
    rows = await service.sql("SELECT password_hash FROM account")
    assert rows[0][0] == legacy
    for _ in range(2):
        assert (await service.verify("minji", decomposed)).status_code == 200
        rows = await service.sql("SELECT password_hash, session_epoch FROM account")
        assert rows[0]["password_hash"].startswith("$argon2id$v=19$m=64,t=1,p=1$")
        assert rows[0]["session_epoch"] == 1


async def test_bar_41_a_login_under_other_parameters_hashes_anew(make_service: Any) -> None:
    async with make_service(argon2_memory_kib=64) as service:
        await service.register("minji")
    async with make_service(argon2_memory_kib=128, argon2_time=2) as service:
        assert (await service.verify("minji")).status_code == 200
        rows = await service.sql("SELECT password_hash FROM account")
        assert rows[0][0].startswith("$argon2id$v=19$m=128,t=2,p=1$")
        assert (await service.verify("minji")).status_code == 200
        assert await service.sql("SELECT password_hash FROM account") == rows


async def test_without_a_database_the_answer_is_503_and_not_401(make_service: Any) -> None:
    async with make_service(database_url="postgresql://nobody@/x?host=/nowhere") as service:
        answer = await service.verify("minji")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        ready = await service.http.get("/internal/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["postgres"] != "ok"


async def test_a_running_service_is_ready(service: Any) -> None:
    answer = await service.http.get("/internal/readyz")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["checks"]) >= {"postgres", "hashing", "outbox", "tokens"}
