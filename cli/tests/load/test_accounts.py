"""Tokens of the test's accounts."""

from __future__ import annotations

import json

import pytest

from titanium.load.accounts import has_tokens, new_account
from titanium.load.client import Answer

pytestmark = pytest.mark.unit


def grant(expires_in: int, *, good: bool = True) -> Answer:
    body = {"access_token": "secret-a", "refresh_token": "secret-r", "expires_in": expires_in}
    return Answer(200, {}, json.dumps(body).encode(), good)


def test_a_token_is_renewed_before_it_expires() -> None:
    account = new_account()
    assert not account.fresh
    assert account.take(grant(900))
    assert account.fresh
    account.expires -= 0.85 * 900
    assert not account.fresh


def test_a_bad_answer_changes_no_token() -> None:
    account = new_account()
    account.take(grant(900))
    assert not account.take(grant(900, good=False))
    assert account.token == "secret-a"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"access_token":"x"}', b"\xff"])
def test_a_login_without_both_tokens_is_none(body: bytes) -> None:
    assert not has_tokens(Answer(200, {}, body))


def test_accounts_show_no_secrets_and_have_names_that_the_platform_takes() -> None:
    account = new_account()
    account.take(grant(900))
    assert "secret" not in repr(account)
    assert account.password not in repr(account)
    assert len(account.username) <= 30
    assert account.username != new_account().username


@pytest.mark.parametrize(("header", "seconds"), [("6", 6.0), ("", 1.0), ("soon", 1.0)])
def test_a_refusal_says_when_to_come_back(header: str, seconds: float) -> None:
    assert Answer(429, {"retry-after": header}, b"").retry_after == seconds
