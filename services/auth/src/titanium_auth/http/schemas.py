"""Bodies of requests and answers; unknown members of a request are ignored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StrictBool, StrictInt
from pydantic.json_schema import SkipJsonSchema

from titanium_auth.domain.models import Grant

BIGINT = 2**63 - 1


def _unicode(secret: SecretStr) -> SecretStr:
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain lone surrogates") from None
    return secret


Password = Annotated[SecretStr, Field(min_length=1, max_length=1024), AfterValidator(_unicode)]
AccountId = Annotated[StrictInt, Field(ge=1, le=BIGINT)]
Epoch = Annotated[StrictInt, Field(ge=0, le=BIGINT)]


class LoginRequest(BaseModel):
    """A name and a password.

    `with_refresh_token` asks for the refresh token in the answer's body too, for clients that
    keep no cookies. A browser should not: a script on a page could read it there.
    """

    username: str = Field(min_length=1, max_length=256)
    password: Password
    with_refresh_token: StrictBool = False


class RefreshTokenRequest(BaseModel):
    """A refresh token, for clients that keep no cookies; without it the cookie counts."""

    refresh_token: str | None = Field(default=None, min_length=1, max_length=512)


class GrantAnswer(BaseModel):
    """An access token and its lifetime in seconds; `token` is the same token."""

    access_token: str
    token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme's name
    expires_in: int = Field(ge=0, le=900)
    refresh_token: str | SkipJsonSchema[None] = None

    @classmethod
    def of(cls, grant: Grant, *, with_refresh_token: bool) -> GrantAnswer:
        """The body for `grant`."""
        return cls(
            access_token=grant.access_token,
            token=grant.access_token,
            expires_in=grant.access_seconds,
            refresh_token=grant.refresh_token if with_refresh_token else None,
        )


class VerifyAnswer(BaseModel):
    """Whom a valid access token speaks for; `exp` is in seconds since the epoch."""

    active: Literal[True] = True
    sub: str
    user_id: int
    username: str
    sid: str
    exp: int
    expires_in: int = Field(ge=0, le=900)


class JsonWebKey(BaseModel):
    """An Ed25519 public key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class JsonWebKeySet(BaseModel):
    """The keys that access tokens are signed with (RFC 7517); two while keys are rotated."""

    keys: list[JsonWebKey]


class RevokeRequest(BaseModel):
    """End the sessions that an account opened under an epoch below `epoch`."""

    user_id: AccountId
    epoch: Epoch


class RevokedSession(BaseModel):
    """No token of `sid` is valid; `until` (seconds since the epoch) all have expired."""

    sid: str
    until: float


class RevocationsAnswer(BaseModel):
    """Ask for what follows with `after=last`."""

    last: int
    revoked: list[RevokedSession]
