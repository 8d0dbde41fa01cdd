"""Every error is a problem document of one shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query
from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request

from titanium_kit.app import api_router
from titanium_kit.problems import (
    Problem,
    Unauthorized,
    Unavailable,
    problem_response,
    problem_responses,
    title_of,
)
from titanium_kit.testing import serving

pytestmark = pytest.mark.unit

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


def _shouted(text: str) -> str:
    return text.upper()


Short = Annotated[str, AfterValidator(_shouted), Field(min_length=2, max_length=3)]


class Names(BaseModel):
    names: list[int]
    nickname: Short = "abc"


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    inner = api_router()

    @inner.patch("/{post_id}")
    async def change(post_id: int) -> None: ...

    router = api_router(prefix="/posts")
    router.include_router(inner)

    @router.get("")
    async def search(q: Annotated[Short | None, Query()] = None) -> None: ...

    @router.get("/{post_id}")
    async def show(post_id: int) -> int:
        return post_id

    @router.delete("/{post_id}")
    async def delete(post_id: int) -> None:
        raise Problem(403, "This post is not yours.")

    @router.post("")
    async def create(names: Names) -> None: ...

    plain = APIRouter()

    @plain.get("/away")
    async def away() -> None:
        raise Unavailable("The database is away.", retry_after=7)

    @plain.get("/secret")
    async def secret() -> None:
        raise Unauthorized("Log in.", error="invalid_token")

    @plain.get("/broken")
    async def broken(request: Request) -> None:
        raise RuntimeError("the wine is in the cellar")

    return make_app(router, plain)


async def ask(app: FastAPI, method: str, path: str, **options: Any) -> Any:
    async with serving(app) as client:
        answer = await client.request(method, path, **options)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem.keys() - {"errors"} == MEMBERS
    assert problem["status"] == answer.status_code
    assert problem["title"] == title_of(answer.status_code)
    assert problem["instance"] == path.partition("?")[0]
    assert problem["request_id"]
    return answer


async def test_unknown_addresses_are_404(app: FastAPI) -> None:
    for path in ("/nowhere", "/posts/1/more", "/posts/", "/docs", "/openapi.json"):
        answer = await ask(app, "GET", path)
        assert answer.status_code == 404
        assert answer.json()["detail"] == "There is nothing at this address."


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS", "HEAD", "BREW"])
async def test_a_wrong_method_is_405_and_names_all_that_are_right(
    app: FastAPI, method: str
) -> None:
    async with serving(app) as client:
        answer = await client.request(method, "/posts/1")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, PATCH"


async def test_the_callers_request_id_comes_back(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/nowhere", headers={"x-request-id": "abc"})
    assert answer.json()["request_id"] == "abc"


async def test_a_problem_raised_by_a_handler_keeps_its_words(app: FastAPI) -> None:
    answer = await ask(app, "DELETE", "/posts/1")
    assert (answer.status_code, answer.json()["detail"]) == (403, "This post is not yours.")


async def test_a_wrong_path_parameter_is_422(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/posts/one")
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == ["post_id"]
    assert "one" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "must not be shorter than 2 characters"),
        ("abcd", "must not be longer than 3 characters"),
    ],
)
async def test_a_wrong_optional_parameter_is_one_error_with_its_name(
    app: FastAPI, text: str, message: str
) -> None:
    answer = await ask(app, "GET", f"/posts?q={text}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "q", "message": message}]
    answer = await ask(app, "POST", "/posts", json={"names": [], "nickname": text})
    assert answer.json()["errors"] == [{"field": "nickname", "message": message}]


async def test_the_list_of_wrong_fields_is_bounded(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/posts", json={"names": ["x"] * 5000})
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 50
    assert answer.json()["errors"][0]["field"] == "names.0"


async def test_unavailable_is_503_with_retry_after(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_unauthorized_is_401_with_a_challenge(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/secret")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert Unauthorized("x").headers == {"WWW-Authenticate": "Bearer"}


async def test_an_unexpected_error_is_logged_whole_and_shown_without(
    app: FastAPI,
    settings: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    from titanium_kit.logs import configure_logging

    configure_logging(settings())
    answer = await ask(app, "GET", "/broken", headers={"x-request-id": "abc"})
    assert answer.status_code == 500
    assert "wine" not in answer.text
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["event"] == "unexpected_error"
    assert (line["method"], line["path"], line["request_id"]) == ("GET", "/broken", "abc")
    assert "the wine is in the cellar" in line["exception"]
    assert "in broken" in line["exception"]


def test_a_problem_with_a_lone_surrogate_can_be_sent() -> None:
    response = problem_response(400, "\ud800", instance="/")
    assert json.loads(bytes(response.body))["detail"] == "\ud800"


def test_an_unknown_status_has_a_title() -> None:
    assert title_of(599) == "Error"


async def test_the_openapi_document_describes_problems(app: FastAPI) -> None:
    described = problem_responses(404)[404]
    assert described["description"] == "Not Found"
    document = app.openapi()
    assert "ProblemModel" in document["components"]["schemas"]
    answer = document["paths"]["/posts/{post_id}"]["get"]["responses"]["422"]
    assert "application/problem+json" in answer["content"]
