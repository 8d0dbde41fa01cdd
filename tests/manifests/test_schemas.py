"""Every object is one that an API server would take: known kinds, known fields, right types.

Kubernetes' own kinds against its schemas (kubernetes-validate, strict: an unknown field is an
error). Custom resources against the models that npm has of their CRDs. Linkerd's and AWS's have no
package: they are held against tests/manifests/schemas/{linkerd,aws}.json, written by hand.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.manifests.combine import ALONE, MESHES, compose
from tests.manifests.support import MANIFESTS, ROOT, Object, build

pytestmark = pytest.mark.integration

SCHEMAS = ROOT / "tests" / "manifests" / "schemas"
# The oldest version that the platform runs on, and the newest that the package knows.
VERSIONS = ("1.30", "1.37")
# Kinds that neither a package nor we have a schema of, and why that is bearable.
WITHOUT = {
    "barmancloud.cnpg.io/v1/ObjectStore": "no package; four fields, read by test_production",
}


def group(one: Object) -> str:
    return str(one["apiVersion"]).rpartition("/")[0]


def is_builtin(one: Object) -> bool:
    name = group(one)
    return "." not in name or (name.endswith(".k8s.io") and name != "gateway.networking.k8s.io")


@pytest.fixture(scope="module")
def objects(manifests: Path) -> list[tuple[str, Object]]:
    """(where from, object) of every overlay and of all components with either mesh; each once."""
    built: dict[str, tuple[str, Object]] = {}
    for where, found in _all(manifests):
        for one in found:
            built.setdefault(json.dumps(one, sort_keys=True, default=str), (where, one))
    return list(built.values())


def _all(manifests: Path) -> Iterator[tuple[str, list[Object]]]:
    for folder in sorted((MANIFESTS / "overlays").iterdir()):
        if (folder / "kustomization.yaml").is_file():
            yield folder.name, build(manifests / "overlays" / folder.name)
    for mesh in MESHES:
        names = [name for name in ALONE if name not in MESHES or name == mesh]
        yield mesh, compose(manifests, names)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_kinds_are_valid(objects: list[tuple[str, Object]], version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is missing")
    wrong = []
    for where, one in objects:
        if not is_builtin(one):
            continue
        try:
            validator.validate(one, version, strict=True)
        except validator.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            name = f"{one['kind']}/{one['metadata']['name']}"
            wrong.append(f"{where}: {name}: {path}: {error.message[:300]}")
    assert wrong == []


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the npm packages of the lock."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("npm is not on PATH: the schemas of custom resources cannot be fetched")
    folder = tmp_path_factory.mktemp("schemas")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SCHEMAS / name, folder)
    done = subprocess.run(
        [npm, "ci", "--no-progress", "--prefer-offline", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"npm_config_update_notifier": "false"},
    )
    if done.returncode:
        pytest.skip(f"npm could not fetch the schemas: {done.stderr.strip()[-300:]}")
    return folder


def check(models: Path, objects: list[Object]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(SCHEMAS / "check.mjs"), str(models)],
        input=json.dumps(objects, default=str),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_custom_resources_are_valid(objects: list[tuple[str, Object]], models: Path) -> None:
    result = check(models, [one for _, one in objects if not is_builtin(one)])
    assert result["errors"] == []
    assert result["checked"] > 50
    assert set(result["unknown"]) <= {*WITHOUT, *by_hand()}


def test_the_check_of_custom_resources_sees_what_is_wrong(
    objects: list[tuple[str, Object]], models: Path
) -> None:
    """A misspelt field deep inside, a word that is none of the choice, a wrong type."""
    good = next(
        one
        for _, one in objects
        if group(one) == "security.istio.io" and one["metadata"]["name"] == "auth"
    )
    misspelt, choice, wrong_type = (json.loads(json.dumps(good)) for _ in range(3))
    source = misspelt["spec"]["rules"][0]["from"][0]["source"]
    source["princpals"] = source.pop("principals")
    choice["spec"]["action"] = "PERMIT"
    wrong_type["spec"]["rules"][0]["to"][0]["operation"]["ports"] = [8000]
    for bad, word in ((misspelt, "princpals"), (choice, "spec/action"), (wrong_type, "ports/0")):
        assert word in " ".join(check(models, [bad])["errors"])
    assert check(models, [good])["errors"] == []


def by_hand() -> dict[str, Any]:
    """apiVersion/kind -> schema of `spec`, with the definitions of its file."""
    schemas = {}
    for file in ("linkerd.json", "aws.json"):
        found = json.loads((SCHEMAS / file).read_text("utf-8"))
        for name, schema in found.items():
            if not name.startswith("$"):
                schemas[name] = {"$defs": found["$defs"], **schema}
    return schemas


def test_kinds_without_a_package_match_what_we_know_of_them(
    objects: list[tuple[str, Object]],
) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is missing")
    schemas = by_hand()
    seen = set()
    for _, one in objects:
        kind = f"{one['apiVersion']}/{one['kind']}"
        if kind.startswith(("policy.linkerd.io", "elbv2.k8s.aws")):
            seen.add(kind)
            jsonschema.Draft202012Validator(schemas[kind]).validate(one["spec"])
    assert seen == set(schemas)


def test_every_api_is_one_that_kubernetes_130_has(objects: list[tuple[str, Object]]) -> None:
    """No beta of a built-in kind: they go away with an update of the cluster."""
    for where, one in objects:
        if is_builtin(one):
            version = one["apiVersion"].rpartition("/")[2]
            assert version in ("v1", "v2"), (where, one["apiVersion"], one["kind"])


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((SCHEMAS / "package-lock.json").read_text("utf-8"))
    assert not any("resolved" in package for package in lock["packages"].values())
    assert all("integrity" in one for name, one in lock["packages"].items() if name)
