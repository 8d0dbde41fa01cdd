"""Renders nodes with the database module's own templates: Terraform does it, nothing is copied."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import ROOT
from titanium.terraform import terraform_in

NODE_MODULE = ROOT / "terraform/modules/database/modules/node"

_ROOT_MODULE = """
variable "nodes" {{ type = any }}
variable "common" {{ type = any }}

module "node" {{
  source   = "{source}"
  for_each = var.nodes

  name              = each.key
  root              = each.value.root
  nodes             = {{ for name, node in var.nodes : name => node.address }}
  cluster           = var.common.cluster
  region            = "ap-northeast-2"
  cluster_secret_id = "titanium-postgres-nodes"
  client_secret_id  = "titanium-postgres"
  endpoint_names    = ["postgres.titanium.internal"]
  client_cidrs      = var.common.client_cidrs
  node_cidrs        = var.common.node_cidrs
  memory_mib        = var.common.memory_mib
  services          = var.common.services
  repository        = var.common.repository
  restore           = var.common.restore
  volumes           = var.common.volumes
  ports             = var.common.ports
  account           = var.common.account
  postgres_bin      = var.common.postgres_bin
  pgbackrest        = var.common.pgbackrest
}}

output "nodes" {{
  value = {{ for name, node in module.node : name => {{
    user_data = node.user_data
    files     = node.files
    paths     = node.paths
    health    = node.health_check
  }} }}
}}
"""


@dataclass(frozen=True)
class Rendered:
    """One node: its cloud-config, the files in it, its paths, the load balancer's health check."""

    user_data: str
    files: list[dict[str, str]]
    paths: dict[str, str]
    health: dict[str, Any]

    def file(self, ending: str) -> str:
        """The text of the one file whose path ends so."""
        (content,) = [file["content"] for file in self.files if file["path"].endswith(ending)]
        return content


def render(
    work: Path, nodes: dict[str, dict[str, str]], common: dict[str, Any]
) -> dict[str, Rendered]:
    """`nodes`: name => {address, root}; `common`: the other variables of the node module."""
    folder = work / "terraform"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_text(_ROOT_MODULE.format(source=NODE_MODULE))
    production: dict[str, Any] = {
        "restore": None,
        "services": {"blog": "titanium-blog", "user": "titanium-user"},
        "node_cidrs": None,
        "volumes": {},
        "ports": {
            "postgres": 5432,
            "writer_proxy": 5000,
            "reader_proxy": 5001,
            "patroni": 8008,
            "etcd_client": 2379,
            "etcd_peer": 2380,
        },
        "account": "postgres",
        "postgres_bin": None,
        "pgbackrest": "/usr/bin/pgbackrest",
    }
    values = {"nodes": nodes, "common": production | common}
    (folder / "terraform.tfvars.json").write_text(json.dumps(values))
    terraform = terraform_in(folder, folder / ".data")
    terraform.run("init", "-backend=false")
    terraform.run("apply", "-auto-approve", "-refresh=false")
    output = json.loads(terraform.run("output", "-json", "nodes"))
    return {name: Rendered(**node) for name, node in output.items()}


def production_nodes() -> dict[str, dict[str, str]]:
    """Three nodes as on servers: no prefix before the paths."""
    return {f"titanium-{i}": {"address": f"10.0.{20 + i}.10", "root": ""} for i in (1, 2, 3)}


PRODUCTION = {
    "cluster": "titanium",
    "client_cidrs": ["10.0.0.0/16"],
    "memory_mib": 4096,
    "repository": {
        "type": "s3",
        "path": "/titanium",
        "s3-bucket": "titanium-postgres-backup",
        "s3-endpoint": "s3.ap-northeast-2.amazonaws.com",
        "s3-region": "ap-northeast-2",
        "s3-key-type": "auto",
    },
    "volumes": {"vol-0a": "/var/lib/postgresql", "vol-0b": "/var/lib/etcd"},
}
