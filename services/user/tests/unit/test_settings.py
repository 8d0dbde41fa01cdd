"""Settings of the user service."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from titanium_user.settings import UserSettings

pytestmark = pytest.mark.unit


def production(**values: int) -> UserSettings:
    return UserSettings(service="user", environment="production", **values)  # type: ignore[arg-type]


def test_bar_41_the_target_parameters_are_the_default() -> None:
    settings = production()
    assert settings.argon2_memory_kib == 47_104
    assert settings.argon2_time == 1
    assert settings.argon2_parallelism == 1


def test_bar_41_weaker_parameters_are_refused_in_production() -> None:
    production(argon2_memory_kib=19_456, argon2_time=2)
    for weak in ({"argon2_memory_kib": 47_103}, {"argon2_memory_kib": 19_455, "argon2_time": 9}):
        with pytest.raises(ValidationError, match="ARGON2_MEMORY_KIB"):
            production(**weak)
    UserSettings(service="user", environment="development", argon2_memory_kib=8)
