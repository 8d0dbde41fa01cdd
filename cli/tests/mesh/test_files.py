"""Files that proxies read, and how a proxy is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from titanium.errors import StateError
from titanium.layout import Home, Ports
from titanium.mesh import envoy_arguments, gateway_concurrency, local_sidecar, write_document

pytestmark = pytest.mark.unit


def test_a_document_is_replaced_in_one_step_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "document.json"
    write_document(path, {"old": True})
    first = path.stat().st_ino
    write_document(path, {"new": True})
    assert path.stat().st_ino != first, "a rename, which proxies notice, not a change in place"
    assert json.loads(path.read_text()) == {"new": True}
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["document.json"]


def test_a_document_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(StateError, match="cannot be written") as caught:
        write_document(path, {})
    assert "free space" in caught.value.hint
    assert list(tmp_path.iterdir()) == [path], "no temporary file is left"


def test_a_proxy_logs_json_under_its_own_name() -> None:
    arguments = envoy_arguments(Path("/bin/envoy"), Path("/x/bootstrap.json"), "blog-0-sidecar")
    assert arguments[:3] == ["/bin/envoy", "--config-path", "/x/bootstrap.json"]
    line = arguments[arguments.index("--log-format") + 1]
    assert json.loads(line)["service"] == "blog-0-sidecar"
    assert arguments[arguments.index("--concurrency") + 1] == "1"


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (4, 2), (16, 8)])
def test_the_gateway_takes_half_the_cores(cores: int, workers: int) -> None:
    assert gateway_concurrency(cores) == workers


def test_a_sidecar_has_the_port_of_its_service_and_replica() -> None:
    sidecar = local_sidecar(Home(Path("/s")), Ports(), ["user", "auth", "blog"], "blog", 2)
    assert sidecar.port == 15012
    assert sidecar.instance == "blog-2"
    assert sidecar.egress_socket == Path("/s/run/blog-2/egress.sock")
