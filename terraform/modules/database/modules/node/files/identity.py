#!/usr/bin/python3
"""Gives this node its certificates and passwords, at every start and once a day.

Usage: titanium-database-identity CONFIGURATION.json. Needs openssl and the AWS command line, and
the instance's role. Exit status: 0 done, 1 with one line that says why not.

The cluster's own authority and its inner passwords are in one secret that only the nodes may read.
The first node that finds it empty fills it: all nodes put with the same version id, and Secrets
Manager takes one value for it, so that a race has one winner and the others read what it wrote.
Nothing of it is ever in user data or in Terraform's state. From it every node signs certificates
for itself.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

Node = dict[str, Any]  # the configuration: identity.json, rendered by modules/node/main.tf
Secret = dict[str, str]  # one value of Secrets Manager

DAYS = 90  # a certificate's life; it is renewed when a third is left
AUTHORITY_DAYS = 3650


class FailedError(Exception):
    """What is wrong, in a line for people."""


def main() -> None:
    try:
        node: Node = json.loads(Path(sys.argv[1]).read_text())
    except (IndexError, OSError, ValueError) as error:
        raise FailedError(f"cannot read the node's configuration: {error!r}") from None
    os.umask(0o077)
    if due(node):
        shared = shared_identity(node)
        publish(node, shared)
        with tempfile.TemporaryDirectory() as work:
            issue(node, shared, Path(work))
        write_secrets(node, shared)
        say("certificates and passwords written")
    else:
        say("certificates are good for another month")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def due(node: Node) -> bool:
    """Whether a certificate or the passwords are missing, or a certificate ends within DAYS / 3."""
    if not Path(node["secrets"]).exists():
        return True
    check = ["openssl", "x509", "-noout", "-checkend", str(DAYS * 86400 // 3), "-in"]
    for name in node["owners"]:
        command = [*check, f"{node['folder']}/{name}.crt"]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return True
    return False


def shared_identity(node: Node) -> Secret:
    """The cluster's authority and passwords: those that are there, or, for the first, new ones."""
    found = read(node, node["cluster_secret"])
    if found is None:
        put(node, node["cluster_secret"], new_identity(node))
        # What another node has just written may take a moment to be seen here.
        for _ in range(60):
            found = read(node, node["cluster_secret"])
            if found is not None:
                break
            time.sleep(0.5)
    if found is None:
        raise FailedError(
            f"{node['cluster_secret']} stays empty: may this instance's role write it?"
        )
    return found


def new_identity(node: Node) -> Secret:
    with tempfile.TemporaryDirectory() as work:
        key, certificate = Path(work, "ca.key"), Path(work, "ca.crt")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl(
            "req", "-x509", "-new", "-sha256", "-key", key, "-days", str(AUTHORITY_DAYS),
            "-subj", f"/CN={node['cluster']} database authority",
            "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", certificate,
        )  # fmt: skip
        identity = {"ca_key": key.read_text(), "ca_certificate": certificate.read_text()}
    names = ("superuser", "replication", "rewind", "restapi", "monitor")
    identity.update({f"{name}_password": secrets.token_hex(24) for name in names})
    return identity


def publish(node: Node, shared: Secret) -> None:
    """What clients may know, in a secret of its own; every node would write the same."""
    if read(node, node["client_secret"]) is None:
        value = {
            "password": shared["superuser_password"],
            "monitor_password": shared["monitor_password"],
            "ca_certificate": shared["ca_certificate"],
        }
        put(node, node["client_secret"], value)


def issue(node: Node, shared: Secret, work: Path) -> None:
    """Two certificates: etcd's, which etcd may read, and one for PostgreSQL and Patroni."""
    folder = Path(node["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    (work / "ca.key").write_text(shared["ca_key"])
    (work / "ca.crt").write_text(shared["ca_certificate"])
    install(work / "ca.crt", folder / "ca.crt", None, 0o644)
    names = ",".join(f"DNS:{name}" for name in node["names"])
    extensions = work / "extensions"
    # etcd's gateway is a client of etcd itself: it shows the server's certificate.
    extensions.write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={names},IP:{node['address']}\n"
    )
    for name, owner in node["owners"].items():
        key, request, certificate = (work / f"{name}.{end}" for end in ("key", "csr", "crt"))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        # No common name for etcd's gateway to take for a user's.
        openssl(
            "req", "-new", "-key", key, "-subj", f"/O={node['cluster']} {name}", "-out", request
        )
        openssl(
            "x509", "-req", "-sha256", "-in", request, "-days", str(DAYS), "-extfile", extensions,
            "-CA", work / "ca.crt", "-CAkey", work / "ca.key",
            "-set_serial", str(secrets.randbits(120)), "-out", certificate,
        )  # fmt: skip
        # The key first: who reads between the two sees a pair that does not fit, and tries again.
        install(key, folder / f"{name}.key", owner, 0o600)
        install(certificate, folder / f"{name}.crt", None, 0o644)


def write_secrets(node: Node, shared: Secret) -> None:
    """Patroni's passwords, as the environment that its unit reads."""
    lines = {
        "PATRONI_SUPERUSER_PASSWORD": shared["superuser_password"],
        "PATRONI_REPLICATION_PASSWORD": shared["replication_password"],
        "PATRONI_REWIND_PASSWORD": shared["rewind_password"],
        "PATRONI_RESTAPI_USERNAME": "patroni",
        "PATRONI_RESTAPI_PASSWORD": shared["restapi_password"],
    }
    target = Path(node["secrets"])
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.new")
    temporary.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    install(temporary, target, node["owners"]["node"], 0o600)
    temporary.unlink()


def install(source: Path, target: Path, owner: str | None, mode: int) -> None:
    """Copy `source` to `target` in one step; `owner` only matters when root does it."""
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, temporary)
    temporary.chmod(mode)
    if owner and os.geteuid() == 0:
        shutil.chown(temporary, owner, owner)
    temporary.replace(target)


def read(node: Node, secret: str) -> Secret | None:
    """The secret's value; None when it has none yet."""
    what = ("--query", "SecretString", "--output", "text")
    done = aws(node, "get-secret-value", "--secret-id", secret, *what)
    if done.returncode == 0:
        value: Secret = json.loads(done.stdout)
        return value
    if "ResourceNotFoundException" in done.stderr:
        return None
    raise FailedError(f"cannot read {secret}: {last_line(done.stderr)}")


def put(node: Node, secret: str, value: Secret) -> None:
    """Give the secret its first value; another node that was first is no failure."""
    version = str(uuid.uuid5(uuid.NAMESPACE_URL, secret))
    with tempfile.NamedTemporaryFile("w") as file:  # never an argument: others see those
        json.dump(value, file)
        file.flush()
        done = aws(
            node, "put-secret-value", "--secret-id", secret, "--client-request-token", version,
            "--secret-string", f"file://{file.name}",
        )  # fmt: skip
    if done.returncode != 0 and "ResourceExistsException" not in done.stderr:
        raise FailedError(f"cannot write {secret}: {last_line(done.stderr)}")


def aws(node: Node, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["aws", "--region", node["region"], "secretsmanager", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except OSError as error:
        raise FailedError(f"cannot run the AWS command line: {error}") from None
    except subprocess.TimeoutExpired:
        raise FailedError("Secrets Manager did not answer within two minutes") from None


def openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FailedError(f"openssl {arguments[0]}: {last_line(done.stderr)}")


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


if __name__ == "__main__":
    try:
        main()
    except FailedError as failure:
        sys.exit(f"titanium-database-identity: {failure}")
