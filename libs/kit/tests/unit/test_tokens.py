"""Access tokens: bar 45 (every known attack is refused), revocation, and silence of auth."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
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

from titanium_kit.problems import Unauthorized, Unavailable
from titanium_kit.settings import ServiceSettings
from titanium_kit.testing import LocalIssuer
from titanium_kit.tokens import InvalidTokenError, TokenVerifier, read_header, verifier
from titanium_kit.tokens.claims import REQUIRED
from titanium_kit.tokens.remote import AuthSource

pytestmark = pytest.mark.unit


class Auth(LocalIssuer):
    """The auth service as seen from here: it counts, and can fail or lie."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = {"jwks": 0, "revocations": 0}
        self.error: Exception | None = None
        self.document: Any = None
        self.news: Any = None

    async def jwks(self) -> dict[str, Any]:
        self.calls["jwks"] += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        document: dict[str, Any] = self.document or await super().jwks()
        return document

    async def revocations(self, after: int) -> dict[str, Any]:
        self.calls["revocations"] += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        news: dict[str, Any] = self.news or await super().revocations(after)
        return news


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def verify(auth: Auth, settings: Callable[..., ServiceSettings]) -> TokenVerifier:
    return TokenVerifier(settings(), auth)


class Clock:
    """Both clocks of the verifier, to be moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = 0.0
        real, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: real() + self.offset)
        monkeypatch.setattr(time, "time", lambda: wall() + self.offset)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(auth: Auth, header: dict[str, Any], key: Any = None, **claims: Any) -> str:
    """A token with exactly this header, signed with auth's real key or `key`."""
    body = jwt.decode(auth.token(7, "hana"), options={"verify_signature": False})
    text = f"{part({**header})}.{part({**body, **claims})}"
    return f"{text}.{part((key or auth.key).sign(text.encode()))}"


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


