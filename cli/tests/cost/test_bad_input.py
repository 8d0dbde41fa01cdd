"""Whatever is given, the answer is one clear line and a documented exit code; never a crash."""

from __future__ import annotations

import contextlib
import io
import json
import os
import threading
from pathlib import Path

import pytest

from cli.tests.cost.support import CATALOG, FIXTURES, bill, priced, resource
from titanium.cost.estimate import UnpricedError
from titanium.errors import EXIT_UNPRICED, EXIT_USAGE
from titanium.main import run

pytestmark = pytest.mark.unit

CREATE = str(FIXTURES / "create.json")


def cost(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = run(["cost", *arguments])
    out, err = capsys.readouterr()
    assert "titanium failed" not in err
    return code, out, err


def test_a_plan_may_come_through_a_pipe(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`--plan <(terraform show -json plan)`: what is read is gone, so it is read once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(Path(CREATE).read_bytes(),))
    writer.start()
    code, out, _ = cost(capsys, "--plan", str(pipe))
    writer.join(10)
    assert code == 0
    assert "TOTAL A MONTH  $448.61" in out


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfe\x00", "standard input is not text"),
        (b"", "standard input is empty"),
        (b"PK\x03\x04", "was not initialized, and a plan is read with its providers"),
    ],
)
def test_what_is_no_plan_on_standard_input(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    data: bytes,
    says: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out, err = cost(capsys, str(tmp_path), "--plan", "-")
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("amount", ["NaN", "1E+99999999", "-1E+13", "many", [1], {"a": 1}])
def test_an_estimate_to_compare_with_that_holds_no_amounts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, amount: object
) -> None:
    file = tmp_path / "main.json"
    resources = [{"name": "aws_eip.a", "monthlyCost": amount}]
    whole = {"projects": [{"breakdown": {"resources": resources}}], "totalMonthlyCost": "1"}
    file.write_text(json.dumps(whole))
    code, out, err = cost(capsys, "--plan", CREATE, "--compare", str(file))
    assert (code, out) == (EXIT_USAGE, "")
    assert "main.json looks like an estimate and is none" in err


def test_a_plan_to_compare_with_that_has_no_price_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Which of the two files is to be looked at."""
    key = {"address": "aws_kms_key.a", "mode": "managed", "type": "aws_kms_key", "values": {}}
    file = tmp_path / "main.json"
    file.write_text(json.dumps({"planned_values": {"root_module": {"resources": [key]}}}))
    code, out, err = cost(capsys, "--plan", CREATE, "--compare", str(file))
    assert (code, out) == (EXIT_UNPRICED, "")
    assert "error: main.json: 1 resource has no price, and $0 would be wrong" in err


@pytest.mark.parametrize(
    "text",
    [
        "version: 0.1\nresource_usage:\n  a.b: {c: 2027-13-45}\n",
        "version: 0.1\nresource_usage:\n  a.b: {c: " + "1" * 5000 + "}\n",
        "version: 0.1\nresource_usage: " + "[" * 5000,
    ],
)
def test_a_usage_file_with_values_that_nobody_can_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    file = tmp_path / "usage.yml"
    file.write_text(text)
    code, out, err = cost(capsys, "--plan", CREATE, "--usage-file", str(file))
    assert (code, out) == (EXIT_USAGE, "")
    assert "usage.yml: it holds a value that cannot be read" in err


def test_a_usage_file_that_is_no_text_names_the_form_of_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "usage.yml"
    file.write_bytes(b"\x00\xff")
    code, _, err = cost(capsys, "--plan", CREATE, "--usage-file", str(file))
    assert code == EXIT_USAGE
    assert "next:  See docs/how-to/estimate-cost.md for the form of a usage file." in err


@pytest.mark.parametrize(
    ("price", "says"),
    [
        ('"nat.hour" = { usd = "1", per = "month" }', "is per month; give it for an hour"),
        ('"ebs.gp3" = { usd = "1", per = "hour" }', "is per hour; give it for what is no hour"),
    ],
)
def test_a_price_for_another_unit_is_not_multiplied(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, price: str, says: str
) -> None:
    """A month's price taken for an hour's would be 730 times too much."""
    file = tmp_path / "own.toml"
    file.write_text(f"[prices]\n{price}\n")
    code, out, err = cost(capsys, "--plan", CREATE, "--prices", str(file))
    assert (code, out) == (EXIT_UNPRICED, "")
    assert says in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[prices]\n"nat.hour" = { usd = "NaN", per = "hour" }\n', "prices.nat.hour.usd"),
        ('[prices]\n"nat.hour" = { usd = "-1", per = "hour" }\n', "prices.nat.hour.usd"),
        ('[prices]\n"nat.hour" = { usd = "1" }\n', "prices.nat.hour.per: missing"),
        ("[price]\n", "price: unknown key"),
        ("[prices\n", "not valid TOML"),
    ],
)
def test_prices_of_ones_own_that_are_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    code, out, err = cost(capsys, "--plan", CREATE, "--prices", str(file))
    assert (code, out) == (EXIT_USAGE, "")
    assert says in err


@pytest.mark.parametrize("region", ["*", "ap-*", "../prices/ap-northeast-2", "AP-NORTHEAST-2"])
def test_a_region_is_a_name_and_no_pattern(capsys: pytest.CaptureFixture[str], region: str) -> None:
    code, _, err = cost(capsys, "--plan", CREATE, "--region", region)
    assert code == EXIT_USAGE
    assert f"there are no prices for region {region}; known: ap-northeast-2" in err


def test_a_plan_that_names_no_region_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Prices of some region are taken: which one, and that nobody said so."""
    data = json.loads(Path(CREATE).read_text())
    del data["configuration"]["provider_config"]
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    note = "note: plan.json does not say its region: give it with --region"
    assert note in cost(capsys, "--plan", str(file))[1]
    assert note not in cost(capsys, "--plan", str(file), "--region", "ap-northeast-2")[1]


@pytest.mark.parametrize("version", ["1.9", "1.29"])
def test_a_kubernetes_older_than_the_catalogue_is_on_extended_support(version: str) -> None:
    """It is in no list any more, which does not make it cheap."""
    assert min(CATALOG.eks_standard_support) > version or version == "1.9"
    assert bill("aws_eks_cluster", {"version": version}).monthly == 438
    assert bill("aws_eks_cluster", {"version": "1.99"}).monthly == 73


def test_a_kubernetes_version_that_is_none() -> None:
    with pytest.raises(UnpricedError) as caught:
        priced(resource("aws_eks_cluster", {"version": "latest"}))
    assert "'latest' is no version of Kubernetes" in caught.value.details[0]


@pytest.mark.parametrize("junk", [None, "x", 7, ["x"], [None], {"a": 1}, [[]]])
def test_values_of_another_shape_than_the_providers_never_crash(junk: object) -> None:
    """A plan of another version of the provider may have other blocks."""
    for kind in ("aws_wafv2_web_acl", "aws_autoscaling_group", "aws_lb", "aws_db_instance"):
        values = {"rule": junk, "tag": junk, "subnet_mapping": junk, "launch_template": junk}
        with contextlib.suppress(UnpricedError):
            priced(resource(kind, {**values, "load_balancer_type": junk, "instance_class": junk}))
