"""The import and the demo content through the real services on a real database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.security import generate_password_hash

from cli.tests.transfer.support import MakeLegacy
from titanium.demo.seed import seed
from titanium.layout import Home
from titanium.supervise.process import environment
from titanium.transfer.admin import AdminModule, Outcome, Row
from titanium.transfer.importer import Import
from titanium.transfer.readback import ServiceReader
from titanium.transfer.report import Report
from titanium.transfer.sqlite_file import open_legacy

pytestmark = pytest.mark.integration

Migrated = Callable[[str], Awaitable[Any]]


@dataclass
class RealPlatform:
    """The user and blog services as processes; implements `importer.Platform`."""

    users: AdminModule
    posts: AdminModule
    profiles: ServiceReader
    pages: ServiceReader

    def import_users(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        return self.users.stream(rows)

    def import_posts(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        return self.posts.stream(rows)

    def profile(self, username: str) -> Any:
        return self.profiles.profile(username)

    def post(self, number: int) -> Any:
        return self.pages.post(number)


def _serve(env: dict[str, str], package: str, socket: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "titanium_kit.server", f"{package}.main:create_app"],
        env=environment(env),
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not socket.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.fixture
async def platform(
    migrated: Migrated, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealPlatform]:
    modules: dict[str, AdminModule] = {}
    sockets: dict[str, Path] = {}
    with ExitStack() as stack:
        for service in ("user", "blog"):
            package = f"titanium_{service}"
            database = await migrated(package)
            folder = tmp_path_factory.mktemp(service)
            (folder / "database_password").write_text(database.password)
            sockets[service] = folder / "app.sock"
            env = {
                "SERVICE": service,
                "ENVIRONMENT": "development",
                "SECRETS_DIR": str(folder),
                "DATABASE_URL": database.url,
                "BIND": f"unix:{sockets[service]}",
                "PYTHONPATH": os.pathsep.join(sys.path),
            }
            modules[service] = AdminModule(package, env)
            process = _serve(env, package, sockets[service])
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield RealPlatform(
            users=modules["user"],
            posts=modules["blog"],
            profiles=stack.enter_context(ServiceReader(sockets["user"])),
            pages=stack.enter_context(ServiceReader(sockets["blog"])),
        )


def run(path: Path, platform: RealPlatform) -> Report:
    with open_legacy(path) as legacy:
        return Import(legacy, platform, lambda _stage, _done, _total: None).run()


async def test_the_first_version_moves_whole_and_again_without_change(
    platform: RealPlatform, make_legacy: MakeLegacy
) -> None:
    hashes = [
        generate_password_hash("correct horse", "scrypt"),
        generate_password_hash("정확한 말", "pbkdf2:sha256:1000"),
    ]
    path = make_legacy(
        [
            (1, "Kim", "kim@example.org", hashes[0]),
            (2, "이영희", None, hashes[1]),
            (3, "kim", "other@example.org", hashes[0]),
            (4, "a b", "ab@example.org", hashes[0]),
            (5, "plain", "plain@example.org", "secret"),
        ],
        [
            (
                10,
                " 제목 ",
                "# 안녕\r\n\r\n```python\nprint('🙂')\n```\n",
                "이영희",
                "2023-01-02",
                None,
            ),
            (11, "'; DROP TABLE posts; --", "<script>alert(1)</script>", "Kim", None, None),
            (12, "x" * 200, "y" * 100_000, "Kim", "2023-01-02 03:04:05.678901", None),
            (13, "x" * 201, "c", "Kim", None, None),
            (14, "t", "y" * 100_001, "Kim", None, None),
            (15, "a\nb", "c", "Kim", None, None),
            (16, "of nobody", "c", "gone", "2022-12-31T23:59:59Z", None),
            (17, "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010fffd", "👩\u200d🚀 \u202ertl\u202c", "Kim", None, None),
            (18, "t", "c", "plain", None, None),
        ],
    )
    report = run(path, platform)
    assert not report.mismatches
    assert (report.users.created, report.users.rejected) == (2, 3)
    assert {(item.table, item.label) for item in report.rejected} == {
        ("users", "3"),
        ("users", "4"),
        ("users", "5"),
        ("posts", "13"),
        ("posts", "14"),
        ("posts", "15"),
        ("posts", "18"),
    }
    assert report.posts.created == report.verified == 5
    assert report.placeholders == ["gone"]
    first = platform.post(10)
    assert (first["title"], first["author"]) == ("제목", "이영희")
    assert first["created_at"].startswith("2023-01-02T00:00:00")
    assert platform.profile("gone")["username"] == "gone"
    again = run(path, platform)
    assert not again.mismatches
    assert (again.users.existing, again.posts.existing, again.posts.created) == (2, 5, 0)
    assert again.verified == 5


async def test_hundreds_of_posts_arrive_without_optional_columns(
    platform: RealPlatform, tmp_path: Path
) -> None:
    connection = sqlite3.connect(tmp_path / "large.db")
    connection.executescript(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, username, password_hash);"
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, title, content, author, created_at);"
    )
    hashed = generate_password_hash("correct horse", "pbkdf2:sha256:1000")
    connection.execute("INSERT INTO users VALUES (1, 'kim', ?)", (hashed,))
    rows = ((n, f"글 {n}", f"내용 {n} " * 20, "kim", "2024-01-01 00:00:00") for n in range(1, 301))
    connection.executemany("INSERT INTO posts VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    report = run(tmp_path / "large.db", platform)
    assert (report.posts.created, report.verified, report.rejected) == (300, 300, [])


async def test_the_demo_content_passes_the_services_rules_and_stays(
    platform: RealPlatform, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    home = Home(tmp_path)
    first = seed(home, platform)
    assert (first.users_created, first.posts_created) == (6, 40)
    page = platform.pages.get("/api/posts?limit=100")
    assert len(page) == 40
    assert [post["created_at"] for post in page] == sorted(
        (post["created_at"] for post in page), reverse=True
    )
    assert len(platform.pages.get("/api/categories")) == 8
    second = seed(home, platform)
    assert (second.users_created, second.posts_created) == (0, 0)
    assert json.dumps(platform.pages.get("/api/posts?limit=100")) == json.dumps(page)
