"""The picture: well-formed, everything in it, nothing over anything else."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from titanium.picture.draw import Canvas, draw
from titanium.picture.read import Network, Part, read

pytestmark = pytest.mark.unit

PLAN = Path(__file__).with_name("plan.json")
SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "draw-network.py"


@pytest.fixture
def network() -> Network:
    return read(json.loads(PLAN.read_text("utf-8")))


def test_it_is_well_formed_and_says_everything(network: Network) -> None:
    text = draw(network)
    ElementTree.fromstring(text)  # noqa: S314  of our own making
    for words in (
        *(subnet.cidr for subnet in network.subnets),
        *(part.name for part in network.parts),
        *network.beside,
        "172.16.4.0/24",
        "172.16.60.0/24",
        "virtual private gateway",
    ):
        assert f">{words}<" in text, words


def test_it_is_the_same_each_time(network: Network) -> None:
    assert draw(network) == draw(network)


def test_names_that_are_markup_stay_text(network: Network) -> None:
    odd = replace(network, name="<b>&", parts=())
    assert "<b>" not in draw(odd)
    ElementTree.fromstring(draw(odd))  # noqa: S314  of our own making


@pytest.mark.parametrize("nats", [1, 3])
def test_no_box_covers_another(network: Network, nats: int) -> None:
    parts = [part for part in network.parts if part.key != "nat"]
    parts += [Part("nat", "public", "NAT", "", zone) for zone in network.zones[:nats]]
    boxes = Canvas(replace(network, parts=tuple(parts))).boxes
    assert len(boxes) == len(parts)
    for one, other in combinations(boxes.values(), 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.bottom <= other.y
            or other.bottom <= one.y
        )
        assert apart, (one, other)


def test_the_script_draws_a_plan_and_refuses_what_is_none(tmp_path: Path) -> None:
    output = tmp_path / "network.svg"

    def run(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPT), str(path), "--output", str(output)],
            capture_output=True,
            text=True,
            check=False,
        )

    assert run(PLAN).returncode == 0
    assert output.read_text("utf-8").startswith("<svg ")
    other = tmp_path / "other.json"
    other.write_text("{}")
    for path, word in ((other, "no plan of environment aws"), (tmp_path / "none", "No such file")):
        done = run(path)
        assert done.returncode != 0
        assert word in done.stderr
        assert "Traceback" not in done.stderr
