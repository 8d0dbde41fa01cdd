"""The manifests are written by hand; here they are held against what the services declare."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.manifests.support import (
    ROOT,
    Object,
    catalog,
    containers,
    named,
    of_kind,
    pod_specs,
    secrets_made,
)

pytestmark = pytest.mark.integration


def settings_of(objects: list[Object], one: Object) -> dict[str, str]:
    """A container's environment from its ConfigMaps; what is set directly comes last."""
    values: dict[str, str] = {}
    for source in one.get("envFrom", []):
        values |= named(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    return values | {item["name"]: item.get("value", "") for item in one.get("env", [])}


def app(objects: list[Object], service: str) -> Object:
    spec: Object = named(objects, "Deployment", service)["spec"]["template"]["spec"]
    return spec


def test_every_service_has_what_it_needs_to_run(overlay: list[Object]) -> None:
    for service in catalog().names:
        for kind in ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget"):
            named(overlay, kind, service)
        assert (ROOT / "services" / service / "Dockerfile").is_file()


def test_nothing_runs_that_nobody_declared(local: list[Object]) -> None:
    names = {name.partition("/")[2] for name, _ in pod_specs(local)}
    assert names == {*catalog().names, "gateway", "postgres", "redis"}


def test_settings_are_those_of_the_local_run(overlay: list[Object]) -> None:
    for service in catalog():
        (container,) = app(overlay, service.name)["containers"]
        values = settings_of(overlay, container)
        assert values["SERVICE"] == service.name
        assert values["BIND"] == "tcp:0.0.0.0:8000"
        assert values["ENVIRONMENT"] == "production"
        assert values["SECRETS_DIR"] == "/run/secrets/titanium"
        assert "EGRESS" not in values
        assert ("REDIS_URL" in values) == service.needs.redis
        if service.needs.redis:
            # Outside the cluster, on AWS, by TLS.
            redis = urlsplit(values["REDIS_URL"])
            assert redis.username == service.name
            assert redis.scheme == ("redis" if redis.hostname == "redis" else "rediss")
        if service.needs.postgres:
            database = service.needs.postgres
            assert values["DATABASE_URL"] == f"postgresql://{database}@postgres:5432/{database}"


def test_only_the_migration_knows_the_owner(overlay: list[Object]) -> None:
    for service in catalog():
        spec = app(overlay, service.name)
        migrate, (container,) = spec["initContainers"][-1], spec["containers"]
        assert "DATABASE_OWNER_URL" not in settings_of(overlay, container)
        owner = urlsplit(settings_of(overlay, migrate)["DATABASE_OWNER_URL"]).username
        assert owner == f"{service.needs.postgres}_owner"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert "migration-secrets" not in mounted
        assert migrate["image"] == container["image"]


def test_addresses_are_services_and_ports_of_the_cluster(local: list[Object]) -> None:
    ports = {
        one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]}
        for one in of_kind(local, "Service")
    }
    for service in catalog():
        assert ports[service.name] == {8000}
        for container in (*app(local, service.name)["initContainers"],):
            for key, value in settings_of(local, container).items():
                if key.endswith("_URL") and key != "PUBLIC_URL":
                    address = urlsplit(value)
                    assert address.port in ports[address.hostname or ""], (key, value)


def test_services_select_pods_and_name_their_ports(local: list[Object]) -> None:
    pods = {name.partition("/")[2]: pod for name, pod in pod_specs(local)}
    for service in of_kind(local, "Service"):
        name = service["metadata"]["name"]
        labels = pods[name]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        offered = {
            port["name"] for one in pods[name]["spec"]["containers"] for port in one["ports"]
        }
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= offered


def test_every_database_of_the_catalog_is_provisioned(local: list[Object]) -> None:
    databases = {service.needs.postgres for service in catalog() if service.needs.postgres}
    (pod,) = (pod for name, pod in pod_specs(local) if name == "StatefulSet/postgres")
    (server,) = pod["spec"]["containers"]
    (reference,) = (item for item in server["env"] if item["name"] == "DATABASES")
    config = named(local, "ConfigMap", reference["valueFrom"]["configMapKeyRef"]["name"])
    assert set(config["data"]["DATABASES"].split()) == databases
    (volume,) = (one for one in pod["spec"]["volumes"] if one["name"] == "secrets")
    secret = named(local, "Secret", volume["secret"]["secretName"])
    wanted = databases | {f"{name}_owner" for name in databases}
    assert set(secret["data"]) == wanted | {"password", "titanium_monitor"}


def test_every_secret_and_configmap_that_is_named_exists(overlay: list[Object]) -> None:
    """A name that nothing makes leaves a pod in ContainerCreating for ever."""
    secrets = secrets_made(overlay)
    configs = {one["metadata"]["name"] for one in of_kind(overlay, "ConfigMap")}
    for name, pod in pod_specs(overlay):
        for volume in pod["spec"].get("volumes", []):
            sources = volume.get("projected", {}).get("sources", [volume])
            for source in sources:
                if "secret" in source:
                    key = source["secret"].get("secretName") or source["secret"].get("name")
                    assert key in secrets, (name, key)
                    items = {item["key"] for item in source["secret"].get("items", [])}
                    assert items <= (secrets[key] or items), (name, key)
                if "configMap" in source:
                    assert source["configMap"]["name"] in configs, name
        for one in containers(pod):
            for source in one.get("envFrom", []):
                assert source["configMapRef"]["name"] in configs, name


def test_the_repository_holds_no_secret() -> None:
    for path in (ROOT / "k8s-manifests").rglob("*.yaml"):
        if "secrets" in path.relative_to(ROOT).parts:
            continue
        for one in yaml.safe_load_all(path.read_text("utf-8")):
            assert not (isinstance(one, dict) and one.get("kind") == "Secret"), path


def test_budgets_never_block_a_drain(local: list[Object]) -> None:
    for budget in of_kind(local, "PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"]


def test_secrets_are_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert str(Path("k8s-manifests") / "overlays" / "local" / "secrets") + "/" in ignored
