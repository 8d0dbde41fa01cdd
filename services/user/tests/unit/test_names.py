"""The forms of usernames and e-mail addresses."""

from __future__ import annotations

import pytest

from titanium_user.domain.names import is_email, is_username, name_digest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["ab", "a" * 30, "김민지", "철수", "a.b-c_d", "_x", "-9", "0.0"])
def test_usernames(name: str) -> None:
    assert is_username(name)


@pytest.mark.parametrize(
    "name",
    ["", "a", "a" * 31, ".a", "..", "a b", "a/b", "a\n", "é́e", "ab\x00", "ㄱㄴ", "a%2f", "<b>"],
)
def test_no_usernames(name: str) -> None:
    assert not is_username(name)


@pytest.mark.parametrize(
    "address", ["a@b.co", "o'brien+x@mail.example.org", f"{'l' * 64}@example.org"]
)
def test_addresses(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        *["", "a", "a@b", "@b.co", "a@@b.co", "a b@c.de", "a@b..co", "a@b.co\n", "é@b.co"],
        *[f"{'l' * 65}@example.org", f"a@{'b.' * 7}{'c' * 63}.{'d' * 200}"],
    ],
)
def test_no_addresses(address: str) -> None:
    assert not is_email(address)


def test_a_digest_ignores_case_and_hides_the_name() -> None:
    assert name_digest("Minji") == name_digest("mINJI") != name_digest("minji2")
    assert len(name_digest("Minji")) == 32
