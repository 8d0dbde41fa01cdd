"""What this service accepts as an access token, and how keys are published and rotated."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from services.auth.tests.support import Auth, away, bearer, eventually, log_in, refresh, tokens
from titanium_auth.adapters.derived_keys import DerivedKeys
from titanium_auth.admin import rotate_keys
from titanium_kit.problems import Unavailable
from titanium_kit.settings import SettingsError
from titanium_kit.tokens.claims import LEEWAY, MAX_LIFETIME

pytestmark = pytest.mark.integration

JWKS = "/.well-known/jwks.json"


def encode(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def decode(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=="))
    return value


class Forger:
    """Has a valid token, the public key, and for some attacks even the private one."""

    def __init__(self, token: str, private: Ed25519PrivateKey) -> None:
        self.head, self.claims, self.signature = token.split(".")
        self.header, self.body = decode(self.head), decode(self.claims)
        self.private = private
        self.own = Ed25519PrivateKey.generate()
        self.now = int(time.time())

    def sign(
        self,
        header: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        key: Ed25519PrivateKey | None = None,
    ) -> str:
        head = encode(self.header if header is None else header)
        claims = encode(self.body if body is None else body)
        signature = (key or self.private).sign(f"{head}.{claims}".encode())
        return f"{head}.{claims}.{urlsafe_b64encode(signature).decode().rstrip('=')}"

    def claim(self, **changes: Any) -> str:
        """Signed with the real key; a claim that is None is left out."""
        body = {**self.body, **changes}
        return self.sign(body={name: value for name, value in body.items() if value is not None})

    def head_with(self, **changes: Any) -> str:
        """Signed with the real key."""
        return self.sign(header={**self.header, **changes})

    def own_jwk(self) -> dict[str, Any]:
        x = urlsafe_b64encode(self.own.public_key().public_bytes_raw()).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "mine"}

    def unsigned(self, alg: str) -> str:
        return f"{encode({**self.header, 'alg': alg})}.{self.claims}."

    def confused(self) -> str:
        """HMAC under the public key's bytes."""
        public = self.private.public_key().public_bytes_raw()
        return jwt.encode(
            self.body,
            public,
            algorithm="HS256",
            headers={"kid": self.header["kid"], "typ": "at+jwt"},
        )

    def confused_by_pem(self) -> str:
        """HMAC under the public key's PEM, built by hand: libraries refuse to."""
        pem = self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        head = encode({**self.header, "alg": "HS256"})
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        signature = mac.sign(f"{head}.{self.claims}".encode(), pem)
        return f"{head}.{self.claims}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


ATTACKS: dict[str, Callable[[Forger], str]] = {
    "alg none": lambda f: f.unsigned("none"),
    "alg None": lambda f: f.unsigned("nOnE"),
    "alg none, signature kept": lambda f: f"{f.unsigned('none')}{f.signature}",
    "no signature": lambda f: f"{f.head}.{f.claims}.",
    "key confusion, raw": Forger.confused,
    "key confusion, PEM": Forger.confused_by_pem,
    "other algorithm's name": lambda f: f.head_with(alg="ES256"),
    "wrong iss": lambda f: f.claim(iss="https://evil.example"),
    "no iss": lambda f: f.claim(iss=None),
    "wrong aud": lambda f: f.claim(aud="other-api"),
    "aud list": lambda f: f.claim(aud=["titanium-api", "other-api"]),
    "no aud": lambda f: f.claim(aud=None),
    "typ JWT": lambda f: f.head_with(typ="JWT"),
    "no typ": lambda f: f.sign(header={k: v for k, v in f.header.items() if k != "typ"}),
    "expired": lambda f: f.claim(iat=f.now - 1800, nbf=f.now - 1800, exp=f.now - 900),
    "no exp": lambda f: f.claim(exp=None),
    "exp text": lambda f: f.claim(exp="never"),
    "exp infinite": lambda f: f.claim(exp=1e300),
    "bar 46: lives longer than 15 minutes": lambda f: f.claim(
        iat=f.now, nbf=f.now, exp=f.now + 901
    ),
    "nbf in the future": lambda f: f.claim(nbf=f.now + 300),
    "no nbf": lambda f: f.claim(nbf=None),
    "iat in the future": lambda f: f.claim(iat=f.now + 300, exp=f.now + 600),
    "foreign kid": lambda f: f.sign(header={**f.header, "kid": "mine"}, key=f.own),
    "known kid, foreign key": lambda f: f.sign(key=f.own),
    "kid as path": lambda f: f.sign(header={**f.header, "kid": "../../dev/null"}, key=f.own),
    "kid as SQL": lambda f: f.sign(header={**f.header, "kid": "' OR 1=1 --"}, key=f.own),
    "kid not text": lambda f: f.head_with(kid=["x"]),
    "no kid": lambda f: f.sign(header={k: v for k, v in f.header.items() if k != "kid"}),
    "jku": lambda f: f.sign(header={**f.header, "jku": "https://evil.example/keys"}, key=f.own),
    "x5u": lambda f: f.sign(header={**f.header, "x5u": "https://evil.example/cert"}, key=f.own),
    "x5c": lambda f: f.sign(header={**f.header, "x5c": ["AAAA"]}, key=f.own),
    "embedded jwk": lambda f: f.sign(header={**f.header, "jwk": f.own_jwk()}, key=f.own),
    "embedded jwk, real signature": lambda f: f.head_with(jwk=f.own_jwk()),
    "crit": lambda f: f.head_with(crit=["exp"]),
    "other user": lambda f: f"{f.head}.{encode({**f.body, 'sub': '2'})}.{f.signature}",
    "sub not a number": lambda f: f.claim(sub="1 OR 1=1"),
    "sub a number": lambda f: f.claim(sub=1),
    "no sub": lambda f: f.claim(sub=None),
    "no sid": lambda f: f.claim(sid=None),
    "no jti": lambda f: f.claim(jti=None),
    "changed signature": lambda f: f"{f.head}.{f.claims}.{f.signature[::-1]}",
    "two parts": lambda f: f"{f.head}.{f.claims}",
    "five parts": lambda f: f"{f.head}.{f.claims}.{f.signature}.x.y",
    "not a token": lambda _: "nonsense",
    "too long": lambda f: f.claim(username="x" * 5000),
    "a refresh token": lambda _: "A" * 91,
}


