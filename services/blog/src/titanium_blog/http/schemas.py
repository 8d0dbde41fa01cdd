"""Bodies and parameters of the API, for validation and for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from titanium_blog.domain import cursor, limits
from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.posts import Changes, Draft
from titanium_kit.body import Line, Text

_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
ONE_LINE = rf"^[^{_CONTROL}]*$"
ONE_LINE_WITH_LETTER = rf"^[^{_CONTROL}]*[^{_CONTROL}\s][^{_CONTROL}]*$"
WITH_LETTER = r"^[^\x00]*[^\x00\s][^\x00]*$"
VISIBLE = r"^[\x21-\x7e]+$"


def _at_most(length: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > length:
            raise ValueError(f"must not be longer than {length} characters")
        return text

    return AfterValidator(check)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _documented(length: int, pattern: str, shortest: int = 0) -> dict[str, Any]:
    """The bounds as JSON Schema; the validators say the same in sentences for people."""
    return {"minLength": shortest, "maxLength": length, "pattern": pattern}


Title = Annotated[
    Line,
    _at_most(limits.TITLE),
    AfterValidator(_not_blank),
    Field(json_schema_extra=_documented(limits.TITLE, ONE_LINE_WITH_LETTER, 1)),
]
Content = Annotated[
    Text,
    _at_most(limits.CONTENT),
    AfterValidator(_not_blank),
    Field(json_schema_extra=_documented(limits.CONTENT, WITH_LETTER, 1)),
]
CategoryText = Annotated[
    Line,
    _at_most(limits.CATEGORY_NAME),
    Field(json_schema_extra=_documented(limits.CATEGORY_NAME, ONE_LINE)),
]

PostId = Annotated[int, Path(ge=1, le=limits.ID, description="The post's number.")]
Limit = Annotated[int, Query(ge=1, le=limits.PAGE, description="Posts on a page.")]
Offset = Annotated[
    int,
    Query(
        ge=0,
        le=limits.OFFSET,
        description="Posts to skip. Follow `Link: rel=next` to go further than 10,000.",
    ),
]
CursorText = Annotated[
    str | SkipJsonSchema[None],
    Query(
        min_length=28,
        max_length=28,
        pattern=cursor.PATTERN,
        description="Where the page before ended, as in its `Link: rel=next`.",
        json_schema_extra={"pattern": cursor.PATTERN},
    ),
]
CategoryFilter = Annotated[
    Annotated[Line, _at_most(limits.CATEGORY_NAME * 2)] | SkipJsonSchema[None],
    Query(
        description="A slug or a name.",
        json_schema_extra=_documented(limits.CATEGORY_NAME * 2, ONE_LINE),
    ),
]
AuthorFilter = Annotated[
    Annotated[Line, _at_most(limits.USERNAME)] | SkipJsonSchema[None],
    Query(
        description="A username, in any case.",
        json_schema_extra=_documented(limits.USERNAME, ONE_LINE),
    ),
]
Search = Annotated[
    Annotated[Line, _at_most(limits.QUERY)] | SkipJsonSchema[None],
    Query(
        description="Words, all of which a post must have: ranked, the beginning of a word is "
        "enough. Ranks the 500 newest posts that match.",
        json_schema_extra=_documented(limits.QUERY, ONE_LINE),
    ),
]
# The two preconditions are told in the operations' descriptions and not listed as parameters:
# a schema cannot say which values come true (the current ETag, a key that is not taken), so a
# client that generates "valid" values from it would be refused.
IdempotencyKey = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=limits.IDEMPOTENCY_KEY,
        pattern=VISIBLE,
        include_in_schema=False,
    ),
]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="If-Match",
        max_length=1000,
        include_in_schema=False,
    ),
]
CONDITIONAL: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "ETags that you have; 304 when one of them is current.",
        }
    ]
}
"""For OpenAPI only: the cache reads the header."""


class CategoryOut(BaseModel):
    """A category."""

    id: int
    name: str
    slug: str = Field(description="For `category=` and addresses; stable.")
    color: str = Field(pattern="^#[0-9a-f]{6}$", description="Readable under white text.")


class CategoryCount(CategoryOut):
    """A category and the number of its posts."""

    post_count: int = Field(ge=1)


class PostSummary(BaseModel):
    """A post in a list."""

    id: int = Field(ge=1)
    title: str
    excerpt: str = Field(description="The beginning of the text, without markup.")
    author: str = Field(description="The username.")
    category: CategoryOut
    created_at: datetime
    updated_at: datetime


class PostWhole(PostSummary):
    """A whole post."""

    content: str = Field(description="Markdown, as written.")
    content_html: str = Field(description="The content as sanitized HTML.")


class PostIn(BaseModel):
    """What a new post is made of; other members are ignored."""

    model_config = ConfigDict(extra="ignore")

    title: Title
    content: Content
    category_name: CategoryText | None = Field(
        default=None, description="Created when it is new; none or blank means `General`."
    )

    def draft(self) -> Draft:
        """The domain's form."""
        return Draft(self.title, self.content, CategoryName.of(self.category_name))


class PostChanges(BaseModel):
    """What is to change; members that are not sent stay, other members are ignored."""

    model_config = ConfigDict(extra="ignore")

    title: Title = ""
    content: Content = ""
    category_name: CategoryText | None = Field(
        default=None, description="None or blank means `General`."
    )

    def changes(self) -> Changes:
        """The domain's form."""
        sent = self.model_fields_set
        return Changes(
            title=self.title if "title" in sent else None,
            content=self.content if "content" in sent else None,
            category=CategoryName.of(self.category_name) if "category_name" in sent else None,
        )
