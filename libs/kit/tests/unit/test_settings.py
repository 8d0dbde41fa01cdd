"""Settings: what is read, what is refused, and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from titanium_kit.settings import PLACEHOLDERS, ServiceSettings, SettingsError, load_settings

pytestmark = pytest.mark.unit


class WithKey(ServiceSettings):
    key_encryption_key: SecretStr = SecretStr("")
    hosts: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRETS_DIR", "DATABASE_URL", "REDIS_URL", "INSTANCE", "BIND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SERVICE", "blog")
    monkeypatch.setenv("ENVIRONMENT", "production")


def test_reads_the_environment_and_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE", "blog-0")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "3")
    loaded = load_settings(ServiceSettings)
    assert (loaded.service, loaded.instance, loaded.database_pool_size) == ("blog", "blog-0", 3)
    assert loaded.environment == "production"


def test_settings_cannot_be_changed() -> None:
    loaded = load_settings(ServiceSettings)
    with pytest.raises(ValidationError):
        loaded.service = "other"  # type: ignore[misc]


def test_secrets_come_from_files_without_their_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key_encryption_key").write_text("a long and random value\n")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    loaded = load_settings(WithKey)
    assert loaded.key_encryption_key.get_secret_value() == "a long and random value"
    assert "random" not in repr(loaded)


@pytest.mark.parametrize("value", [*sorted(PLACEHOLDERS), "ChangeMe"])
def test_placeholders_are_refused_in_production(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_ENCRYPTION_KEY", value)
    with pytest.raises(SettingsError, match=r"key_encryption_key: empty or a placeholder"):
        load_settings(WithKey)


def test_placeholders_are_accepted_in_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "development")
    assert load_settings(WithKey).key_encryption_key.get_secret_value() == ""


@pytest.mark.parametrize(
    ("url", "secret"), [("DATABASE_URL", "database_password"), ("REDIS_URL", "redis_password")]
)
def test_a_password_is_needed_when_its_server_is_configured(
    url: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_settings(ServiceSettings)
    monkeypatch.setenv(url, "somewhere")
    with pytest.raises(SettingsError, match=secret):
        load_settings(ServiceSettings)


def test_every_wrong_setting_is_named_in_one_line_without_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "hunter2")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "0")
    with pytest.raises(SettingsError) as caught:
        load_settings(ServiceSettings)
    message = str(caught.value)
    assert "ENVIRONMENT: " in message
    assert "DATABASE_POOL_SIZE: " in message
    assert "\n" not in message
    assert "hunter2" not in message


def test_a_list_that_is_not_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "[oops")
    with pytest.raises(SettingsError, match="hosts"):
        load_settings(WithKey)


def test_secrets_dir_must_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"SECRETS_DIR: .*nowhere is not a folder"):
        load_settings(ServiceSettings)


def test_a_secret_that_is_not_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key_encryption_key").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match=r"key_encryption_key.*utf-8"):
        load_settings(WithKey)


def test_a_secret_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_args: object, **_options: object) -> str:
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "key_encryption_key").write_text("x")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(SettingsError, match=r"key_encryption_key.*Permission denied"):
        load_settings(WithKey)
