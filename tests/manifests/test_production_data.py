"""Components external-secrets and cnpg, as the production overlays use them."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.manifests.combine import selects
from tests.manifests.support import MANIFESTS, Object, catalog, named, of_kind, pod_of, pod_specs
from titanium.provision import redis

pytestmark = pytest.mark.integration

NAMESPACE = "titanium-prod"
DATABASES = [service.needs.postgres for service in catalog() if service.needs.postgres]


# components/external-secrets


def test_users_of_redis_are_those_of_a_local_run(solid_cloud: list[Object]) -> None:
    spec = named(solid_cloud, "ExternalSecret", "redis-secrets")["spec"]
    text = spec["target"]["template"]["data"]["users.acl"]
    passwords = {item["secretKey"]: f"password-of-{item['secretKey']}" for item in spec["data"]}

    def rendered(match: re.Match[str]) -> str:
        return redis._hash(passwords[match[1]])

    acl = re.sub(r"\{\{ \.(\w+) \| sha256sum \}\}", rendered, text)
    services = {one.name: passwords[one.name] for one in catalog() if one.needs.redis}
    assert acl == redis.users(services, passwords["admin"], passwords["monitor"])


def test_external_secrets_may_read_every_entry_and_no_other(solid_cloud: list[Object]) -> None:
    entries = {
        item["remoteRef"]["key"]
        for one in of_kind(solid_cloud, "ExternalSecret")
        for item in one["spec"]["data"]
    }
    source = MANIFESTS / "platform" / "secrets-source" / "readers.yaml"
    objects = list(yaml.safe_load_all(source.read_text("utf-8")))
    (rule,) = named(objects, "Role", "titanium")["rules"]
    assert set(rule["resourceNames"]) == entries


def test_the_exporter_finds_its_password(production: list[Object]) -> None:
    spec = named(production, "ExternalSecret", "redis-exporter-secrets")["spec"]
    (entry,) = re.findall(r'"([^"]+)":', spec["target"]["template"]["data"]["passwords.json"])
    (one,) = pod_of(production, "redis-exporter")["spec"]["containers"]
    values = {item["name"]: item["value"] for item in one["env"]}
    scheme, _, host = values["REDIS_ADDR"].partition("://")
    assert entry == f"{scheme}://{values['REDIS_USER']}@{host}"


# components/cnpg


def test_the_database_is_three_and_loses_nothing(solid_cloud: list[Object]) -> None:
    spec = named(solid_cloud, "Cluster", "postgres")["spec"]
    assert spec["instances"] == 3
    synchronous = spec["postgresql"]["synchronous"]
    assert synchronous == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
        "failoverQuorum": True,
    }
    assert spec["affinity"]["podAntiAffinityType"] == "required"
    assert spec["enableSuperuserAccess"] is False
    assert spec["resources"]["requests"] == spec["resources"]["limits"]
    # bar 17: the archive is at most five minutes behind
    assert spec["postgresql"]["parameters"]["archive_timeout"] == "2min"


def test_neither_a_prune_nor_the_end_of_the_application_takes_the_data(
    solid_cloud: list[Object],
) -> None:
    for kind, name in (("Cluster", "postgres"), ("Namespace", NAMESPACE)):
        options = named(solid_cloud, kind, name)["metadata"]["annotations"]
        assert options["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false", kind


def test_a_former_primary_can_come_back(solid_cloud: list[Object]) -> None:
    """pg_rewind connects to database postgres as streaming_replica, which has PUBLIC's right only.

    Who else may is said in pg_hba, after the operator's own rules.
    """
    spec = named(solid_cloud, "Cluster", "postgres")["spec"]
    assert not [key for key in spec["bootstrap"]["initdb"] if key.startswith("postInit")]
    assert spec["postgresql"]["pg_hba"] == [
        "hostnossl all all all reject",
        "hostssl postgres titanium_monitor all scram-sha-256",
        "hostssl all titanium_monitor all reject",
        "hostssl postgres all all reject",
    ]


# What CloudNativePG 1.30 labels its pods with (pkg/specs: pods.go, jobs.go, pgbouncer).
OPERATORS = {
    "instance": {"cnpg.io/cluster": "postgres", "cnpg.io/podRole": "instance"},
    "initdb": {"cnpg.io/cluster": "postgres", "cnpg.io/jobRole": "initdb"},
    "join": {"cnpg.io/cluster": "postgres", "cnpg.io/jobRole": "join"},
    "pooler": {
        "cnpg.io/cluster": "postgres",
        "cnpg.io/podRole": "pooler",
        "cnpg.io/poolerName": "postgres-pooler",
    },
}


def test_the_operators_pods_are_each_under_one_policy(solid_cloud: list[Object]) -> None:
    """Its Jobs, too: under the default deny alone no instance would ever be made."""
    found = {
        name: [
            policy["metadata"]["name"]
            for policy in of_kind(solid_cloud, "NetworkPolicy")
            if policy["spec"]["podSelector"] and selects(policy["spec"]["podSelector"], labels)
        ]
        for name, labels in OPERATORS.items()
    }
    instances = ["postgres-instances"]
    assert found == {
        "instance": instances,
        "initdb": instances,
        "join": instances,
        "pooler": ["postgres-pooler"],
    }
    spec = named(solid_cloud, "NetworkPolicy", "postgres-instances")["spec"]
    for name in ("instance", "join"):
        assert any(
            selects(peer["podSelector"], OPERATORS[name])
            for rule in spec["ingress"]
            for peer in rule["from"]
            if "podSelector" in peer
        ), name


def test_no_sidecar_is_injected_into_the_operators_pods(solid_cloud: list[Object]) -> None:
    """Annotations of the cluster do not reach its Jobs: istiod leaves those out by label."""
    inherited = named(solid_cloud, "Cluster", "postgres")["spec"]["inheritedMetadata"]
    assert inherited["annotations"]["sidecar.istio.io/inject"] == "false"
    path = MANIFESTS / "platform" / "istiod" / "values.yaml"
    webhook = yaml.safe_load(path.read_text("utf-8"))["sidecarInjectorWebhook"]
    for name in ("initdb", "join"):
        assert any(selects(one, OPERATORS[name]) for one in webhook["neverInjectSelector"])


def test_the_archive_and_the_backups_go_to_one_place(solid_cloud: list[Object]) -> None:
    (plugin,) = named(solid_cloud, "Cluster", "postgres")["spec"]["plugins"]
    assert plugin["isWALArchiver"] is True
    store = named(solid_cloud, "ObjectStore", plugin["parameters"]["barmanObjectName"])
    backup = named(solid_cloud, "ScheduledBackup", "postgres-daily")["spec"]
    assert backup["method"] == "plugin"
    assert backup["pluginConfiguration"]["name"] == plugin["name"]
    assert len(backup["schedule"].split()) == 6
    credentials = store["spec"]["configuration"]["s3Credentials"]
    for one in credentials.values():
        made = named(solid_cloud, "ExternalSecret", one["name"])["spec"]["data"]
        assert one["key"] in {item["secretKey"] for item in made}
    assert store["spec"]["configuration"]["destinationPath"].startswith("s3://")


def test_every_role_and_database_of_the_catalog(solid_cloud: list[Object]) -> None:
    spec = named(solid_cloud, "Cluster", "postgres")["spec"]
    roles = {role["name"]: role for role in spec["managed"]["roles"]}
    wanted = {name for database in DATABASES for name in (database, f"{database}_owner")}
    assert set(roles) == wanted | {"titanium_monitor"}
    for name, role in roles.items():
        made = named(solid_cloud, "ExternalSecret", role["passwordSecret"]["name"])["spec"]
        target = made["target"]["template"]
        assert target["type"] == "kubernetes.io/basic-auth"
        assert target["data"]["username"] == name
        assert not {"superuser", "createdb", "createrole", "bypassrls", "replication"} & set(role)
    databases = of_kind(solid_cloud, "Database")
    assert sorted(one["spec"]["name"] for one in databases) == sorted(DATABASES)
    for one in databases:
        assert one["spec"]["owner"] == f"{one['spec']['name']}_owner"
        assert one["spec"]["databaseReclaimPolicy"] == "retain"
        assert one["spec"]["cluster"]["name"] == "postgres"


def statements(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith(("--", "\\"))]
    parts = re.split(r";|\\gexec", "\n".join(lines))
    return [" ".join(one.split()) for one in parts if one.strip()]


def test_privileges_are_those_of_the_base() -> None:
    """Everything that provision.sql does besides making roles and the database."""
    base = statements((MANIFESTS / "base" / "postgres" / "provision.sql").read_text("utf-8"))
    kept = [
        one
        for one in base
        if one.startswith(("REVOKE", "GRANT", "ALTER DEFAULT PRIVILEGES", "SET"))
    ]
    ours = statements((MANIFESTS / "components" / "cnpg" / "privileges.sql").read_text("utf-8"))
    # The operator's exporter (in pg_monitor) asks in the database that initdb made; without this
    # it would have no figures. Members of pg_monitor see no table, and over the network pg_hba lets
    # ours into none of these databases.
    exporter = 'GRANT CONNECT ON DATABASE :"database" TO pg_monitor'
    assert [one for one in ours if one != exporter] == kept
    assert len(ours) == 11


def test_privileges_come_before_the_migration_as_the_owner(solid_cloud: list[Object]) -> None:
    for service in catalog():
        pod = pod_of(solid_cloud, service.name)
        first, second = pod["spec"]["initContainers"]
        assert (first["name"], second["name"]) == ("privileges", "migrate")
        # The database, and with it the roles, are named by this label.
        label = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        assert label.replace("-", "_") == service.needs.postgres
        (one,) = pod["spec"]["containers"]
        assert "migration-secrets" not in {mount["name"] for mount in one["volumeMounts"]}


def test_nobody_mounts_the_key_of_the_authority(production: list[Object]) -> None:
    found = 0
    for name, pod in pod_specs(production):
        for volume in pod["spec"].get("volumes", []):
            assert volume.get("secret", {}).get("secretName") != "postgres-ca", name
            for source in volume.get("projected", {}).get("sources", []):
                if source.get("secret", {}).get("name") == "postgres-ca":
                    assert [item["key"] for item in source["secret"]["items"]] == ["ca.crt"]
                    found += 1
    assert found == len(catalog().names) + 1


def test_postgresql_is_of_the_bases_version(solid_cloud: list[Object]) -> None:
    """A dump of one restores into the other; the client of the privileges is no older."""
    base = (MANIFESTS / "base" / "kustomization.yaml").read_text("utf-8")
    (tag,) = (one["newTag"] for one in yaml.safe_load(base)["images"] if one["name"] == "postgres")
    version = tag.partition("-")[0]
    image = named(solid_cloud, "Cluster", "postgres")["spec"]["imageName"]
    assert image.rpartition(":")[2].startswith(f"{version}-standard-")
    for service in catalog():
        client = pod_of(solid_cloud, service.name)["spec"]["initContainers"][0]["image"]
        assert client.endswith(f"/postgres:{tag}")


def test_the_name_postgres_leads_to_the_primary(solid_cloud: list[Object]) -> None:
    service = named(solid_cloud, "Service", "postgres")["spec"]
    pooler = named(solid_cloud, "Pooler", "postgres-pooler")["spec"]
    assert service["selector"] == {"cnpg.io/poolerName": "postgres-pooler"}
    assert pooler["type"] == "rw"
    assert pooler["cluster"]["name"] == "postgres"
    names = named(solid_cloud, "Cluster", "postgres")["spec"]["certificates"]["serverAltDNSNames"]
    assert {"postgres", f"postgres.{NAMESPACE}.svc"} <= set(names)
    assert not of_kind(solid_cloud, "StatefulSet")


def test_the_pooler_suits_the_driver(solid_cloud: list[Object]) -> None:
    """asyncpg prepares its statements; and all pools together fit into the server."""
    spec = named(solid_cloud, "Pooler", "postgres-pooler")["spec"]
    values = spec["pgbouncer"]["parameters"]
    assert spec["pgbouncer"]["poolMode"] == "transaction"
    assert int(values["max_prepared_statements"]) > 0
    # What titanium_kit sends with every connection, and PgBouncer would refuse.
    assert "statement_timeout" in values["ignore_startup_parameters"].split(",")
    server = named(solid_cloud, "Cluster", "postgres")["spec"]["postgresql"]["parameters"]
    most = int(values["default_pool_size"]) * spec["instances"] * len(DATABASES)
    assert most + 20 <= int(server["max_connections"])
    assert server["client_connection_check_interval"] == "1s"
    clients = sum(
        one["spec"]["maxReplicas"] + 1
        for one in of_kind(solid_cloud, "HorizontalPodAutoscaler")
        if one["metadata"]["name"] != "gateway"
    )
    assert clients * 8 <= int(values["max_client_conn"])


def test_migrations_go_past_the_pooler(solid_cloud: list[Object]) -> None:
    for service in catalog():
        (config,) = (
            one
            for one in of_kind(solid_cloud, "ConfigMap")
            if one["metadata"]["name"].startswith(f"{service.name}-migration-config")
        )
        assert "@postgres-rw:5432/" in config["data"]["DATABASE_OWNER_URL"]
