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

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

DAYS = 90  # a certificate's life; it is renewed when a third is left
AUTHORITY_DAYS = 3650


class Failure(Exception):
    """What is wrong, in a line for people."""


def main():
    try:
        with open(sys.argv[1]) as file:
            node = json.load(file)
    except (IndexError, OSError, ValueError) as error:
        raise Failure(f"cannot read the node's configuration: {error!r}") from None
    os.umask(0o077)
    if due(node):
        shared = shared_identity(node)
        publish(node, shared)
        with tempfile.TemporaryDirectory() as work:
            issue(node, shared, work)
        write_secrets(node, shared)
        print("certificates and passwords written")
    else:
        print("certificates are good for another month")


def due(node):
    """Whether a certificate or the passwords are missing, or a certificate ends within DAYS / 3."""
    folder = node["folder"]
    if not os.path.exists(node["secrets"]):
        return True
    for name in node["owners"]:
        certificate = os.path.join(folder, f"{name}.crt")
        check = ["openssl", "x509", "-noout", "-checkend", str(DAYS * 86400 // 3)]
        if (
            subprocess.run(
                [*check, "-in", certificate], capture_output=True, check=False
            ).returncode
            != 0
        ):
            return True
    return False


def shared_identity(node):
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
        raise Failure(f"{node['cluster_secret']} stays empty: may this instance's role write it?")
    return found


def new_identity(node):
    with tempfile.TemporaryDirectory() as work:
        key, certificate = os.path.join(work, "ca.key"), os.path.join(work, "ca.crt")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl(
            "req", "-x509", "-new", "-sha256", "-key", key, "-days", str(AUTHORITY_DAYS),
            "-subj", f"/CN={node['cluster']} database authority",
            "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", certificate,
        )  # fmt: skip
        with open(key) as key_file, open(certificate) as certificate_file:
            identity = {"ca_key": key_file.read(), "ca_certificate": certificate_file.read()}
    names = ("superuser", "replication", "rewind", "restapi", "monitor")
    identity.update({f"{name}_password": secrets.token_hex(24) for name in names})
    return identity


def publish(node, shared):
    """What clients may know, in a secret of its own; every node would write the same."""
    if read(node, node["client_secret"]) is None:
        value = {
            "password": shared["superuser_password"],
            "monitor_password": shared["monitor_password"],
            "ca_certificate": shared["ca_certificate"],
        }
        put(node, node["client_secret"], value)


def issue(node, shared, work):
    """Two certificates: etcd's, which etcd may read, and one for PostgreSQL and Patroni."""
    folder = node["folder"]
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    authority = {"ca.key": shared["ca_key"], "ca.crt": shared["ca_certificate"]}
    for name, text in authority.items():
        with open(os.path.join(work, name), "w") as file:
            file.write(text)
    install(os.path.join(work, "ca.crt"), os.path.join(folder, "ca.crt"), None, 0o644)
    names = ",".join(f"DNS:{name}" for name in node["names"])
    extensions = os.path.join(work, "extensions")
    with open(extensions, "w") as file:
        # etcd's gateway is a client of etcd itself: it shows the server's certificate.
        file.write(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={names},IP:{node['address']}\n"
        )
    for name, owner in node["owners"].items():
        key, request, certificate = (
            os.path.join(work, f"{name}.{e}") for e in ("key", "csr", "crt")
        )
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        # No common name for etcd's gateway to take for a user's.
        openssl(
            "req", "-new", "-key", key, "-subj", f"/O={node['cluster']} {name}", "-out", request
        )
        openssl(
            "x509", "-req", "-sha256", "-in", request, "-days", str(DAYS), "-extfile", extensions,
            "-CA", os.path.join(work, "ca.crt"), "-CAkey", os.path.join(work, "ca.key"),
            "-set_serial", str(secrets.randbits(120)), "-out", certificate,
        )  # fmt: skip
        # The key first: who reads between the two sees a pair that does not fit, and tries again.
        install(key, os.path.join(folder, f"{name}.key"), owner, 0o600)
        install(certificate, os.path.join(folder, f"{name}.crt"), None, 0o644)


def write_secrets(node, shared):
    """Patroni's passwords, as the environment that its unit reads."""
    lines = {
        "PATRONI_SUPERUSER_PASSWORD": shared["superuser_password"],
        "PATRONI_REPLICATION_PASSWORD": shared["replication_password"],
        "PATRONI_REWIND_PASSWORD": shared["rewind_password"],
        "PATRONI_RESTAPI_USERNAME": "patroni",
        "PATRONI_RESTAPI_PASSWORD": shared["restapi_password"],
    }
    os.makedirs(os.path.dirname(node["secrets"]), exist_ok=True)
    temporary = f"{node['secrets']}.new"
    with open(temporary, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in lines.items())
    install(temporary, node["secrets"], node["owners"]["node"], 0o600)
    os.unlink(temporary)


def install(source, target, owner, mode):
    """Copy `source` to `target` in one step; `owner` only matters when root does it."""
    temporary = f"{target}.{os.getpid()}"
    shutil.copyfile(source, temporary)
    os.chmod(temporary, mode)
    if owner and os.geteuid() == 0:
        shutil.chown(temporary, owner, owner)
    os.replace(temporary, target)


def read(node, secret):
    """The secret's value; None when it has none yet."""
    what = ("--query", "SecretString", "--output", "text")
    done = aws(node, "get-secret-value", "--secret-id", secret, *what)
    if done.returncode == 0:
        return json.loads(done.stdout)
    if "ResourceNotFoundException" in done.stderr:
        return None
    raise Failure(f"cannot read {secret}: {last_line(done.stderr)}")


def put(node, secret, value):
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
        raise Failure(f"cannot write {secret}: {last_line(done.stderr)}")


def aws(node, *arguments):
    command = ["aws", "--region", node["region"], "secretsmanager", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except OSError as error:
        raise Failure(f"cannot run the AWS command line: {error}") from None
    except subprocess.TimeoutExpired:
        raise Failure("Secrets Manager did not answer within two minutes") from None


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"openssl {arguments[0]}: {last_line(done.stderr)}")


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"titanium-database-identity: {failure}")
