"""What a cluster needs for a new service: new files, and a line in lists that name every service.

Where a new service differs from others by its name alone, an existing one is the model, so that
what people improve there reaches the next service. What it may call and who calls it comes from
templates, which match the template of its service.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from titanium.errors import ConfigurationError
from titanium.scaffold.lists import NoSuchListError, add_item, add_word, object_text
from titanium.scaffold.render import render_tree

MANIFESTS = "k8s-manifests"
# It has a database and no cache, like a new one.
MODEL = "auth"
_MODEL_ADDRESS = re.compile(rf"postgresql://{MODEL}(_owner)?@postgres:5432/{MODEL}\b")
_LEADING_COMMENT = re.compile(r"\A(#.*\n)+")
PURPOSE = "short texts of users"


class Entry(NamedTuple):
    """One item more in the list at `path` of `file`; `document` is kind/name, where there are
    several. In `item`, {name} and {database} are the service's."""

    file: str
    document: str
    path: str
    item: str


_PEER = "podSelector:\n  matchLabels:\n    app.kubernetes.io/name: {name}"
_PRINCIPAL = "cluster.local/ns/titanium/sa/{name}"
_ACCOUNT = "kind: ServiceAccount\nname: {name}"
_SERVER = "group: policy.linkerd.io\nkind: Server\nname: {name}"
_IMAGE = "name: titanium/{name}\nnewName: ghcr.io/titanium-platform/titanium-{name}\nnewTag: {tag}"
_PARTS = (
    "components/hpa",
    "components/network-policy",
    "components/istio",
    "components/linkerd",
    "components/external-secrets",
    "components/cnpg",
)


def _entries() -> Iterator[Entry]:
    base = f"{MANIFESTS}/base/kustomization.yaml"
    yield Entry(base, "", "resources", "{name}")
    yield Entry(base, "", "images", "name: titanium/{name}\nnewTag: dev")
    for part in _PARTS:
        yield Entry(f"{MANIFESTS}/{part}/kustomization.yaml", "", "resources", "{name}.yaml")
    yield from _policies(f"{MANIFESTS}/components/network-policy")
    yield from _istio(f"{MANIFESTS}/components/istio")
    yield from _linkerd(f"{MANIFESTS}/components/linkerd")
    yield from _database(f"{MANIFESTS}/components")
    yield from _overlays(f"{MANIFESTS}/overlays")
    yield Entry(
        f"{MANIFESTS}/platform/secrets-source/readers.yaml",
        "Role/titanium",
        "rules/0/resourceNames",
        "titanium-{name}",
    )
    yield Entry(
        "skaffold.yaml",
        "",
        "build/artifacts",
        "image: titanium/{name}\ndocker:\n  dockerfile: services/{name}/Dockerfile",
    )
    keys = "keys: [database_password, database_owner_password]"
    yield Entry("terraform/environments/services.yaml", "", "services", f"name: {{name}}\n{keys}")
    # The key `on` is true in YAML 1.1, but a key like any other in the text.
    options = "on/workflow_dispatch/inputs/service/options"
    yield Entry(".github/workflows/rollback.yml", "", options, "{name}")


def _policies(folder: str) -> Iterator[Entry]:
    yield Entry(f"{folder}/gateway.yaml", "", "spec/egress/0/to", _PEER)
    yield Entry(f"{folder}/auth.yaml", "", "spec/ingress/0/from", _PEER)
    yield Entry(f"{folder}/postgres.yaml", "", "spec/ingress/0/from", _PEER)


def _istio(folder: str) -> Iterator[Entry]:
    principals = "from/0/source/principals"
    host = "./{name}.titanium.svc.cluster.local"
    yield Entry(f"{folder}/egress.yaml", "Sidecar/gateway", "spec/egress/0/hosts", host)
    policy = "AuthorizationPolicy/auth"
    # The second rule: signing keys and revocations.
    rule = f"spec/rules/1/{principals}"
    yield Entry(f"{folder}/allow-services.yaml", policy, rule, _PRINCIPAL)
    policy = "AuthorizationPolicy/postgres"
    yield Entry(f"{folder}/allow-data.yaml", policy, f"spec/rules/0/{principals}", _PRINCIPAL)


def _linkerd(folder: str) -> Iterator[Entry]:
    for group in ("readers-of-keys", "services-that-check-tokens", "services-with-a-database"):
        document = f"MeshTLSAuthentication/{group}"
        yield Entry(f"{folder}/identities.yaml", document, "spec/identityRefs", _ACCOUNT)
    for route in ("probes", "metrics"):
        document = f"HTTPRoute/{route}"
        yield Entry(f"{folder}/allow-observers.yaml", document, "spec/parentRefs", _SERVER)


def _database(components: str) -> Iterator[Entry]:
    secrets = f"{components}/external-secrets/postgres.yaml"
    for role, key in (("{database}", "database"), ("{database}_owner", "database_owner")):
        remote = f"remoteRef:\n  key: titanium-{{name}}\n  property: {key}_password"
        yield Entry(secrets, "", "spec/data", f"secretKey: {role}\n{remote}")
    for role, secret in (("{database}_owner", "{name}-owner"), ("{database}", "{name}")):
        item = (
            f"name: {role}\nensure: present\nlogin: true\n"
            f"passwordSecret:\n  name: postgres-role-{secret}"
        )
        yield Entry(f"{components}/cnpg/cluster.yaml", "", "spec/managed/roles", item)
    literal = "DATABASE_OWNER_URL=postgresql://{database}_owner@postgres-rw:5432/{database}"
    item = f"name: {{name}}-migration-config\nbehavior: merge\nliterals:\n  - {literal}"
    yield Entry(f"{components}/cnpg/kustomization.yaml", "", "configMapGenerator", item)


