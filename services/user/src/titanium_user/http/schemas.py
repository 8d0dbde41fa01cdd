"""Bodies of requests and answers, with bounds on every string.

The patterns are JSON Schema too: what the OpenAPI document calls valid is accepted, and the rest
is refused with 422. Only two rules cannot be written there: passwords must not be common, and
text must not hold lone surrogates.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from titanium_kit.body import Line, Text
from titanium_user.domain.models import Account
from titanium_user.domain.names import (
    EMAIL_MAX,
    EMAIL_PATTERN,
    USERNAME_MAX,
    USERNAME_MIN,
    USERNAME_PATTERN,
    is_email,
    is_username,
)
from titanium_user.domain.passwords import PASSWORD_MAX, PASSWORD_MIN

DISPLAY_NAME_MAX = 60
BIO_MAX = 2000
GIVEN_MAX = 1024
"""The longest password that is compared: those of the platform's first version had no limit."""


def _username(text: str) -> str:
    if not is_username(text):
        raise ValueError(
            f"use {USERNAME_MIN} to {USERNAME_MAX} letters (A-Z or Hangul), digits, "
            "'_', '-' or '.', not beginning with '.'"
        )
    return text


def _email(text: str) -> str:
    if not is_email(text):
        raise ValueError("must be an e-mail address like name@example.org")
    return text


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain lone surrogates") from None
    return text


def _pattern(pattern: str) -> dict[str, Any]:
    return {"pattern": pattern}


def _without_defaults(schema: dict[str, Any]) -> None:
    """A member that may be left out has no default: what is left out is not changed."""
    for member in schema["properties"].values():
        member.pop("default", None)


Username = Annotated[
    str,
    AfterValidator(_username),
    Field(
        min_length=USERNAME_MIN,
        max_length=USERNAME_MAX,
        json_schema_extra=_pattern(USERNAME_PATTERN),
        examples=["minji_kim"],
    ),
]
Email = Annotated[
    str,
    AfterValidator(_email),
    Field(
        max_length=EMAIL_MAX,
        json_schema_extra=_pattern(EMAIL_PATTERN),
        examples=["minji@example.org"],
    ),
]
NewPassword = Annotated[
    str,
    AfterValidator(_encodable),
    Field(
        min_length=PASSWORD_MIN,
        max_length=PASSWORD_MAX,
        json_schema_extra={"format": "password"},
        description="Any characters; common passwords and your own names are refused.",
    ),
]
GivenPassword = Annotated[
    str,
    AfterValidator(_encodable),
    Field(max_length=GIVEN_MAX, json_schema_extra={"format": "password"}),
]
DisplayName = Annotated[
    Line,
    Field(
        max_length=DISPLAY_NAME_MAX,
        json_schema_extra=_pattern(r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"),
    ),
]
Bio = Annotated[Text, Field(max_length=BIO_MAX, json_schema_extra=_pattern(r"^[^\x00]*$"))]


class Registration(BaseModel):
    """Who wants an account."""

    username: Username
    email: Email
    password: NewPassword


class ProfileUpdate(BaseModel):
    """What to change; members that are left out stay as they are. Empty texts are allowed."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    email: Email = ""
    display_name: DisplayName = ""
    bio: Bio = ""


class PasswordChange(BaseModel):
    """The present password as proof, and the next one."""

    current_password: GivenPassword
    new_password: NewPassword


class Confirmation(BaseModel):
    """The present password as proof."""

    password: GivenPassword


class LoginAttempt(BaseModel):
    """Credentials as somebody typed them into auth's login."""

    username: str = Field(max_length=GIVEN_MAX)
    password: GivenPassword


class Output(BaseModel):
    """Answers are made from domain objects, and have no other members than those declared."""

    model_config = ConfigDict(from_attributes=True)


class RegisteredAccount(Output):
    """A new account."""

    id: int
    username: str
    email: str
    created_at: datetime


class PublicProfile(Output):
    """What everybody may see of a user."""

    id: int
    username: str
    display_name: str
    bio: str
    created_at: datetime


class OwnAccount(Output):
    """What a user sees of the own account."""

    id: int
    username: str
    email: str
    display_name: str
    bio: str
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> OwnAccount:
        """The answer for `account`."""
        return cls.model_validate(account)


class VerifiedUser(Output):
    """Whose credentials they are; sessions opened now belong to `session_epoch`."""

    user_id: int
    username: str
    session_epoch: int
