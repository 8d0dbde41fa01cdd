"""Builds images with what this machine has: a Docker daemon, or buildah, which needs none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.support import ROOT

BUILD_SECONDS = 300


class UnavailableError(Exception):
    """Why images cannot be built here; tests are skipped with it."""


@dataclass(frozen=True)
class Image:
    """A built image: its settings as OCI has them, and its files, which tests may not change."""

    config: dict[str, Any]
    files: Path

    @property
    def environment(self) -> dict[str, str]:
        return dict(item.split("=", 1) for item in self.config["Env"])

    @property
    def command(self) -> list[str]:
        return [*self.config["Entrypoint"], *self.config["Cmd"]]


class Builder(Protocol):
    """`base` imports an archive of a file system, `build` a Dockerfile of the checkout."""

    def base(self, archive: Path, name: str) -> str: ...

    def build(self, dockerfile: str, base: str, pip_conf: Path) -> Image: ...

    def close(self) -> None: ...


def find_builder(folder: Path) -> Builder:
    """Raises UnavailableError. `folder` is for images and containers, until `close`."""
    docker = shutil.which("docker")
    if docker and _answers([docker, "info"]):
        return Docker(docker, folder)
    buildah = shutil.which("buildah")
    if buildah is None:
        raise UnavailableError(
            "no Docker daemon answers, and there is no buildah (apt install buildah)"
        )
    if os.geteuid() != 0:
        raise UnavailableError("no Docker daemon answers, and buildah is used here as root only")
    for driver in ("overlay", "vfs"):  # the second copies every layer, and works everywhere
        made = Buildah(buildah, folder / driver, driver)
        if _answers([*made.command, "from", "scratch"]):
            return made
    raise UnavailableError("buildah cannot make a container here")


class Buildah:
    """Isolation by chroot: no container runtime, no daemon."""

    def __init__(self, program: str, folder: Path, driver: str) -> None:
        store = ["--root", str(folder / "store"), "--runroot", str(folder / "run")]
        self.command = [program, *store, "--storage-driver", driver]

    def base(self, archive: Path, name: str) -> str:
        container = run([*self.command, "from", "scratch"])
        run([*self.command, "add", container, str(archive), "/"])
        run([*self.command, "commit", "--rm", container, f"localhost/{name}"])
        return f"localhost/{name}"

    def build(self, dockerfile: str, base: str, pip_conf: Path) -> Image:
        name = f"localhost/{Path(dockerfile).parent.name}"
        options = ["--isolation", "chroot", "--network", "host", "--tag", name]
        run([*self.command, "bud", *options, *_inputs(dockerfile, base, pip_conf)])
        config = json.loads(run([*self.command, "inspect", "--type", "image", name]))
        container = run([*self.command, "from", name])
        files = Path(run([*self.command, "mount", container]))
        return Image(config["OCIv1"]["config"], files)

    def close(self) -> None:
        for action in ("umount", "rm"):
            subprocess.run([*self.command, action, "--all"], capture_output=True, check=False)


class Docker:
    """Files of an image are those that `docker export` writes."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._containers: list[str] = []
        self._images: list[str] = []

    def base(self, archive: Path, name: str) -> str:
        tag = f"titanium-test/{name}"
        self._images.append(tag)
        run([self._program, "import", str(archive), tag])
        return tag

    def build(self, dockerfile: str, base: str, pip_conf: Path) -> Image:
        tag = f"titanium-test/{Path(dockerfile).parent.name}"
        self._images.append(tag)
        options = ["--network", "host", "--tag", tag]
        run([self._program, "build", *options, *_inputs(dockerfile, base, pip_conf)])
        (inspected,) = json.loads(run([self._program, "image", "inspect", tag]))
        container = run([self._program, "create", tag])
        self._containers.append(container)
        files = self._folder / container
        files.mkdir(parents=True)
        archive = self._folder / "export.tar"
        run([self._program, "export", "--output", str(archive), container])
        run(["tar", "-x", "-p", "-f", str(archive), "-C", str(files)])
        archive.unlink()
        return Image(inspected["Config"], files)

    def close(self) -> None:
        for command in (
            ["rm", "--force", *self._containers],
            ["image", "rm", "--force", *reversed(self._images)],
        ):
            subprocess.run([self._program, *command], capture_output=True, check=False)


def run(command: list[str]) -> str:
    """What `command` prints, without the last line's end; fails with its output."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (
        f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout.strip()


def _inputs(dockerfile: str, base: str, pip_conf: Path) -> list[str]:
    secret = f"id=pip,src={pip_conf}"
    return ["--secret", secret, "--build-arg", f"BASE_IMAGE={base}", "--file", dockerfile, "."]


def _answers(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
