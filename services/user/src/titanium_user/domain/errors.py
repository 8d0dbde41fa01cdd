"""What may go wrong with an account; `http.errors` says how each looks over HTTP."""

from __future__ import annotations


class AccountError(Exception):
    """Base of the errors below; the message may be shown to the caller."""


class TakenError(AccountError):
    """The username or the e-mail address belongs to somebody, or did once."""

    def __init__(self) -> None:
        super().__init__("The username or the e-mail address is taken. Choose another one.")


class UnknownUserError(AccountError):
    """Nobody has that username."""

    def __init__(self) -> None:
        super().__init__("There is no user of that name.")


class NoAccountError(AccountError):
    """The caller's own account was deleted or disabled, or its sessions were ended just now."""

    def __init__(self) -> None:
        super().__init__("The session has ended. Log in again.")


class WrongCredentialsError(AccountError):
    """Unknown user, wrong password or disabled account: the caller is not told which."""

    def __init__(self) -> None:
        super().__init__("The username or the password is wrong.")


class WrongPasswordError(AccountError):
    """The password that should confirm a change is not the account's."""

    def __init__(self) -> None:
        super().__init__("The current password is wrong.")


class WeakPasswordError(AccountError):
    """The password that somebody wants to set is refused; `field` is filled in at the edge."""


class TooManyAttemptsError(AccountError):
    """Too many wrong passwords in a row; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many wrong passwords for this account. Try again later.")
        self.retry_after = retry_after


class OverloadedError(AccountError):
    """More passwords wait to be hashed than can be in reasonable time."""

    def __init__(self) -> None:
        super().__init__("Too many passwords are being checked right now. Try again in a moment.")
