"""What can go wrong; `titanium_blog.http.errors` turns each into an HTTP answer."""

from __future__ import annotations


class BlogError(Exception):
    """Base of the blog's errors; the message may be shown to the caller."""


class PostNotFoundError(BlogError):
    """There is no such post, or no longer."""

    def __init__(self, post_id: int) -> None:
        super().__init__(f"There is no post {post_id}.")


class CategoryNotFoundError(BlogError):
    """No post is of such a category, or no longer."""

    def __init__(self) -> None:
        super().__init__("There is no such category.")


class NotTheAuthorError(BlogError):
    """Only its author may change or delete a post."""

    def __init__(self) -> None:
        super().__init__("Only the author of a post may change or delete it.")


class StaleVersionError(BlogError):
    """The post has changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__(
            "The post has changed since you read it: GET it again and repeat the change."
        )


class AuthorRemovedError(BlogError):
    """The account was deleted; its token may live a moment longer."""

    def __init__(self) -> None:
        super().__init__("This account was deleted and can write no more posts.")


class KeyReusedError(BlogError):
    """An Idempotency-Key came back with another request."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request: send a new key with a new request."
        )


class TooComplexError(BlogError):
    """The Markdown takes too long to render, or becomes too large."""


class ContendedError(BlogError):
    """Others changed the same things each time; a retry may succeed."""

    def __init__(self) -> None:
        super().__init__("Others are changing the same post or category. Try again in a moment.")
