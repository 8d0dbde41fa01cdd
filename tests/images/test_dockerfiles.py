"""What every Dockerfile keeps to, whether or not something here can build it."""

from __future__ import annotations

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support import ROOT
from titanium.catalog import load_catalog
from titanium.mesh import kubernetes
from titanium.tools import find_envoy

SERVICES = load_catalog(ROOT).names
LOAD = "load-generator"
ALL = (*SERVICES, "gateway", LOAD)
LABELS = ("title", "description", "licenses", "base.name", "version", "revision", "created")
COMPILED = [
    "argon2-cffi-bindings",
    "asyncpg",
    "cffi",
    "cryptography",
    "greenlet",
    "hiredis",
    "httptools",
    "markupsafe",
    "nh3",
    "orjson",
    "protobuf",
    "pydantic-core",
    "pyromark",
    "sqlalchemy",
    "uvloop",
]

pytestmark = pytest.mark.unit


def dockerfile(name: str) -> Path:
    folder = "tests/performance" if name == LOAD else f"services/{name}"
    return ROOT / folder / "Dockerfile"


def instructions(name: str) -> list[tuple[str, str]]:
    """(instruction, the rest) of a Dockerfile, continued lines joined, comments left out."""
    text = dockerfile(name).read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    parts = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(word, rest.strip()) for word, _, rest in parts]


def of(name: str, word: str) -> list[str]:
    return [rest for found, rest in instructions(name) if found == word]


@pytest.mark.parametrize("name", ALL)
def test_bases_are_arguments_with_a_version(name: str) -> None:
    assert all(re.match(r"\$\{(BASE|BUILD)_IMAGE\}", rest) for rest in of(name, "FROM"))
    (default,) = [rest for rest in of(name, "ARG") if rest.startswith("BASE_IMAGE=")]
    image, _, tag = default.partition("=")[2].rpartition(":")
    assert image.startswith("docker.io/")
    assert re.search(r"\d+\.\d+", tag), "a tag that names a version"
    assert "latest" not in tag


@pytest.mark.parametrize("name", ALL)
def test_nothing_comes_from_outside_but_locked_packages(name: str) -> None:
    text = dockerfile(name).read_text()
    words = {word for word, _ in instructions(name)}
    assert "ADD" not in words
    assert not re.search(r"\b(curl|wget|apt-get|apk|git clone)\b", text)
    for command in of(name, "RUN"):
        if "pip install" in command:
            assert "--require-hashes" in command
            assert "--no-deps" in command
            assert "--only-binary :all:" in command
            assert "--mount=type=secret,id=pip" in command


@pytest.mark.parametrize("name", ALL)
def test_the_user_is_a_number_and_not_root(name: str) -> None:
    """Kubernetes' runAsNonRoot cannot tell a name."""
    assert of(name, "USER") == ["10001:10001"]
    words = [word for word, _ in instructions(name)]
    assert "RUN" not in words[words.index("USER") :]


@pytest.mark.parametrize("name", ALL)
def test_labels_say_what_it_is(name: str) -> None:
    (labels,) = of(name, "LABEL")
    for label in LABELS:
        assert f"org.opencontainers.image.{label}=" in labels
    assert f'title="titanium-{name}"' in labels


@pytest.mark.parametrize("name", ALL)
def test_process_1_is_the_program_itself(name: str) -> None:
    """The form without a shell, which would not hand SIGTERM on."""
    for word in ("ENTRYPOINT", "CMD"):
        (command,) = of(name, word)
        assert command.startswith("[")


@pytest.mark.parametrize("name", ALL)
def test_every_source_exists_and_is_in_the_context(name: str) -> None:
    for rest in of(name, "COPY"):
        words = [word for word in rest.split() if not word.startswith("--")]
        if "--from=" in rest:
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert in_context(source.rstrip("/"), ignore_file(name)), source


def ignore_file(name: str) -> Path:
    """A file beside the Dockerfile counts instead of the checkout's."""
    own = dockerfile(name).with_name("Dockerfile.dockerignore")
    return own if own.is_file() else ROOT / ".dockerignore"


