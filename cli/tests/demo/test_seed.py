"""Loading the demo content into a platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.tests.transfer.support import FakePlatform
from titanium.demo.seed import seed
from titanium.errors import TitaniumError
from titanium.layout import Home

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "data").mkdir()
    return Home(tmp_path)


def test_the_second_run_changes_nothing(home: Home) -> None:
    platform = FakePlatform()
    first = seed(home, platform, NOW)
    assert (first.users_created, first.posts_created) == (6, 40)
    before = dict(platform.posts)
    second = seed(home, platform, NOW + timedelta(days=3))
    assert (second.users_created, second.posts_created) == (0, 0)
    assert (second.users_existing, second.posts_existing) == (6, 40)
    assert platform.posts == before
    assert "0 users and 0 posts added" in second.sentence


def test_all_demo_users_have_one_password_made_for_this_state_folder(
    home: Home, tmp_path: Path
) -> None:
    platform = FakePlatform()
    seeded = seed(home, platform, NOW)
    password = seeded.password_file.read_text()
    assert len(password) >= 32
    assert {user["password"] for user in platform.users.values()} == {password}
    assert seeded.password_file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "other" / "data").mkdir(parents=True)
    other = seed(Home(tmp_path / "other"), FakePlatform(), NOW)
    assert other.password_file.read_text() != password


def test_posts_belong_to_their_authors_and_are_as_old_as_written(home: Home) -> None:
    platform = FakePlatform()
    seed(home, platform, NOW)
    for post in platform.posts.values():
        assert post["author_id"] == platform.users[post["author"]]["id"]
        assert NOW - timedelta(days=366) < datetime.fromisoformat(post["created_at"]) <= NOW


def test_a_demo_name_that_somebody_has_is_an_error_that_names_it(home: Home) -> None:
    platform = FakePlatform()
    platform.users["minseo"] = {"id": 1, "username": "minseo", "email": "real@example.org"}
    with pytest.raises(TitaniumError, match="demo user 'minseo' was refused"):
        seed(home, platform, NOW)
    assert not home.seeded.exists()
