"""Merges the services' OpenAPI documents into the one that the gateway publishes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from titanium.catalog import Catalog, Service
from titanium.errors import TitaniumError

METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = "#/components/schemas/ProblemModel"
EDGE_ANSWERS = {
    "400": "The request is malformed",
    "413": "The body is larger than the gateway takes",
    "429": "Too many requests from this client; see Retry-After",
    "503": "The service cannot answer now; see Retry-After",
    "504": "The service did not answer in time",
}

Document = dict[str, Any]


def service_document(service: Service) -> Document:
    """The OpenAPI document of one service, asked of its code in a process of its own."""
    environment = {
        **os.environ,
        "SERVICE": service.name,
        "ENVIRONMENT": "development",
        "LOG_LEVEL": "error",
    }
    environment.pop("SECRETS_DIR", None)
    result = subprocess.run(
        [sys.executable, "-m", "titanium_kit.openapi", service.app],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        last = result.stderr.strip().splitlines()[-1:] or ["no message"]
        raise TitaniumError(
            f"The OpenAPI document of {service.name} cannot be made: {last[0]}",
            f"Run `python -m titanium_kit.openapi {service.app}` to see why.",
        )
    document: Document = json.loads(result.stdout)
    return document


def collect(catalog: Catalog) -> dict[str, Document]:
    """Every service's document, by service name."""
    with ThreadPoolExecutor() as threads:
        documents = threads.map(service_document, catalog.services.values())
        return dict(zip(catalog.services, documents, strict=True))


def merge(documents: Mapping[str, Document]) -> Document:
    """One OpenAPI 3.1 document of everything public; pure.

    Raises `TitaniumError` when two services give different schemas the same name.
    """
    merged: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Titanium",
            "version": "1",
            "description": (
                "The public API. Errors are RFC 9457 problem details. "
                "`/blog/api/...` answers exactly as `/api/...` does."
            ),
        },
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {"/health": _health()},
        "components": {"schemas": {}, "securitySchemes": {}},
    }
    for name, document in sorted(documents.items()):
        merged["tags"].append({"name": name, "description": document["info"]["title"]})
        for path, operations in document["paths"].items():
            merged["paths"][path] = _public(name, operations)
        for kind in ("schemas", "securitySchemes"):
            _join(merged["components"][kind], document.get("components", {}).get(kind, {}), name)
    merged["paths"] = dict(sorted(merged["paths"].items()))
    merged["components"]["schemas"] = dict(sorted(merged["components"]["schemas"].items()))
    return merged


def _public(service: str, operations: Document) -> Document:
    """The operations of one path with the tag of their service and the gateway's own answers."""
    public: Document = {}
    for method, operation in operations.items():
        if method not in METHODS:
            continue
        answers = {**operation.get("responses", {})}
        for status, description in EDGE_ANSWERS.items():
            answers.setdefault(status, _problem(description))
        public[method] = {
            **operation,
            "tags": [service],
            "responses": dict(sorted(answers.items())),
        }
    return public


def _problem(description: str) -> Document:
    content = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
    return {"description": description, "content": content}


def _join(into: Document, schemas: Document, service: str) -> None:
    for name, schema in schemas.items():
        if into.setdefault(name, schema) != schema:
            raise TitaniumError(
                f"{service} declares the schema {name}; another service declares it differently.",
                "Rename the model in one of the two services.",
            )


def _health() -> Document:
    ok = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    return {
        "get": {
            "tags": ["gateway"],
            "summary": "Whether the edge can serve",
            "operationId": "health",
            "responses": {
                "200": {
                    "description": "Every service is ready",
                    "content": {"application/json": {"schema": ok}},
                },
                "429": _problem(EDGE_ANSWERS["429"]),
                "503": _problem("The detail names the failing part"),
            },
        }
    }
