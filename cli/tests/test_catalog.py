"""The catalog refuses what is wrong in words, and answers who may call whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from titanium.catalog import Match, Permission, load_catalog
from titanium.errors import ConfigurationError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
[service]
name = "{name}"
app = "{name}.main:create_app"
description = "A service."

[[routes]]
prefix = "/api/{name}"
methods = ["GET", "POST"]
token = false
limit = "read"
{more}
[needs]
postgres = "{name}"

[slo]
availability = 99.9
latency_p95_ms = 250
"""


def write(root: Path, name: str, more: str = "", text: str | None = None) -> Path:
    folder = root / "services" / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "service.toml"
    path.write_text(text or GOOD.format(name=name, more=more), encoding="utf-8")
    return path


def refusal(root: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_catalog(root)
    assert caught.value.hint
    return caught.value


def test_real_catalog_loads_in_name_order() -> None:
    catalog = load_catalog(ROOT)
    assert catalog.names == ("auth", "blog", "user")
    assert catalog["blog"].needs.redis is True
    assert [service.name for service in catalog] == ["auth", "blog", "user"]


def test_defaults_are_no_calls_and_no_redis(tmp_path: Path) -> None:
    write(tmp_path, "one")
    service = load_catalog(tmp_path)["one"]
    assert service.calls == ()
    assert service.needs.redis is False
    assert service.routes[0].match == Match("/api/one", exact=False)


def test_a_service_may_do_what_it_declares_and_nothing_else(tmp_path: Path) -> None:
    call = '[[calls]]\nservice = "two"\nmethod = "POST"\npath = "/internal/x"\n'
    write(tmp_path, "one", call)
    write(tmp_path, "two")
    catalog = load_catalog(tmp_path)
    allowed = Permission("POST", Match("/internal/x", exact=False))
    assert catalog.allowed("one", "two") == (allowed,)
    assert catalog.allowed("two", "one") == ()
    assert catalog.callees("one") == ("two",)
    assert catalog.callers("two") == ("gateway", "one")


def test_a_call_with_a_template_means_one_segment_and_nothing_below(tmp_path: Path) -> None:
    call = '[[calls]]\nservice = "two"\nmethod = "GET"\npath = "/api/users/{username}"\n'
    write(tmp_path, "one", call)
    write(tmp_path, "two")
    ((method, match),) = load_catalog(tmp_path).allowed("one", "two")
    paths = ("/api/users/민서", "/api/users", "/api/users/", "/api/users/me/password")
    assert method == "GET"
    assert [match.covers(path) for path in paths] == [True, False, False, False]


def test_the_gateway_may_use_public_routes_and_ask_for_readiness(tmp_path: Path) -> None:
    write(tmp_path, "one")
    assert load_catalog(tmp_path).allowed("gateway", "one") == (
        Permission("GET", Match("/api/one", exact=False)),
        Permission("POST", Match("/api/one", exact=False)),
        Permission("GET", Match("/internal/readyz", exact=True)),
    )


@pytest.mark.parametrize(
    ("match", "path", "covered"),
    [
        (Match("/a", exact=False), "/a", True),
        (Match("/a", exact=False), "/a/b", True),
        (Match("/a", exact=False), "/ab", False),
        (Match("/a", exact=True), "/a/b", False),
        (Match("/a", exact=True), "/a", True),
    ],
)
def test_a_prefix_covers_whole_segments_only(match: Match, path: str, covered: bool) -> None:
    assert match.covers(path) is covered


ROUTE = '[[routes]]\n{path}\nmethods = {methods}\ntoken = false\nlimit = "read"\n'


def route(path: str, methods: str = '["GET"]') -> str:
    return ROUTE.format(path=path, methods=methods)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("[surprise]\nx = 1\n", "surprise: unknown key"),
        (route('prefix = "/x"\nexact = "/x"'), "routes[1]: give exactly one of prefix and exact"),
        (route(""), "routes[1]: give exactly one"),
        (route('prefix = "/"'), 'routes[1]: prefix = "/" would take every path'),
        (route('prefix = "x"'), "routes[1].prefix:"),
        (route('prefix = "/a//b"'), "routes[1].prefix:"),
        (route('prefix = "/a/"'), "routes[1].prefix:"),
        (route('prefix = "/a;b"'), "routes[1].prefix:"),
        (route('prefix = "/x"', "[]"), "routes[1].methods:"),
        (route('prefix = "/x"', '["BREW"]'), "routes[1].methods[0]:"),
        (route('prefix = "/x"', '["GET", "GET"]'), "names one method twice"),
        (route('prefix = "/internal"'), "/internal is internal and never public"),
        (route('exact = "/internal/x"'), "/internal/x is internal and never public"),
        (route('exact = "/health"'), "the gateway answers /health itself"),
        (route('prefix = "/blog/api/x"'), "the gateway answers /blog/api/x itself"),
        (route('prefix = "/api/one"'), "GET /api/one is already declared by one"),
        (
            '[[calls]]\nservice = "none"\nmethod = "GET"\npath = "/x"\n',
            'calls[0].service: no service is named "none"',
        ),
        (
            '[[calls]]\nservice = "one"\nmethod = "GET"\npath = "/x"\n',
            "a service does not call itself",
        ),
        (
            2 * '[[calls]]\nservice = "two"\nmethod = "GET"\npath = "/x"\n',
            "calls[1]: declared twice",
        ),
        ('[[calls]]\nservice = "two"\nmethod = "GET"\n', "calls[0].path: missing"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(tmp_path: Path, more: str, key: str) -> None:
    path = write(tmp_path, "one", more)
    write(tmp_path, "two")
    error = refusal(tmp_path)
    assert str(path) in error.message
    assert key in error.message


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "one"', 'name = "One"', "service.name:"),
        ('name = "one"', 'name = "two"', 'service.name: "two" differs from the folder "one"'),
        ('app = "one.main:create_app"', 'app = "one"', "service.app:"),
        ("availability = 99.9", "availability = 101", "slo.availability:"),
        ("availability = 99.9", "availability = nan", "slo.availability:"),
        ("availability = 99.9", 'availability = "99.9"', "slo.availability:"),
        ("latency_p95_ms = 250", "", "slo.latency_p95_ms: missing"),
        (
            "latency_p95_ms = 250",
            "latency_p95_ms = 200",
            "slo.latency_p95_ms: 200 cannot be measured; use one of: 5, 10, 25",
        ),
        ("token = false", "token = 0", "routes[0].token:"),
        ("[needs]", "[needs]\nmongo = true", "needs.mongo: unknown key"),
        ('postgres = "one"', "postgres = 2026-01-01", "needs.postgres:"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    write(tmp_path, "one", text=GOOD.format(name="one", more="").replace(old, new, 1))
    assert key in refusal(tmp_path).message


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "one", text='[service]\nname = "one"\n')
    assert "more)" in refusal(tmp_path).message


def test_two_services_cannot_claim_the_same_method_of_a_path(tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "two", route('prefix = "/api/one"', '["POST"]'))
    assert "POST /api/one is already declared by one" in refusal(tmp_path).message


def test_different_methods_of_a_path_may_lie_in_two_services(tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "two", route('prefix = "/api/one"', '["DELETE"]'))
    assert load_catalog(tmp_path).names == ("one", "two")


def test_text_that_is_not_toml_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "one", text="[service\n")
    assert "line 1" in refusal(tmp_path).message


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    write(tmp_path, "one").write_bytes(b'name = "\xff"')
    assert "not UTF-8" in refusal(tmp_path).message


def test_a_folder_without_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "services" / "one").mkdir(parents=True)
    assert "does not exist" in refusal(tmp_path).message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "services" / "one" / "service.toml").mkdir(parents=True)
    assert "cannot be read" in refusal(tmp_path).message


def test_no_services_at_all_is_an_error(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path).message
    (tmp_path / "services" / "gateway").mkdir(parents=True)
    assert "no service declared" in refusal(tmp_path).message
