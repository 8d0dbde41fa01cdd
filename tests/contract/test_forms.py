"""The forms of the web pages check what the API checks, before it does."""

from __future__ import annotations

import pytest

from titanium_blog.http.web.writing import FORM_LIMITS
from titanium_user.domain import names, passwords
from titanium_user.http import schemas

pytestmark = pytest.mark.unit


def test_the_forms_bounds_are_those_of_the_user_service() -> None:
    assert FORM_LIMITS.username == names.USERNAME_PATTERN
    assert (FORM_LIMITS.username_min, FORM_LIMITS.username_max) == (
        names.USERNAME_MIN,
        names.USERNAME_MAX,
    )
    assert FORM_LIMITS.email == names.EMAIL_PATTERN
    assert FORM_LIMITS.email_max == names.EMAIL_MAX
    assert (FORM_LIMITS.password_min, FORM_LIMITS.password_max) == (
        passwords.PASSWORD_MIN,
        passwords.PASSWORD_MAX,
    )
    assert FORM_LIMITS.display_name_max == schemas.DISPLAY_NAME_MAX
    assert FORM_LIMITS.bio_max == schemas.BIO_MAX
