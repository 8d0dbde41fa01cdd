"""The plan of a run, from names alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from titanium.layout import Home, Ports
from titanium.supervise.plan import ServiceNeeds, Surroundings, app_environment, build_plan
from titanium.supervise.spec import levels
from titanium.tools import Tools

pytestmark = pytest.mark.unit

AROUND = Surroundings(
    Home(Path("/h o/me")),
    Ports(20_000),
    Tools(Path("/t/envoy"), Path("/t/pg"), Path("/t/redis-server")),
)
SERVICES = {
    "auth": ServiceNeeds("auth", 0, "titanium_auth.main:create_app", "auth", redis=False),
    "blog": ServiceNeeds("blog", 1, "titanium_blog.main:create_app", "blog", redis=True),
    "edge": ServiceNeeds("edge", 2, "titanium_edge:create_app", None, redis=False),
}


def test_data_starts_before_migrations_before_apps_before_the_gateway() -> None:
    plan = build_plan(AROUND, SERVICES, {})
    depth = levels(plan.steps)
    order = ["postgres", "provision", "migrate-blog", "blog-0", "gateway"]
    assert [depth[name] for name in order] == sorted({depth[name] for name in order})
    assert depth["blog-0"] > depth["redis"]
    assert depth["gateway"] > depth["blog-0-sidecar"]


def test_replicas_have_ports_and_sockets_of_their_own() -> None:
    plan = build_plan(AROUND, SERVICES, {"blog": 3})
    names = [spec.name for spec in plan.processes if spec.service == "blog"]
    assert names == [f"blog-{n}{part}" for n in range(3) for part in ("", "-sidecar")]
    ports = [port for spec in plan.processes for port in spec.ports]
    assert len(ports) == len(set(ports))
    assert plan.process("blog-2-sidecar").ports == (20_000 + 10 + 10 + 2,)
    sockets = [socket for spec in plan.processes for socket in spec.sockets]
    assert len(sockets) == len(set(sockets))


def test_a_service_without_a_database_needs_no_migration() -> None:
    plan = build_plan(AROUND, SERVICES, {})
    assert [task.name for task in plan.tasks] == ["provision", "migrate-auth", "migrate-blog"]
    assert plan.process("edge-0").needs == ()


def test_an_app_gets_addresses_without_passwords() -> None:
    env = app_environment(AROUND, SERVICES["blog"], "blog-0")
    url = urlsplit(env["DATABASE_URL"])
    assert (url.username, url.password, url.path) == ("blog", None, "/blog")
    assert parse_qs(url.query)["host"] == ["/h o/me/run/postgres"]
    assert env["DATABASE_OWNER_URL"].startswith("postgresql://blog_owner@/blog?")
    assert urlsplit(env["REDIS_URL"]).path == "/h%20o/me/run/redis/redis.sock"
    assert env["BIND"] == "unix:/h o/me/run/blog-0/app.sock"
    assert env["SECRETS_DIR"] == "/h o/me/secrets/blog"


def test_an_app_is_not_told_of_what_it_does_not_need() -> None:
    assert "REDIS_URL" not in app_environment(AROUND, SERVICES["auth"], "auth-0")
    assert "DATABASE_URL" not in app_environment(AROUND, SERVICES["edge"], "edge-0")


def test_postgres_gets_its_fast_shutdown_signal() -> None:
    assert build_plan(AROUND, SERVICES, {}).process("postgres").stop_signal.name == "SIGINT"
