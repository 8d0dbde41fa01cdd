"""Strict JSON, and text in every Unicode plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from titanium_kit.app import api_router
from titanium_kit.body import MAX_DEPTH, Line, Text, parse_json
from titanium_kit.problems import Problem
from titanium_kit.testing import serving

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=30)
@given(JSON)
def test_every_json_value_is_read_as_it_is(value: Any) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) == (
        json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    )


@given(st.binary(max_size=200))
def test_any_other_bytes_are_a_400(body: bytes) -> None:
    try:
        expected = json.loads(body.decode())
    except (ValueError, RecursionError):
        with pytest.raises(Problem, match="400"):
            parse_json(body)
    else:
        with suppress(Problem):
            assert parse_json(body) == expected


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "line 1, column 2"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": 1, "a": 1}', "'a' more than once"),
        (b'{"x": {"\\ud800": 1, "\\ud800": 2}}', "more than once"),
        (b"NaN", "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b"[1e999]", "too large"),
        (b"[-1e999]", "too large"),
        (b"1" * 5000, "too many digits"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nested deeper"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, says: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_json(body)
    assert caught.value.status_code == 400
    assert says in caught.value.detail
    caught.value.detail.encode()


def test_wide_and_moderately_deep_values_are_accepted() -> None:
    assert parse_json(b"[" + b",".join([b"[{}]"] * 1000) + b"]")
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert parse_json(deep)


class Post(BaseModel):
    title: Annotated[Line, Field(min_length=1, max_length=200)]
    content: Annotated[Text, Field(max_length=1000)] = ""
    number: int = 0


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    router = api_router()

    @router.post("/posts")
    async def create(post: Post) -> Post:
        return post

    return make_app(router)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'],
)
async def test_json_in_utf8_is_read(app: FastAPI, content_type: str) -> None:
    async with serving(app) as client:
        answer = await client.post(
            "/posts",
            content='{"title": " 안녕 ", "unknown": 1}'.encode(),
            headers={"content-type": content_type},
        )
    assert answer.status_code == 200
    assert answer.json()["title"] == "안녕"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/merge-patch+json",
        "application/json; charset=latin-1",
        "application/json é",
        ";;;",
    ],
)
async def test_anything_else_is_a_415_that_says_what_to_send(
    app: FastAPI, content_type: str
) -> None:
    async with serving(app) as client:
        answer = await client.post(
            "/posts", content=b'{"title": "a"}', headers=[(b"content-type", content_type.encode())]
        )
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("coding", "status"), [("gzip", 415), ("br, gzip", 415), ("Identity", 200)]
)
async def test_a_body_with_a_content_coding_is_a_415(
    app: FastAPI, coding: str, status: int
) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    async with serving(app) as client:
        answer = await client.post("/posts", content=b'{"title": "a"}', headers=headers)
    assert answer.status_code == status
    assert answer.headers.get("accept-encoding") == ("identity" if status == 415 else None)


@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_no_content_type_breaks_the_reading(content_type: str) -> None:
    from titanium_kit.body import _is_json

    assert _is_json(content_type) in (True, False)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 422, "body"),
        (b"null", 422, "body"),
        (b"[]", 422, "body"),
        (b'"text"', 422, "body"),
        (b"{}", 422, "title"),
        (b'{"title": ""}', 422, "title"),
        (b'{"title": "   "}', 422, "title"),
        (b'{"title": 5}', 422, "title"),
        (b'{"title": "a\\u0000b"}', 422, "title"),
        (b'{"title": "a\\nb"}', 422, "title"),
        (b'{"title": "a\\u2028b"}', 422, "title"),
        (b'{"title": "\\ud800"}', 422, "title"),
        (b'{"title": "a", "content": "\\u0000"}', 422, "content"),
        (b'{"title": "a", "content": "\\udfff"}', 422, "content"),
        (b'{"title": "a", "number": 1.5}', 422, "number"),
    ],
)
async def test_wrong_fields_are_named(app: FastAPI, body: bytes, status: int, field: str) -> None:
    async with serving(app) as client:
        answer = await client.post(
            "/posts", content=body, headers={"content-type": "application/json"}
        )
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert [item["field"] for item in problem["errors"]] == [field]
    assert all(item["message"] for item in problem["errors"])


async def test_a_malformed_body_is_a_400(app: FastAPI) -> None:
    async with serving(app) as client:
        answer = await client.post(
            "/posts", content=b"{", headers={"content-type": "application/json"}
        )
    assert answer.status_code == 400
    assert answer.json()["title"] == "Bad Request"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_text_keeps_every_plane_as_it_is(text: str) -> None:
    assert TypeAdapter(Text).validate_python(text) == text


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M", "Zs", "Co", "Cf"])))
def test_a_line_keeps_all_but_the_space_around_it(text: str) -> None:
    assert TypeAdapter(Line).validate_python(text) == text.strip()


@given(st.text(), st.text(), st.sampled_from(["\x00", "\x1f", "\x7f", "\x85", "\u2028", "\u2029"]))
def test_a_line_has_no_control_characters(before: str, after: str, control: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Line).validate_python(before + control + after)


def test_lone_surrogates_are_refused_by_the_type_itself() -> None:
    from titanium_kit.body import _storable

    with pytest.raises(ValueError, match="surrogates"):
        _storable("\ud800")
