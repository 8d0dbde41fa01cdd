"""Access tokens: bar 45 (every known attack is refused), revocation, and silence of auth."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import OKPAlgorithm

from libs.kit.tests.token_support import Auth, forge, part
from titanium_kit.problems import Unauthorized
from titanium_kit.tokens import InvalidTokenError, TokenVerifier, read_header
from titanium_kit.tokens.claims import REQUIRED

pytestmark = pytest.mark.unit


async def test_a_good_token_names_its_user(auth: Auth, verify: TokenVerifier) -> None:
    identity = await verify.verify(auth.token(7, "김하나", sid="s1"))
    assert (identity.user_id, identity.username, identity.session_id) == (7, "김하나", "s1")
    assert 0 < identity.expires - time.time() <= 900


def public_pem(auth: Auth) -> bytes:
    return auth.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _hmac_with_the_public_key(auth: Auth) -> str:
    text = f"{part({'alg': 'HS256', 'kid': auth.kid, 'typ': 'at+jwt'})}.{part({'sub': '7'})}"
    return f"{text}.{part(hmac.digest(public_pem(auth), text.encode(), hashlib.sha256))}"


def _rsa(auth: Auth) -> str:
    headers = {"kid": auth.kid, "typ": "at+jwt"}
    return jwt.encode({"sub": "7"}, generate_private_key(65537, 2048), "RS256", headers=headers)


def _tampered(auth: Auth) -> str:
    head, _, signature = auth.token(7, "hana").split(".")
    body = jwt.decode(auth.token(1, "root"), options={"verify_signature": False})
    return f"{head}.{part(body)}.{signature}"


def _with(**extra: Any) -> Callable[[Auth], str]:
    def make(auth: Auth) -> str:
        return forge(auth, {"alg": "EdDSA", "kid": auth.kid, "typ": "at+jwt", **extra})

    return make


def _own_key(**extra: Any) -> Callable[[Auth], str]:
    def make(auth: Auth) -> str:
        key = Ed25519PrivateKey.generate()
        jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        header = {"alg": "EdDSA", "kid": auth.kid, "typ": "at+jwt"}
        return forge(auth, {**header, **dict.fromkeys(extra, jwk)}, key)

    return make


def _claims(**claims: Any) -> Callable[[Auth], str]:
    def make(auth: Auth) -> str:
        header = {"alg": "EdDSA", "kid": auth.kid, "typ": "at+jwt"}
        given = {k: v(time.time()) if callable(v) else v for k, v in claims.items()}
        return forge(auth, header, **given)

    return make


def _without(claim: str) -> Callable[[Auth], str]:
    def make(auth: Auth) -> str:
        body = jwt.decode(auth.token(7, "hana"), options={"verify_signature": False})
        del body[claim]
        headers = {"kid": auth.kid, "typ": "at+jwt"}
        return jwt.encode(body, auth.key, "EdDSA", headers=headers)

    return make


ATTACKS: dict[str, Callable[[Auth], str]] = {
    "alg none": lambda a: f"{part({'alg': 'none', 'kid': a.kid, 'typ': 'at+jwt'})}.{part({})}.",
    "alg NONE": _with(alg="NONE"),
    "no signature": lambda a: a.token(7, "hana").rpartition(".")[0] + ".",
    "key confusion": _hmac_with_the_public_key,
    "another algorithm": _rsa,
    "alg as a list": _with(alg=["EdDSA"]),
    "tampered body": _tampered,
    "foreign key under our kid": _own_key(),
    "foreign kid": _with(kid="other"),
    "kid is a path": _with(kid="../../dev/null"),
    "kid is a number": _with(kid=1),
    "embedded jwk": _own_key(jwk=1),
    "jku": _with(jku="http://evil.example/jwks.json"),
    "x5u": _with(x5u="http://evil.example/cert.pem"),
    "x5c": _with(x5c=["MIIB"]),
    "crit": _with(crit=["exp"]),
    "b64": _with(b64=False),
    "typ JWT": _with(typ="JWT"),
    "typ missing": lambda a: forge(a, {"alg": "EdDSA", "kid": a.kid}),
    "typ of a refresh token": _with(typ="rt+jwt"),
    "wrong iss": _claims(iss="evil"),
    "iss as a list": _claims(iss=["titanium"]),
    "wrong aud": _claims(aud="other-api"),
    "aud as a list": _claims(aud=["titanium-api", "other"]),
    "expired": _claims(iat=lambda t: t - 1000, exp=lambda t: t - 100),
    "not yet valid": _claims(nbf=lambda t: t + 60),
    "issued in the future": _claims(iat=lambda t: t + 60, exp=lambda t: t + 90),
    "lives too long": _claims(exp=lambda t: t + 86_400),
    "exp is text": _claims(exp="never"),
    "exp is infinite": _claims(exp=math.inf),
    "exp is nan": _claims(exp=math.nan),
    "exp is huge": _claims(exp=10**400),
    "exp is a list": _claims(exp=[1]),
    "iat is nan": _claims(iat=math.nan),
    "iat is text": _claims(iat="0"),
    "iat is a boolean": _claims(iat=True),
    "nbf is null": _claims(nbf=None),
    "sub is a number": _claims(sub=7),
    "sub is negative": _claims(sub="-7"),
    "sub is not ascii": _claims(sub="７"),
    "sub is too large": _claims(sub="9" * 19),
    "sub is empty": _claims(sub=""),
    "sid is null": _claims(sid=None),
    "username is a list": _claims(username=["hana"]),
    "body is a list": lambda a: "..".join(a.token(7, "x").split(".")[::2]),
    "empty": lambda _a: "",
    "not a token": lambda _a: "abc",
    "too many parts": lambda a: a.token(7, "hana") + ".x",
    "too long": lambda a: a.token(7, "h" * 5000),
    "header nested": lambda _a: f"{part(b'[' * 2500)}.e30.e30",
    "header is a list": lambda _a: f"{part(b'[]')}.e30.e30",
    "lone surrogate": lambda a: a.token(7, "hana") + "\udc80",
    "not ascii": lambda a: a.token(7, "hana") + "é",
    **{f"without {c}": _without(c) for c in REQUIRED},
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_bar_45_attacks_are_refused(attack: str, auth: Auth, verify: TokenVerifier) -> None:
    token = ATTACKS[attack](auth)
    with pytest.raises(Unauthorized) as caught:
        await verify.verify(token)
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    assert verify._known == {}


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: part(b) + ".e30.e30"))
def test_any_text_has_no_header_of_ours(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        read_header(token)


async def test_a_wrong_algorithm_costs_no_call(auth: Auth, verify: TokenVerifier) -> None:
    with pytest.raises(Unauthorized):
        await verify.verify(ATTACKS["key confusion"](auth))
    assert auth.calls["jwks"] == 0