async def private_key(auth: Auth) -> Ed25519PrivateKey:
    keys = DerivedKeys.of(auth.settings.key_encryption_key)
    row = await auth.database.fetchrow(
        "SELECT kid, sealed_key FROM signing_keys WHERE retires_at IS NULL"
    )
    return Ed25519PrivateKey.from_private_bytes(keys.open(row["sealed_key"], row["kid"]))


async def test_bar_45_forged_tokens_are_rejected(auth: Auth) -> None:
    """Each attack: 401 with a challenge at verify; logout does not take it either."""
    client = await auth.replica()
    token = (await tokens(client))["access_token"]
    forger = Forger(token, await private_key(auth))
    accepted = await client.get("/api/auth/verify", headers=bearer(forger.sign()))
    assert accepted.status_code == 200, "the forger's tools must work, or nothing is proven"
    let_in = []
    for name, attack in ATTACKS.items():
        headers = bearer(attack(forger))
        answer = await client.get("/api/auth/verify", headers=headers)
        if answer.status_code != 401 or "Bearer" not in answer.headers["www-authenticate"]:
            let_in.append((name, answer.status_code))
        if (await client.post("/api/auth/logout", headers=headers)).status_code != 401:
            let_in.append((name, 204))
    assert let_in == []


async def test_token_is_exactly_what_the_kit_documents(client: httpx2.AsyncClient) -> None:
    """Header alg, kid, typ; the nine claims."""
    token = (await tokens(client))["access_token"]
    head, claims, _ = token.split(".")
    assert set(decode(head)) == {"alg", "kid", "typ"}
    assert decode(head)["alg"] == "EdDSA"
    assert decode(head)["typ"] == "at+jwt"
    body = decode(claims)
    assert set(body) == {"iss", "aud", "sub", "username", "sid", "jti", "iat", "nbf", "exp"}
    assert body["exp"] - body["iat"] == MAX_LIFETIME


async def test_verify_answers_whom_the_token_speaks_for(client: httpx2.AsyncClient) -> None:
    """GET with a body, HEAD with the same status."""
    token = (await tokens(client))["access_token"]
    answer = await client.get("/api/auth/verify", headers=bearer(token))
    body = answer.json()
    assert (body["active"], body["sub"], body["user_id"]) == (True, "1", 1)
    assert body["username"] == "alice"
    assert 890 < body["expires_in"] <= 900
    assert answer.headers["cache-control"] == "no-store"
    assert (await client.head("/api/auth/verify", headers=bearer(token))).status_code == 200
    assert (await client.head("/api/auth/verify")).status_code == 401


