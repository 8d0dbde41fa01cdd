"""Keys derived from the one secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from titanium_auth.adapters.derived_keys import DerivedKeys, WrongKeyError
from titanium_auth.settings import AuthSettings
from titanium_kit.settings import SettingsError, load_settings

pytestmark = pytest.mark.unit

KEYS = DerivedKeys.of(SecretStr("a generated secret"))


def test_each_purpose_has_its_own_key() -> None:
    """Three different keys of 256 bits, the same at every start."""
    purposes = {KEYS.sealing, KEYS.refresh, KEYS.throttle}
    assert len(purposes) == 3
    assert all(len(key) == 32 for key in purposes)
    assert DerivedKeys.of(SecretStr("a generated secret")) == KEYS


def test_sealed_opens_with_the_same_secret_and_name_only() -> None:
    """Another secret, another name, or a changed byte: refused."""
    sealed = KEYS.seal(b"plain", "one")
    assert KEYS.open(sealed, "one") == b"plain"
    assert KEYS.seal(b"plain", "one") != sealed
    other = DerivedKeys.of(SecretStr("another secret"))
    for keys, data, name in (
        (other, sealed, "one"),
        (KEYS, sealed, "two"),
        (KEYS, sealed[:-1] + bytes([sealed[-1] ^ 1]), "one"),
        (KEYS, b"short", "one"),
    ):
        with pytest.raises(WrongKeyError):
            keys.open(data, name)


def test_repr_keeps_the_keys() -> None:
    """Nothing secret in a log line."""
    assert repr(KEYS) == "DerivedKeys(given=True)"


def test_hidden_values_tell_kinds_apart() -> None:
    """A name and an address of the same text are different records."""
    assert KEYS.hide("account", "x") != KEYS.hide("address", "x")


def test_empty_secret_derives_nothing_usable() -> None:
    """The document can be printed without a secret; nothing is signed without one."""
    with pytest.raises(SettingsError, match="KEY_ENCRYPTION_KEY: empty"):
        DerivedKeys.of(SecretStr("")).require()


@pytest.mark.parametrize(
    ("environment", "secret", "message"),
    [("development", "tooshort", "16 characters"), ("production", "", "empty or a placeholder")],
)
def test_short_secret_is_refused_and_production_needs_one(
    monkeypatch: pytest.MonkeyPatch, environment: str, secret: str, message: str
) -> None:
    """The message names the setting and does not show its value."""
    monkeypatch.setenv("SERVICE", "auth")
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("KEY_ENCRYPTION_KEY", secret)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(AuthSettings)
    assert "key_encryption_key" in str(caught.value).lower()
    assert "tooshort" not in str(caught.value)


@pytest.mark.parametrize("change", [{"access_lifetime": 901}, {"session_lifetime": 2_592_001}])
def test_bar_46_settings_cannot_lengthen_lifetimes(change: dict[str, Any]) -> None:
    """15 minutes and 30 days are ceilings."""
    with pytest.raises(ValidationError, match="less than or equal to"):
        AuthSettings(service="auth", environment="development", **change)
