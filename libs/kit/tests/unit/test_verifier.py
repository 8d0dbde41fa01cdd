"""The verifier: keys that change, sessions that end, and silence of auth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.kit.tests.token_support import Auth, Clock
from titanium_kit.problems import Unauthorized, Unavailable
from titanium_kit.testing import LocalIssuer
from titanium_kit.tokens import TokenVerifier, verifier
from titanium_kit.tokens.remote import AuthSource

pytestmark = pytest.mark.unit


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
