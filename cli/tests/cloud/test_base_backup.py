"""Base backups by CloudNativePG; kubectl is the stand-in of conftest.py.

What the operator does with the object is its own; here is what it is given and what is made of its
answers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cli.tests.cloud.conftest import FakeKubectl
from titanium.cloud import base_backup
from titanium.cloud.kubectl import Kubectl
from titanium.errors import TitaniumError

pytestmark = pytest.mark.integration
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = "postgres-20260102-030405"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_backup, "_EVERY", 0.0)


def take(patience: float = 60) -> str:
    kubectl = Kubectl(None, "titanium-prod")
    return base_backup.base_backup(kubectl, NOW, patience, lambda _: None)


def test_a_backup_is_asked_for_and_waited_for(chosen: FakeKubectl) -> None:
    """By the plugin, of the one cluster; until the operator says that it is completed."""
    chosen.answer("create")
    chosen.answer("get backups", {"metadata": {"name": NAME}}, once=True)
    chosen.answer("get backups", {"status": {"phase": "running"}}, once=True)
    chosen.answer("get backups", {"status": {"phase": "completed"}})
    assert take() == NAME
    made = json.loads(chosen.calls[0]["stdin"])
    assert (made["kind"], made["metadata"]["name"]) == ("Backup", NAME)
    assert made["spec"] == {
        "cluster": {"name": "postgres"},
        "method": "plugin",
        "pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
    }
    assert chosen.lines[1].endswith(
        f"--namespace titanium-prod get backups.postgresql.cnpg.io/{NAME} --output=json"
    )


def test_a_backup_that_fails_says_why(chosen: FakeKubectl) -> None:
    """In the operator's words."""
    chosen.answer("create")
    chosen.answer("get backups", {"status": {"phase": "failed", "error": "no such bucket"}})
    with pytest.raises(TitaniumError, match="no such bucket"):
        take()


def test_a_long_backup_goes_on_by_itself(chosen: FakeKubectl) -> None:
    """Nobody is told that it failed."""
    chosen.answer("create")
    chosen.answer("get backups", {"status": {"phase": "running"}})
    with pytest.raises(TitaniumError) as caught:
        take(patience=0)
    assert "still running" in caught.value.message
    assert caught.value.exit_code == 3


def test_where_there_is_no_operator_the_other_way_is_named(chosen: FakeKubectl) -> None:
    """The small cluster has a StatefulSet, AWS has Patroni."""
    chosen.answer("create", err='error: no matches for kind "Backup"\n', code=1)
    with pytest.raises(TitaniumError) as caught:
        take()
    assert caught.value.message == "this cluster has no CloudNativePG"
    assert "titanium cloud backup" in caught.value.hint