def _overlays(overlays: str) -> Iterator[Entry]:
    local = f"{overlays}/local/kustomization.yaml"
    for secret, key in (("secrets", "database_password"), ("migration", "database_owner_password")):
        name = f"{{name}}-{secret}"
        item = f"name: {name}\nfiles:\n  - secrets/{name}/{key}"
        yield Entry(local, "", "secretGenerator", item)
    for role in ("{database}", "{database}_owner"):
        files = "secretGenerator/[name=postgres-secrets]/files"
        yield Entry(local, "", files, f"secrets/postgres-secrets/{role}")
    for overlay in ("solid-cloud", "aws"):
        yield Entry(f"{overlays}/{overlay}/kustomization.yaml", "", "images", _IMAGE)
    clients = "spec/podSelector/matchExpressions/0/values"
    yield Entry(
        f"{overlays}/aws/network-policy.yaml", "NetworkPolicy/to-postgres", clients, "{name}"
    )


def kubernetes_files(root: Path, variables: Mapping[str, str]) -> dict[Path, str]:
    """Every file of the checkout `root` that a service needs in a cluster: path -> content.

    `variables` are those of the templates. Empty for a checkout without manifests.
    ConfigurationError when a file that should name every service does not have its list any more.
    """
    if not (root / MANIFESTS).is_dir():
        return {}
    return {**_new(root, variables), **_changed(root, variables)}


def _new(root: Path, variables: Mapping[str, str]) -> dict[Path, str]:
    name, manifests = variables["name"], root / MANIFESTS
    files = {
        root / "services" / name / "Dockerfile": _dockerfile(root, variables),
        manifests / "components/hpa" / f"{name}.yaml": _like_the_model(
            _read(manifests / f"components/hpa/{MODEL}.yaml"), variables
        ),
    }
    for path in sorted((manifests / "base" / MODEL).glob("*.yaml")):
        text = _like_the_model(_read(path), variables)
        if path.name == "deployment.yaml":
            text = re.sub(r"\A# .*", f"# {variables['title']}: {PURPOSE}.", text)
        files[manifests / "base" / name / path.name] = text
    for relative, text in render_tree("kubernetes", variables).items():
        files[manifests / "components" / relative] = text
    behaviour = [
        _like_the_model(_object(manifests / f"components/istio/{file}", kind), variables)
        for file, kind in (
            ("destinations.yaml", "DestinationRule"),
            ("routes.yaml", "VirtualService"),
        )
    ]
    files[manifests / "components/istio" / f"{name}.yaml"] += "".join(
        "---\n" + _LEADING_COMMENT.sub("", text) for text in behaviour
    )
    return files


def _dockerfile(root: Path, variables: Mapping[str, str]) -> str:
    text = _like_the_model(_read(root / "services" / MODEL / "Dockerfile"), variables)
    text = re.sub(r"(# The \S+ service: ).*(\. One image)", rf"\g<1>{PURPOSE}\g<2>", text)
    return re.sub(r'(description="Titanium: )[^"]*', rf"\g<1>{PURPOSE}", text)


def _like_the_model(text: str, variables: Mapping[str, str]) -> str:
    database = variables["database"]
    text = _MODEL_ADDRESS.sub(rf"postgresql://{database}\g<1>@postgres:5432/{database}", text)
    text = text.replace(f"titanium_{MODEL}", variables["package"])
    return re.sub(rf"\b{MODEL}\b", variables["name"], text)


def _changed(root: Path, variables: Mapping[str, str]) -> dict[Path, str]:
    name, database = variables["name"], variables["database"]
    texts: dict[Path, str] = {}
    for entry in _entries():
        path = root / entry.file
        tag = _deployed_tag(path) if "{tag}" in entry.item else ""
        item = entry.item.format(name=name, database=database, tag=tag)
        text = texts.get(path) or _read(path)
        try:
            texts[path] = add_item(text, entry.document, entry.path, item)
        except NoSuchListError:
            where = " ".join(filter(None, (entry.document, entry.path)))
            raise _lacking(path, f"list {where}", item) from None
    path = root / MANIFESTS / "base/postgres/kustomization.yaml"
    try:
        texts[path] = add_word(_read(path), "DATABASES", database)
    except NoSuchListError:
        raise _lacking(path, "line DATABASES=", database) from None
    return texts


def _deployed_tag(path: Path) -> str:
    """The tag that the gateway's image has there: one of the form that the pipeline sets."""
    found = re.search(r"titanium-gateway\n\s+newTag: (\S+)", _read(path))
    if found is None:
        raise _lacking(path, "newTag of titanium/gateway", "name, newName and newTag of each image")
    return found[1]


def _object(path: Path, kind: str) -> str:
    try:
        return object_text(_read(path), kind, MODEL)
    except NoSuchListError:
        raise _lacking(path, f"{kind} {MODEL}", f"the {kind} of the service {MODEL}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}",
            "A new service is added to it: restore it (git checkout), then try again.",
        ) from None


def _lacking(path: Path, what: str, item: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} has no {what}, to which a new service is added: {' '.join(item.split())}",
        "Restore it; or change titanium/scaffold/kubernetes.py when the file is meant to be so.",
    )