async def test_jwks_is_cacheable(client: httpx2.AsyncClient) -> None:
    """Public for some seconds, with a validator that answers 304."""
    answer = await client.get(JWKS)
    assert answer.status_code == 200
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert answer.headers["cache-control"] == "public, max-age=15"
    again = await client.get(JWKS, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert (await client.head(JWKS)).headers["etag"] == answer.headers["etag"]


async def kids(client: httpx2.AsyncClient) -> list[str]:
    return [key["kid"] for key in (await client.get(JWKS)).json()["keys"]]


def signed_by(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


async def test_rotation_publishes_two_keys_and_breaks_no_token(auth: Auth) -> None:
    """Tokens issued and checked all the while, on both replicas: none is refused."""
    replicas = [await auth.replica(), await auth.replica()]
    before = (await kids(replicas[0]))[0]
    issued = [(await tokens(replicas[0]))["access_token"]]
    rotation = asyncio.create_task(rotate_keys(auth.settings))
    refused = 0
    while not rotation.done():
        for client in replicas:
            issued.append((await tokens(client))["access_token"])
            for other in replicas:
                answer = await other.get("/api/auth/verify", headers=bearer(issued[-1]))
                refused += answer.status_code != 200
        await asyncio.sleep(0.1)
    assert refused == 0
    sentence = await rotation
    for client in replicas:
        after = (await tokens(client))["access_token"]
        assert signed_by(after) in sentence
        assert await kids(client) == [before, signed_by(after)]
        for token in (issued[0], after):
            for other in replicas:
                answer = await other.get("/api/auth/verify", headers=bearer(token))
                assert answer.status_code == 200
    assert signed_by(issued[0]) == before


async def test_old_key_is_withdrawn_when_its_last_token_has_expired(auth: Auth) -> None:
    """Published for 15 minutes, the leeway and a margin after the new one signs."""
    client = await auth.replica()
    before = (await kids(client))[0]
    await rotate_keys(auth.settings, lead=0)
    rest = await auth.database.fetchval(
        "SELECT retires_at - now() FROM signing_keys WHERE kid = $1", before
    )
    assert rest.total_seconds() > MAX_LIFETIME + LEEWAY
    await auth.database.execute(
        "UPDATE signing_keys SET retires_at = now() WHERE retires_at IS NOT NULL"
    )

    async def withdrawn() -> bool:
        published = await kids(client)
        return len(published) == 1 and published != [before]

    assert await eventually(withdrawn, within=3.0)


async def test_replicas_that_start_together_make_one_key(auth: Auth) -> None:
    """The first start of several replicas on an empty database."""
    clients = await asyncio.gather(*(auth.replica() for _ in range(4)))
    assert len({(await kids(client))[0] for client in clients}) == 1
    assert await auth.database.fetchval("SELECT count(*) FROM signing_keys") == 1


async def start(auth: Auth, **changes: Any) -> None:
    await auth.with_settings(**changes).replica()


async def test_wrong_key_encryption_key_stops_the_start(auth: Auth) -> None:
    """One line that names the setting, the key, and what to do."""
    await auth.replica()
    other = SecretStr("another generated key")
    with pytest.raises(SettingsError, match=r"KEY_ENCRYPTION_KEY: does not open .* --discard"):
        await start(auth, key_encryption_key=other)
    with pytest.raises(SettingsError, match="does not open"):
        await rotate_keys(auth.settings.model_copy(update={"key_encryption_key": other}))
    with pytest.raises(SettingsError, match="KEY_ENCRYPTION_KEY: empty"):
        await start(auth, key_encryption_key=SecretStr(""))


async def test_discarding_keys_starts_anew_under_another_key(auth: Auth) -> None:
    """The way out when the old value is lost."""
    client = await auth.replica()
    old = await tokens(client)
    other = auth.with_settings(key_encryption_key=SecretStr("another generated key"))
    assert "all other keys were deleted" in await rotate_keys(other.settings, discard=True)
    renewed = await other.replica()
    assert (await log_in(renewed)).status_code == 200
    answer = await renewed.get("/api/auth/verify", headers=bearer(old["access_token"]))
    assert answer.status_code == 401
    assert (await refresh(renewed, old["refresh_token"])).status_code == 401


async def test_start_without_tables_says_what_to_run(postgres: Any, auth: Auth) -> None:
    """The migration was forgotten."""
    empty = await postgres.create_database()
    with pytest.raises(SettingsError, match=r"titanium_kit\.migrate titanium_auth"):
        await start(auth, database_url=empty.url)


async def test_database_that_comes_late_is_waited_for(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not ready and 503 until then; nothing has to be restarted."""
    monkeypatch.setattr("titanium_auth.adapters.key_ring.POLL_EVERY", 0.05)
    async with away(auth):
        client = await auth.replica()
        ready = await client.get("/internal/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["signing-keys"] == "unavailable"
        assert (await client.get(JWKS)).status_code == 503
        with pytest.raises(Unavailable, match="signing keys"):
            auth.apps[-1].state.key_ring.issue(None)
        await asyncio.sleep(0.2)

    async def works() -> bool:
        return (await client.get("/internal/readyz")).status_code == 200

    assert await eventually(works, within=3.0)
    assert (await log_in(client)).status_code == 200
