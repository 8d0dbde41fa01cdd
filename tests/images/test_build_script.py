"""scripts/build-images.sh: what it would run, and what it refuses. Real builds are another file."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.unit

IMAGES = sorted(path.parent.name for path in ROOT.glob("services/*/Dockerfile"))


def build(**settings: str) -> subprocess.CompletedProcess[str]:
    names = "SERVICES TAG REGISTRY PLATFORMS SAVE BUILDER BASE_IMAGE BUILD_IMAGE PIP_CONF OPTIONS"
    inherited = {key: value for key, value in os.environ.items() if key not in names.split()}
    return subprocess.run(
        [str(ROOT / "scripts" / "build-images.sh")],
        env={**inherited, "DRY_RUN": "1", **settings},
        capture_output=True,
        text=True,
        timeout=20,
    )


def commands(**settings: str) -> list[str]:
    done = build(**settings)
    assert done.returncode == 0, done.stderr
    return [line.removeprefix("+ ") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("builder", ["docker", "podman", "buildah"])
def test_all_images_with_any_builder(builder: str) -> None:
    lines = commands(BUILDER=builder)
    for line, name in zip(lines, IMAGES, strict=True):
        assert line.startswith(f"{builder} build --tag docker.io/titanium/{name}:dev ")
        assert f"--file services/{name}/Dockerfile" in line
        assert "--build-arg VERSION=dev" in line
        assert line.endswith(" .")


def test_names_in_a_registry_with_a_tag() -> None:
    (line,) = commands(
        BUILDER="docker", SERVICES="blog", REGISTRY="ghcr.io/titanium-platform", TAG="v1"
    )
    assert "--tag ghcr.io/titanium-platform/titanium-blog:v1" in line
    assert "--build-arg VERSION=v1" in line


def test_several_platforms_are_pushed_as_one() -> None:
    settings = {
        "SERVICES": "user",
        "REGISTRY": "registry.example",
        "PLATFORMS": "linux/amd64,linux/arm64",
    }
    (docker,) = commands(BUILDER="docker", **settings)
    assert docker.startswith("docker buildx build --push --tag registry.example/titanium-user:dev")
    assert "--platform linux/amd64,linux/arm64" in docker
    made, pushed = commands(BUILDER="buildah", **settings)
    assert made.startswith("buildah build --manifest registry.example/titanium-user:dev")
    assert pushed.startswith("buildah manifest push --all registry.example/titanium-user:dev")


def test_a_base_is_the_services_and_not_the_gateways() -> None:
    lines = commands(
        BUILDER="podman",
        SERVICES="auth gateway",
        BASE_IMAGE="example/python:3.13",
        PIP_CONF="/etc/pip.conf",
        OPTIONS="--network host",
    )
    service, gateway = lines
    assert "--build-arg BASE_IMAGE=example/python:3.13" in service
    assert "--secret id=pip,src=/etc/pip.conf" in service
    assert "BASE_IMAGE" not in gateway
    assert all("--network host" in line for line in lines)


@pytest.mark.parametrize("builder", ["docker", "podman", "buildah"])
def test_the_load_generator_is_built_when_it_is_named(builder: str) -> None:
    """From a context of its own, which BuildKit finds by the file's name alone."""
    (line,) = commands(BUILDER=builder, SERVICES="load-generator")
    assert line.startswith(f"{builder} build --tag docker.io/titanium/load-generator:dev ")
    assert "--file tests/performance/Dockerfile " in line
    ignored = "--ignorefile tests/performance/Dockerfile.dockerignore"
    assert (ignored in line) == (builder != "docker")


def test_archives(tmp_path: object) -> None:
    lines = commands(BUILDER="buildah", SERVICES="blog", SAVE=str(tmp_path))
    assert lines[1] == (
        "buildah push docker.io/titanium/blog:dev "
        f"docker-archive:{tmp_path}/blog.tar:docker.io/titanium/blog:dev"
    )


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"BUILDER": "make"}, "none of docker, podman, buildah"),
        ({"PLATFORMS": "linux/amd64,linux/arm64"}, "set REGISTRY"),
        ({"SERVICES": "nothing"}, "there is no services/nothing/Dockerfile"),
    ],
)
def test_what_cannot_be_done_is_said_first(settings: dict[str, str], reason: str) -> None:
    done = build(**{"BUILDER": "docker", **settings})
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stdout == ""
