"""Checkov's policies: no finding in manifests, Dockerfiles and workflows that is not explained."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.checkov_support import checkov_program, checkov_reports
from tests.manifests.support import MANIFESTS, ROOT, Object, build

pytestmark = pytest.mark.integration

EXCEPTIONS = MANIFESTS / "checkov.toml"
FRAMEWORKS = ("kubernetes", "dockerfile", "github_actions")
# Data that no policy looks at, and that takes longer to read than all the rest.
DATA = ("ConfigMap", "PrometheusRule")
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# What must be found, so that a run that reads nothing does not pass.
BAD = "Pod.default.privileged"
BAD_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "privileged", "namespace": "default"},
    "spec": {
        "containers": [{"name": "x", "image": "x:1", "securityContext": {"privileged": True}}]
    },
}


class Finding(NamedTuple):
    """A failed check: which one, in which file, at what, and what it asks for."""

    check: str
    file: str
    resource: str
    title: str


class Explained(NamedTuple):
    """An entry of checkov.toml."""

    check: str
    resources: tuple[str, ...]
    reason: str

    def covers(self, one: Finding) -> bool:
        return self.check == one.check and any(
            fnmatchcase(one.resource, pattern) for pattern in self.resources
        )


@pytest.fixture(scope="module")
def checkov() -> Path:
    return checkov_program()


def collect(manifests: Path, folder: Path) -> Iterator[Path]:
    """Folders to check, each by itself: a policy of one overlay must not count for another."""
    for path in (*kustomizations("overlays"), MANIFESTS / "bookinfo"):
        yield write(folder / path.name, build(manifests / path.relative_to(MANIFESTS)))
    rest = folder / "rest"
    others = [one for path in (*kustomizations("platform"), ROOT / "argocd") for one in build(path)]
    write(rest, [BAD_POD, *others])
    for path in (*ROOT.glob("services/*/Dockerfile"), ROOT / "tests/performance/Dockerfile"):
        target = rest / path.relative_to(ROOT)
        target.parent.mkdir(parents=True)
        shutil.copy(path, target)
    shutil.copytree(ROOT / ".github", rest / ".github")
    yield rest


def kustomizations(group: str) -> list[Path]:
    return sorted(path.parent for path in (MANIFESTS / group).glob("*/kustomization.yaml"))


def write(folder: Path, objects: list[Object]) -> Path:
    kept = [one for one in objects if one["kind"] not in DATA]
    folder.mkdir()
    (folder / "all.yaml").write_text(yaml.dump_all(kept, Dumper=DUMPER), "utf-8")
    return folder


def run(program: Path, folder: Path) -> list[Finding]:
    return list(read(folder.name, checkov_reports(program, folder, FRAMEWORKS, home=folder)))


def read(place: str, reports: list[Object]) -> Iterator[Finding]:
    expected = FRAMEWORKS if place == "rest" else FRAMEWORKS[:1]
    assert {report["check_type"] for report in reports} == set(expected)
    for report in reports:
        assert report["summary"]["parsing_errors"] == 0, report["results"]
        assert report["summary"]["passed"] > 50, report["check_type"]
        for one in report["results"]["failed_checks"]:
            file = f"{place}{one['file_path']}"
            yield Finding(one["check_id"], file, one["resource"], one["check_name"])


@pytest.fixture(scope="module")
def findings(
    checkov: Path, manifests: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Finding]:
    folders = collect(manifests, tmp_path_factory.mktemp("checkov"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [one for found in pool.map(partial(run, checkov), folders) for one in found]


def exceptions() -> list[Explained]:
    entries = tomllib.loads(EXCEPTIONS.read_text("utf-8"))["exception"]
    return [Explained(one["check"], tuple(one["resources"]), one["reason"]) for one in entries]


def ours(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.resource != BAD]


def test_bar_56_checkov_finds_nothing_that_is_not_explained(findings: list[Finding]) -> None:
    explained = exceptions()
    left = [one for one in ours(findings) if not any(item.covers(one) for item in explained)]
    assert [f"{one.check} {one.file} {one.resource}: {one.title}" for one in left] == []


def test_checkov_would_have_found_a_privileged_pod(findings: list[Finding]) -> None:
    found = {one.check for one in findings if one.resource == BAD}
    assert {"CKV_K8S_16", "CKV_K8S_20"} <= found


def test_every_exception_is_needed_and_says_why(findings: list[Finding]) -> None:
    """One that nothing matches any more would hide the next mistake."""
    for item in exceptions():
        assert len(item.reason.split()) > 10, item.check
        for pattern in item.resources:
            one = Explained(item.check, (pattern,), item.reason)
            assert any(one.covers(finding) for finding in ours(findings)), (item.check, pattern)
