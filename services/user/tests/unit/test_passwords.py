"""Which passwords may be set."""

from __future__ import annotations

import pytest

from titanium_user.adapters.common_passwords import common_passwords
from titanium_user.domain.errors import WeakPasswordError
from titanium_user.domain.passwords import PasswordPolicy, normalized

pytestmark = pytest.mark.unit

COMMON = common_passwords()
POLICY = PasswordPolicy(COMMON)


def accepts(password: str, username: str = "minji", email: str = "minji@example.org") -> bool:
    try:
        POLICY.check(password, username=username, email=email)
    except WeakPasswordError:
        return False
    return True


def test_bar_42_the_3000_most_common_passwords_are_refused() -> None:
    assert len(COMMON) >= 3000
    assert not any(accepts(password) for password in COMMON)
    assert not any(accepts(password.upper()) for password in COMMON)
    for known in ("password", "12345678", "qwertyuiop", "iloveyou", "Password1"):
        assert not accepts(known)


@pytest.mark.parametrize("length", [8, 9, 64, 65, 128, 256])
def test_bar_42_lengths_from_8_to_256_are_accepted(length: int) -> None:
    assert accepts(("correct horse battery staple " * 9)[:length])
    assert accepts("\U0001f511" * length)


@pytest.mark.parametrize("length", [0, 1, 7, 257, 1000])
def test_bar_42_other_lengths_are_refused(length: int) -> None:
    assert not accepts(("correct horse battery staple " * 40)[:length])


def test_bar_42_characters_of_every_plane_are_accepted() -> None:
    for plane in range(17):
        assert accepts("".join(chr(plane * 0x10000 + 0x2100 + n) for n in range(8)))


def test_length_is_counted_in_whole_characters() -> None:
    """Seven Hangul syllables sent as letters are seven, not twenty-one."""
    import unicodedata

    assert not accepts(unicodedata.normalize("NFD", "각" * 7))
    assert accepts(unicodedata.normalize("NFD", "각" * 8))


def test_the_same_password_from_another_keyboard_is_the_same() -> None:
    import unicodedata

    assert normalized(unicodedata.normalize("NFD", "한글 café")) == normalized("한글 café")
    assert not accepts("ｐａｓｓｗｏｒｄ")


@pytest.mark.parametrize("password", ["Minji_Kim_Seoul", "MINJI@example.ORG"])
def test_the_own_names_are_refused(password: str) -> None:
    assert not accepts(password, username="minji_kim_seoul")
