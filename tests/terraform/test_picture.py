"""docs/img/network.svg is what the plan of profile light draws."""

from __future__ import annotations

import pytest

from tests.terraform.draw_picture import PICTURE
from tests.terraform.life import Applied
from titanium.picture.draw import draw
from titanium.picture.read import read

pytestmark = pytest.mark.cloud


def test_the_picture_of_the_network_is_current(light: Applied) -> None:
    assert PICTURE.read_text("utf-8") == draw(read(light.plan)), "draw it anew: make picture"


def test_the_other_profile_can_be_drawn(standard: Applied) -> None:
    network = read(standard.plan)
    assert [part.name for part in network.parts].count("NAT") == 3
    assert "RDS PostgreSQL" in draw(network)
