"""Fixtures that start the whole platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT, Person, Platform, running_platform


@pytest.fixture(scope="session")
def relaxed_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's policy with limits that a test's own traffic does not reach."""
    text = (ROOT / "mesh" / "policy.toml").read_text()
    lines = []
    for line in text.splitlines():
        key = line.partition("=")[0].strip()
        lines.append(f"{key} = 100000" if key in ("requests", "burst") else line)
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def platform(relaxed_policy: Path) -> Iterator[Platform]:
    """One platform for all tests that leave it as they found it; blog has two replicas."""
    with running_platform(
        "--policy", str(relaxed_policy), "--replicas", "blog=2", "--replicas", "user=2"
    ) as running:
        yield running


@pytest.fixture
def person(platform: Platform) -> Person:
    """A fresh account."""
    return platform.register()
