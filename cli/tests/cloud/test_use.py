"""`titanium cloud use`: a private kubeconfig, and no token anywhere else."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from cli.tests.cloud.conftest import FakeKubectl
from titanium.cloud import linkerd_identity
from titanium.errors import TitaniumError
from titanium.main import cli

pytestmark = pytest.mark.integration


def part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def token(seconds: float = 3600) -> str:
    return f"{part({'alg': 'RS256'})}.{part({'exp': time.time() + seconds})}.c2lnbmF0dXJl"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    linkerd_identity.helm_arguments(tmp_path / "ca")
    return tmp_path / "ca" / "ca.crt"


def env_file(folder: Path, **values: str) -> Path:
    path = folder / ".env.k8s"
    path.write_text("# comment\n" + "".join(f"{key}={value}\n" for key, value in values.items()))
    path.chmod(0o600)
    return path


def use(*arguments: str) -> str:
    """What the command says; TitaniumError as the program would show it."""
    done = CliRunner().invoke(cli, ["cloud", "use", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.fixture
def valid(tmp_path: Path, ca: Path) -> dict[str, str]:
    return {
        "K8S_API_SERVER": "https://203.0.113.10:6443",
        "K8S_TOKEN": token(),
        "K8S_CA_CERT": base64.b64encode(ca.read_bytes()).decode(),
    }


def test_a_kubeconfig_is_written_for_its_owner_alone_and_the_token_is_not_shown(
    fake: FakeKubectl, tmp_path: Path, valid: dict[str, str]
) -> None:
    """Mode 0600 in a folder 0700; the token is in that file and in no output or argument."""
    said = use("solid-cloud", "--env", str(env_file(tmp_path, **valid)))
    path = tmp_path / "cloud" / "kubeconfig-solid-cloud"
    config = yaml.safe_load(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert config["users"][0]["user"]["token"] == valid["K8S_TOKEN"]
    assert config["clusters"][0]["cluster"]["server"] == valid["K8S_API_SERVER"]
    assert config["clusters"][0]["cluster"]["certificate-authority-data"] == valid["K8S_CA_CERT"]
    assert config["contexts"][0]["context"]["namespace"] == "titanium-prod"
    assert "insecure-skip-tls-verify" not in path.read_text()
    assert valid["K8S_TOKEN"] not in said
    assert f"export KUBECONFIG={path}" in said
    assert fake.calls == []


def test_the_authority_may_be_a_file_beside_the_settings(
    fake: FakeKubectl, tmp_path: Path, valid: dict[str, str], ca: Path
) -> None:
    """K8S_CA_FILE is relative to .env.k8s."""
    del valid["K8S_CA_CERT"]
    use("solid-cloud", "--env", str(env_file(tmp_path, **valid, K8S_CA_FILE="ca/ca.crt")))
    assert (tmp_path / "cloud" / "current").read_text() == "solid-cloud\n"


def test_a_dry_run_checks_and_writes_nothing(
    fake: FakeKubectl, tmp_path: Path, valid: dict[str, str]
) -> None:
    """The folder is not even made."""
    said = use("solid-cloud", "--dry-run", "--env", str(env_file(tmp_path, **valid)))
    assert "would write" in said
    assert not (tmp_path / "cloud").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"K8S_API_SERVER": "http://203.0.113.10"}, "K8S_API_SERVER is not an address"),
        ({"K8S_API_SERVER": ""}, "K8S_API_SERVER is not an address"),
        ({"K8S_TOKEN": ""}, "K8S_TOKEN is missing"),
        ({"K8S_TOKEN": "two words and more of it"}, "K8S_TOKEN is missing, or is not a token"),
        ({"K8S_TOKEN": token(-60)}, "K8S_TOKEN expired on"),
        ({"K8S_CA_CERT": ""}, "K8S_CA_CERT or K8S_CA_FILE must be given"),
        ({"K8S_CA_FILE": "ca.crt"}, "one of them only"),
        ({"K8S_CA_CERT": "not base64!"}, "K8S_CA_CERT is not base64"),
        ({"K8S_CA_CERT": "aGVsbG8="}, "K8S_CA_CERT does not hold a certificate"),
        ({"K8S_CA_CERT": "", "K8S_CA_FILE": "gone.crt"}, "gone.crt: No such file"),
        ({"K8S_TOKENS": "x"}, "line 5: not one of"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key_and_never_by_value(
    fake: FakeKubectl, tmp_path: Path, valid: dict[str, str], change: dict[str, str], words: str
) -> None:
    """And nothing is written."""
    with pytest.raises(TitaniumError) as caught:
        use("solid-cloud", "--env", str(env_file(tmp_path, **(valid | change))))
    said = f"{caught.value.message} {caught.value.hint} {caught.value.details}"
    assert words in said
    assert valid["K8S_TOKEN"] not in said
    assert caught.value.exit_code == 2
    assert not (tmp_path / "cloud").exists()


def test_a_file_that_others_can_read_is_refused(
    fake: FakeKubectl, tmp_path: Path, valid: dict[str, str]
) -> None:
    """The hint is the command that corrects it."""
    path = env_file(tmp_path, **valid)
    path.chmod(0o644)
    with pytest.raises(TitaniumError) as caught:
        use("solid-cloud", "--env", str(path))
    assert caught.value.hint == f"Run: chmod 600 {path}"


def test_the_example_has_every_key(fake: FakeKubectl) -> None:
    """A reader of the example finds all that is read."""
    from titanium.checkout import checkout
    from titanium.cloud import environment

    text = (checkout() / ".env.k8s.example").read_text()
    for key in (environment.SERVER, environment.TOKEN, environment.CA, environment.CA_FILE):
        assert f"{key}=" in text


def context(name: str, server: str) -> str:
    return yaml.safe_dump(
        {
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [{"name": name, "user": {"client-key-data": "a2V5"}}],
        }
    )


@pytest.mark.parametrize(
    ("name", "server"),
    [("minikube", "https://192.168.49.2:8443"), ("k3s", "https://127.0.0.1:6443"),
     ("kind-titanium", "https://127.0.0.1:40123")],
)  # fmt: skip
def test_a_local_context_is_copied_with_the_platforms_namespace(
    fake: FakeKubectl, tmp_path: Path, name: str, server: str
) -> None:
    """The user's own kubeconfig is only read."""
    fake.answer("config current-context", f"{name}\n")
    fake.answer("config view", context(name, server))
    use("local")
    config = yaml.safe_load((tmp_path / "cloud" / "kubeconfig-local").read_text())
    assert config["current-context"] == name
    assert config["contexts"][0]["context"]["namespace"] == "titanium"
    assert f"kubectl config view --raw --minify --flatten --context {name}" in fake.lines


def test_a_foreign_context_is_not_taken_for_a_local_one(fake: FakeKubectl) -> None:
    """Deploying the small overlay into production would be an accident."""
    fake.answer("config current-context", "prod\n")
    fake.answer("config view", context("prod", "https://203.0.113.10:6443"))
    with pytest.raises(TitaniumError) as caught:
        use("local")
    assert "does not look like local" in caught.value.message
    assert "--context prod" in caught.value.hint


def test_an_issuer_is_kept_and_replaced_near_its_end(tmp_path: Path) -> None:
    """Running set-up again must not cut running proxies off from their authority."""
    folder = tmp_path / "identity"
    now = datetime.now(UTC)
    linkerd_identity.helm_arguments(folder, now)
    anchor, issuer = (folder / "ca.crt").read_text(), (folder / "issuer.crt").read_text()
    linkerd_identity.helm_arguments(folder, now + timedelta(days=100))
    assert (folder / "issuer.crt").read_text() == issuer
    linkerd_identity.helm_arguments(folder, now + timedelta(days=350))
    assert (folder / "issuer.crt").read_text() != issuer
    assert (folder / "ca.crt").read_text() == anchor
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