def in_context(path: str, ignored: Path) -> bool:
    """What a .dockerignore says of `path`; the last rule that fits counts."""
    included = True
    for line in ignored.read_text().splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#"):
            pattern = rule.lstrip("!")
            parents = [str(one) for one in (Path(path), *Path(path).parents)]
            if any(fnmatch(one, pattern) for one in parents):
                included = rule.startswith("!")
    return included


@pytest.mark.parametrize(
    "path",
    [
        ".git",
        ".venv",
        ".titanium",
        "cli/src",
        "tests",
        "k8s-manifests/overlays/local/secrets/postgres-secrets/password",
        "services/blog/tests/unit",
        "services/gateway/edge.toml",
        "libs/kit/tests",
        "libs/kit/src/titanium_kit/__pycache__",
        "requirements/dev.txt",
        ".env.k8s",
    ],
)
def test_nothing_else_is_in_the_context(path: str) -> None:
    assert not in_context(path, ROOT / ".dockerignore")


@pytest.mark.parametrize(
    "path",
    [
        ".git",
        ".env.k8s",
        "cli/tests",
        "cli/src/titanium/__pycache__",
        "libs/kit/src",
        "services/blog/src",
        "requirements/dev.txt",
        "k8s-manifests/overlays/local/secrets/postgres-secrets/password",
    ],
)
def test_the_load_generators_context_has_the_command_line_alone(path: str) -> None:
    assert ignore_file(LOAD) != ROOT / ".dockerignore"
    assert not in_context(path, ignore_file(LOAD))


def test_the_load_generator_has_the_services_base() -> None:
    arguments = {rest for name in (*SERVICES, LOAD) for rest in of(name, "ARG")}
    assert len([rest for rest in arguments if rest.startswith("BASE_IMAGE=")]) == 1


def test_the_services_differ_by_their_names_alone() -> None:
    """What is learnt about one image holds for the others."""
    descriptions = {"auth": "sessions", "blog": "posts", "user": "accounts"}
    shapes = set()
    for name in SERVICES:
        text = dockerfile(name).read_text()
        assert descriptions.get(name, "") in text
        text = re.sub(r"# The \S+ service: .*\. One image", "# One image", text)
        text = re.sub(r'description="Titanium: .*"', "description", text)
        text = text.replace(f"titanium_{name.replace('-', '_')}", "titanium_NAME")
        # In paths and settings; "user" is a word as well.
        shapes.add(re.sub(rf'(?<=[/_=-]){name}(?=[/.:_"\s])', "NAME", text))
    assert len(shapes) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_locks_have_both_platforms(service: str) -> None:
    """A lock does not name platforms; but a package with one wheel only has none for two."""
    text = (ROOT / "requirements" / f"{service}.txt").read_text()
    entries = re.findall(r"(?m)^([a-z0-9-]+)==[^\\]*\\\n((?:    --hash=.*\n?)+)", text)
    assert len(entries) > 30
    for package, hashes in entries:
        if package in COMPILED:
            assert hashes.count("--hash=sha256:") >= 4, package


def test_the_gateways_envoy_is_the_local_one() -> None:
    """The bootstrap is tested with one version and must run on the same."""
    version = subprocess.run([find_envoy(), "--version"], capture_output=True, text=True).stdout
    (default,) = [rest for rest in of("gateway", "ARG") if rest.startswith("BASE_IMAGE=")]
    minor = re.search(r"v(\d+\.\d+)\.\d+$", default)
    assert minor is not None
    assert f"/{minor[1]}." in version


def test_the_gateways_files_are_where_its_bootstrap_looks() -> None:
    assert of("gateway", "COPY") == [f"{kubernetes.SOURCE}/ {kubernetes.IMAGE}/"]
    (command,) = of("gateway", "ENTRYPOINT")
    assert f'"{kubernetes.IMAGE / kubernetes.BOOTSTRAP}"' in command
    assert of("gateway", "EXPOSE") == [f"{kubernetes.HTTP_PORT} {kubernetes.METRICS_PORT}"]


@pytest.mark.parametrize("name", ALL)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    command = [hadolint, str(dockerfile(name))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout
