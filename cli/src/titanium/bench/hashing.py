"""What the argon2id parameters allow on these cores: the ceiling of logins."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

PASSWORD = "a password that is only measured with"  # noqa: S105 - opens nothing


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def hashes_per_second(seconds: float) -> float:
    """Verifications a second with the user service's parameters, one thread per core."""
    import argon2

    from titanium_user.settings import UserSettings

    defaults = UserSettings.model_fields
    hasher = argon2.PasswordHasher(
        time_cost=defaults["argon2_time"].default,
        memory_cost=defaults["argon2_memory_kib"].default,
        parallelism=defaults["argon2_parallelism"].default,
        type=argon2.Type.ID,
    )
    hashed = hasher.hash(PASSWORD)
    began = time.perf_counter()

    def verify() -> int:
        done = 0
        while time.perf_counter() - began < seconds:
            hasher.verify(hashed, PASSWORD)
            done += 1
        return done

    # argon2 releases the interpreter's lock: threads are enough.
    with ThreadPoolExecutor(cores()) as threads:
        work = [threads.submit(verify) for _ in range(cores())]
        done = sum(one.result() for one in work)
    return done / (time.perf_counter() - began)
