"""Terraform against an emulator of AWS: the real program and provider, `moto_server` for AWS."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import boto3
import httpx2
import pytest

from titanium.errors import TitaniumError
from titanium.terraform import Terraform, terraform_in

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "terraform"
# What the emulator cannot do, module by module: laid over a copy of the sources.
EMULATOR = Path(__file__).parent / "emulator"
REGION = "ap-northeast-2"
PROGRAM = ROOT / ".venv" / "moto" / "bin" / "moto_server"

# Seconds. Most of it is waiting; but it may be run beside everything else, when nobody else wants
# the processor.
LONG = 900

# Lends an emulator: its URL, for as long as it is needed.
Lent = Callable[[], AbstractContextManager[str]]

_MAKING_CLIENTS = threading.Lock()

# Of an account that does not exist.
ACCOUNT = {
    "domain": "titanium.example.org",
    "create_zone": True,
    "office_public_ip": "198.51.100.10",
    "administrator_arns": ["arn:aws:iam::123456789012:role/platform-administrators"],
    "vpn_peers": [
        {
            "name": "laptop",
            "public_key": "dGl0YW5pdW0gdGVzdCBsYXB0b3AgcHVibGljIGtleTA=",
            "address": "172.16.60.2",
        }
    ],
    "protect": False,
}


def emulator_program() -> Path:
    """moto_server, set up when it is not there yet; skips with what prevents it."""
    if not PROGRAM.exists():
        set_up = [sys.executable, str(ROOT / "scripts" / "bootstrap.py"), "--only", "moto"]
        done = subprocess.run(set_up, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not PROGRAM.exists():
            pytest.skip(f"moto cannot be set up: {done.stderr.strip()[-200:]}")
    return PROGRAM


@contextmanager
def emulator(log: Path) -> Iterator[str]:
    """An emulator of its own, with nothing in it; its URL."""
    program = emulator_program()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_AMIS_PATH": str(EMULATOR / "amis.json"),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | settings,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # it has nothing to keep, and may be slow to listen on a busy machine
        process.wait(60)


def empty(url: str) -> None:
    """Take everything out of an emulator."""
    httpx2.post(f"{url}/moto-api/reset", timeout=120, trust_env=False).raise_for_status()


@contextmanager
def emulators(folder: Path) -> Iterator[Lent]:
    """Lends emulators to several threads, each with nothing in it. As many run as are lent at once:
    one that comes back is lent again, and has its services loaded already."""
    free: SimpleQueue[str] = SimpleQueue()
    numbers = itertools.count()
    with ExitStack() as running:

        @contextmanager
        def lent() -> Iterator[str]:
            try:
                url = free.get_nowait()
            except Empty:
                url = running.enter_context(emulator(folder / f"moto-{next(numbers)}.log"))
            yield url
            # After a failure it is lent no more: who knows what still speaks to it.
            empty(url)
            free.put(url)

        yield lent


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"moto_server did not start: {log.read_text()}")


def credentials(url: str) -> dict[str, str]:
    """Environment variables that lead every AWS client to the emulator."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # the emulator takes any
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # What the emulator does not know shows at once, not after minutes of trying again.
        "AWS_MAX_ATTEMPTS": "4",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Terraform and its provider collect their garbage later: memory for a third of their time.
        "GOGC": "400",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def copy_sources(folder: Path, *, emulated: bool) -> Path:
    """A copy of terraform/ in `folder`; with what the emulator cannot do left out if `emulated`."""
    target = folder / "terraform"
    shutil.copytree(SOURCES, target, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    for neighbour in ("k8s-manifests", "argocd"):  # solid-cloud reads them
        (folder / neighbour).symlink_to(ROOT / neighbour)
    if emulated:
        for path in EMULATOR.rglob("*_override.tf"):
            goal = target / path.relative_to(EMULATOR)
            if goal.parent.is_dir():
                shutil.copy(path, goal)
    return target


def initialized(configuration: Path, data: Path, url: str = "http://127.0.0.1:9") -> Terraform:
    """Terraform with its providers, ready to plan; skips when there is no Terraform or provider."""
    try:
        made = terraform_in(configuration, data)
    except TitaniumError as error:
        pytest.skip(error.message)
    terraform = at(made, url)
    done = terraform.attempt("init", "-backend=false", timeout=300)
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())
        missing = ("Failed to query available provider packages", "Failed to install provider")
        assert any(words in said for words in missing), said
        assert "no space left" not in said, said
        pytest.skip(f"no provider for {configuration.name}: neither a mirror nor the registry")
    return terraform


def environment(folder: Path, variables: dict[str, Any], url: str) -> Terraform:
    """Environment aws as it is in the sources, ready to plan with `variables`."""
    configuration = copy_sources(folder, emulated=False) / "environments" / "aws"
    (configuration / "account.auto.tfvars.json").write_text(json.dumps(variables))
    return initialized(configuration, folder / "data", url)


def planned(terraform: Terraform, *options: str) -> dict[str, Any]:
    """What `terraform plan` makes from nothing, as JSON."""
    terraform.run("plan", "-refresh=false", "-out=plan", *options, timeout=LONG)
    plan: dict[str, Any] = json.loads(terraform.run("show", "-json", "plan"))
    return plan


def at(terraform: Terraform, url: str, **more: str) -> Terraform:
    """The same with the emulator at `url` in the place of AWS, and `more` environment variables."""
    return replace(terraform, environment=credentials(url) | more)


@cache
def client(service: str, url: str) -> Any:
    """boto3's client for the emulator; several threads may ask for one, and share it."""
    with _MAKING_CLIENTS:
        return _session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@cache
def _session() -> boto3.session.Session:
    # Each session reads megabytes of API descriptions, and making clients is for one thread alone.
    return boto3.session.Session()


def terminated(ec2: Any) -> set[str]:
    """Ids of instances that ended; they stay visible for a while."""
    return {
        instance["InstanceId"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] == "terminated"
    }
