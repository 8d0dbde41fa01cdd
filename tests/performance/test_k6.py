"""k6.js does what `titanium load --scenario steps` does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.performance.support import FOLDER, K6_SCRIPT, k6_plan
from tests.support import Platform
from titanium.load.model import Thresholds
from titanium.load.scenario import (
    ACCOUNTS,
    CATEGORIES,
    LOG_OUT,
    NOT_LIMITED,
    REFRESH,
    REQUESTS,
    SCENARIOS,
    STEPS,
    THINK,
    VERIFY,
    WORDS,
)

# A k6 run is over before tokens have to be renewed; sessions belong to the scenario `login`.
NOT_IN_K6 = (REFRESH, VERIFY, LOG_OUT)


def has(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not on PATH")


@pytest.mark.unit
def test_both_scripts_have_the_same_scenario_and_thresholds() -> None:
    thresholds = Thresholds()
    assert k6_plan() == {
        "steps": [list(step) for step in STEPS],
        "thresholds": {
            "p95_ms": thresholds.p95_ms,
            "error_percent": thresholds.error_percent,
            "checks_percent": thresholds.checks_percent,
        },
        "think": list(THINK),
        "accounts": ACCOUNTS,
        "actions": dict(SCENARIOS["steps"].actions),
        "words": list(WORDS),
        "categories": list(CATEGORIES),
        "not_limited": NOT_LIMITED,
        "checks": {one.name: one.check for one in REQUESTS if one not in NOT_IN_K6},
    }


@pytest.mark.unit
def test_the_steps_are_the_promised_ones() -> None:
    """10, then 50, then 100 users; p95 under 500 ms, errors under 1 %, checks over 99 %."""
    assert list(dict.fromkeys(users for _, users in k6_plan()["steps"])) == [10, 50, 100]
    assert k6_plan()["thresholds"] == {"p95_ms": 500, "error_percent": 1, "checks_percent": 99}


@pytest.mark.integration
@has("node")
def test_the_script_is_a_module_without_mistakes_of_syntax(tmp_path: Path) -> None:
    copy = tmp_path / "k6.mjs"
    copy.write_text(K6_SCRIPT.read_text())
    done = subprocess.run(["node", "--check", str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.e2e
@has("node")
@has("curl")
def test_what_the_script_asks_and_checks_holds_on_a_real_platform(
    platform: Platform, tmp_path: Path
) -> None:
    """Without k6: its setup, 120 visits and its teardown, run by node."""
    stand_in = (FOLDER / "k6_stand_in.mjs").as_uri()
    script = K6_SCRIPT.read_text()
    for module in ("'k6'", "'k6/http'"):
        assert f"from {module};" in script
        script = script.replace(f"from {module};", f"from '{stand_in}';")
    copy = tmp_path / "k6.mjs"
    copy.write_text(script)
    done = subprocess.run(
        ["node", str(FOLDER / "k6_stand_in.mjs"), str(copy), platform.url, "120"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [name for name, (_, failed) in found["checks"].items() if failed] == []
    assert set(found["checks"]) <= {NOT_LIMITED, *k6_plan()["checks"].values()}
    assert len(found["checks"]) > 10
    assert found["options"]["thresholds"] == {
        "http_req_duration": ["p(95)<500"],
        "http_req_failed": ["rate<0.01"],
        "checks": ["rate>0.99"],
    }


@pytest.mark.e2e
@has("k6")
def test_k6_itself_runs_the_script(platform: Platform) -> None:
    done = subprocess.run(
        ["k6", "run", "--quiet", "-e", f"URL={platform.url}", "-e", "SCALE=0.05", str(K6_SCRIPT)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
