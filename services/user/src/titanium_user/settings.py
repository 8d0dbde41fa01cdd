"""Settings of the user service."""

from __future__ import annotations

import os
from typing import Self

from pydantic import Field, model_validator

from titanium_kit.settings import ServiceSettings


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class UserSettings(ServiceSettings):
    """What the user service reads besides the settings of every service.

    `argon2_*` are the parameters of new hashes; a login under other parameters hashes anew.
    `hash_threads` passwords are hashed at once and `hash_queue` more may wait; beyond that the
    answer is 503, because whoever waits longer has given up. `failure_seconds` is the least
    time after which wrong credentials are refused, see `AccountService.verify`.
    """

    argon2_memory_kib: int = Field(default=47_104, ge=8)
    argon2_time: int = Field(default=1, ge=1)
    argon2_parallelism: int = Field(default=1, ge=1)
    hash_threads: int = Field(default_factory=_cores, ge=1, le=64)
    hash_queue: int = Field(default=32, ge=0)
    failure_seconds: float = Field(default=0.25, ge=0)

    @model_validator(mode="after")
    def _refuse_weak_hashing(self) -> Self:
        if self.environment == "development":
            return self
        memory, time = self.argon2_memory_kib, self.argon2_time
        if not (memory >= 47_104 or (memory >= 19_456 and time >= 2)):
            raise ValueError(
                "ARGON2_MEMORY_KIB and ARGON2_TIME: at least 47104 KiB with 1 pass, "
                "or 19456 KiB with 2"
            )
        return self