class TestKeys:
    """How the keys are kept."""

    async def test_unknown_kids_are_looked_up_at_most_once_in_a_while(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        await verify.verify(auth.token(7, "hana"))
        foreign = Auth()
        results = await asyncio.gather(
            *(verify.verify(foreign.token(n, "x")) for n in range(50)), return_exceptions=True
        )
        assert all(isinstance(result, Unauthorized) for result in results)
        assert auth.calls["jwks"] == 1
        clock.offset += verifier.REFETCH_AFTER
        with pytest.raises(Unauthorized):
            await verify.verify(foreign.token(1, "x"))
        assert auth.calls["jwks"] == 2

    async def test_first_callers_wait_for_one_request(
        self, auth: Auth, verify: TokenVerifier
    ) -> None:
        await asyncio.gather(*(verify.verify(auth.token(n, "x")) for n in range(20)))
        assert auth.calls["jwks"] == 1

    async def test_a_new_key_is_found_at_once_when_the_last_look_is_old(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        await verify.verify(auth.token(7, "hana"))
        clock.offset += verifier.REFETCH_AFTER
        auth.key, auth.kid = Ed25519PrivateKey.generate(), "new"
        assert (await verify.verify(auth.token(7, "hana"))).user_id == 7

    async def test_without_keys_nothing_is_accepted_and_auth_is_not_flooded(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        auth.error = Unavailable("away")
        results = await asyncio.gather(
            *(verify.verify(auth.token(n, "x")) for n in range(50)), return_exceptions=True
        )
        assert all(isinstance(result, Unavailable) for result in results)
        assert auth.calls["jwks"] == 1
        auth.error = None
        clock.offset += verifier.RETRY_AFTER
        assert (await verify.verify(auth.token(7, "hana"))).user_id == 7

    @pytest.mark.parametrize(
        "document",
        [
            {"nothing": 1},
            ["keys"],
            "text",
            {"keys": 5},
            {"keys": [None]},
            {"keys": [{"kty": "OKP"}]},
            {"keys": [{"kty": "OKP", "kid": "a"}]},
            {"keys": [{"kty": "OKP", "kid": "a", "crv": "Ed25519", "x": "!"}]},
            {"keys": [{"kty": "OKP", "kid": [], "crv": "Ed25519", "x": "AA"}]},
        ],
    )
    async def test_a_document_of_another_kind_is_503(
        self, document: Any, auth: Auth, verify: TokenVerifier
    ) -> None:
        auth.document = document
        with pytest.raises(Unavailable):
            await verify.verify(auth.token(7, "hana"))

    async def test_keys_of_other_kinds_are_passed_over(
        self, auth: Auth, verify: TokenVerifier
    ) -> None:
        document = await LocalIssuer.jwks(auth)
        document["keys"] += [{"kty": "RSA", "kid": "r"}, {"kty": "OKP", "use": "enc"}]
        auth.document = document
        assert (await verify.verify(auth.token(7, "hana"))).user_id == 7

    async def test_a_withdrawn_key_takes_its_tokens_with_it(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        token = auth.token(7, "hana")
        await verify.verify(token)
        auth.key, auth.kid = Ed25519PrivateKey.generate(), "new"
        clock.offset += verifier.REFETCH_AFTER
        await verify.verify(auth.token(7, "hana"))
        with pytest.raises(Unauthorized):
            await verify.verify(token)

    async def test_the_poll_renews_the_keys(
        self,
        auth: Auth,
        verify: TokenVerifier,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        eventually: Callable[..., Any],
    ) -> None:
        monkeypatch.setattr(verifier, "POLL_EVERY", 0.001)
        await verify.start()
        await eventually(lambda: auth.calls["jwks"] == 1)
        clock.offset += verifier.REFRESH_EVERY
        await eventually(lambda: auth.calls["jwks"] == 2)
        await verify.stop()


class TestSessions:
    """Revocation, and what happens when auth is silent."""

    async def test_a_revoked_session_is_refused(self, auth: Auth, verify: TokenVerifier) -> None:
        token = auth.token(7, "hana", sid="s1")
        await verify.verify(token)
        auth.revoked.append({"sid": "s1", "until": time.time() + 900})
        await verify._update()
        with pytest.raises(Unauthorized, match="session has ended"):
            await verify.verify(token)
        await verify.verify(auth.token(7, "hana", sid="s2"))

    async def test_revocations_reach_the_verifier_within_a_second(
        self, auth: Auth, verify: TokenVerifier, eventually: Callable[..., Any]
    ) -> None:
        await verify.start()
        await eventually(lambda: not verify._silent)
        auth.revoked.append({"sid": "s1", "until": time.time() + 900})
        assert await eventually(lambda: "s1" in verify._revoked) < 1.0
        await verify.stop()

    async def test_an_expired_token_is_refused_also_when_known(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        token = auth.token(7, "hana")
        await verify.verify(token)
        clock.offset = 901
        with pytest.raises(Unauthorized, match="expired"):
            await verify.verify(token)
        assert verify._known == {}

    async def test_silence_fails_closed_also_for_known_tokens_and_right_after_boot(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        with pytest.raises(Unavailable):
            await verify.check()
        token = auth.token(7, "hana")
        await verify.verify(token)
        await verify.check()
        auth.error = Unavailable("away")
        clock.offset += verifier.MAX_SILENCE - 1
        await verify.verify(token)
        clock.offset += 2
        with pytest.raises(Unavailable):
            await verify.verify(token)
        with pytest.raises(Unavailable):
            await verify.check()

    async def test_a_machine_just_booted_is_not_taken_for_one_that_heard(
        self, auth: Auth, verify: TokenVerifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: 0.5)
        auth.error = Unavailable("away")
        with pytest.raises(Unavailable):
            await verify.check()

    async def test_callers_in_a_silence_ask_auth_once_together(
        self, auth: Auth, verify: TokenVerifier, clock: Clock
    ) -> None:
        token = auth.token(7, "hana")
        await verify.verify(token)
        clock.offset += verifier.MAX_SILENCE + 1
        auth.calls["revocations"] = 0
        await asyncio.gather(*(verify.verify(token) for _ in range(50)))
        assert auth.calls["revocations"] == 1
        auth.error = Unavailable("away")
        clock.offset += verifier.MAX_SILENCE + 1
        auth.calls["revocations"] = 0
        await asyncio.gather(*(verify.verify(token) for _ in range(50)), return_exceptions=True)
        assert auth.calls["revocations"] == 1

    @pytest.mark.parametrize(
        "news",
        [
            {"x": 1},
            [1],
            {"last": "a", "revoked": []},
            {"last": 1, "revoked": [{"sid": "a"}]},
            {"last": 1, "revoked": [{"sid": "a", "until": "x"}]},
        ],
    )
    async def test_an_answer_of_another_kind_is_silence_and_the_poll_goes_on(
        self,
        news: Any,
        auth: Auth,
        verify: TokenVerifier,
        monkeypatch: pytest.MonkeyPatch,
        eventually: Callable[..., Any],
    ) -> None:
        monkeypatch.setattr(verifier, "POLL_EVERY", 0.001)
        auth.news = news
        await verify.start()
        await eventually(lambda: auth.calls["revocations"] > 2)
        with pytest.raises(Unavailable):
            await verify.verify(auth.token(7, "hana"))
        auth.news = None
        await eventually(lambda: not verify._silent)
        await verify.stop()

    async def test_a_sequence_that_went_back_is_read_from_its_start(
        self, auth: Auth, verify: TokenVerifier
    ) -> None:
        auth.revoked = [{"sid": f"s{n}", "until": time.time() + 900} for n in range(5)]
        await verify._update()
        auth.revoked = [{"sid": "after the restore", "until": time.time() + 900}]
        await verify._update()
        assert "after the restore" in verify._revoked
        assert verify._last == 1

    async def test_what_is_remembered_is_bounded(
        self, auth: Auth, verify: TokenVerifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifier, "REMEMBERED_TOKENS", 3)
        for number in range(5):
            await verify.verify(auth.token(number, "x"))
        assert len(verify._known) == 3
        past = [{"sid": f"old{n}", "until": time.time() - 1} for n in range(200)]
        auth.revoked = [*past, {"sid": "new", "until": time.time() + 900}]
        await verify._update()
        assert verify._revoked.keys() == {"new"}

    async def test_stop_without_start(self, verify: TokenVerifier) -> None:
        await verify.stop()


async def test_the_remote_source_asks_auth_at_the_agreed_addresses() -> None:
    asked: list[tuple[str, str]] = []

    class Client:
        async def get_json(self, service: str, path: str, *, timeout: float = 5.0) -> Any:
            asked.append((service, path))
            return {}

    source = AuthSource(Client())  # type: ignore[arg-type]
    await source.jwks()
    await source.revocations(7)
    assert asked == [
        ("auth", "/.well-known/jwks.json"),
        ("auth", "/internal/revocations?after=7"),
    ]
