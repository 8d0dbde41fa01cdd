"""PostgreSQL of a local run: settings, roles and databases, as text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from titanium.layout import Home

SUPERUSER = "titanium"
# The exporter's role: sees every figure of the server and no row of any table.
MONITOR = "titanium_monitor"
_MONITOR_CONNECTIONS = 3
_ITERATIONS = 4096


@dataclass(frozen=True, slots=True)
class Database:
    """One service's database; its owner is `<name>_owner`, its runtime role `<name>`."""

    name: str
    password: str
    owner_password: str

    @property
    def owner(self) -> str:
        return f"{self.name}_owner"


def quote_setting(value: str | Path) -> str:
    """A value for postgresql.conf."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def identifier(name: str) -> str:
    """A quoted SQL identifier (a database may be called `user`)."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def configuration(home: Home, hba_file: Path, version: int) -> str:
    """postgresql.conf for a laptop: one Unix socket, durable commits, modest memory.

    `version` is the server's major version.
    """
    # Its default are three more processes, for disks that are slower than ours.
    io_method = "io_method = 'sync'\n" if version >= 18 else ""
    return f"""\
# Rendered by titanium up; changes here are lost.
hba_file = {quote_setting(hba_file)}
listen_addresses = ''
unix_socket_directories = {quote_setting(home.postgres_sockets)}
unix_socket_permissions = 0700
max_connections = 100
password_encryption = 'scram-sha-256'

# Durable: an acknowledged write survives a crash.
fsync = on
synchronous_commit = on
full_page_writes = on

# Small: the platform shares a laptop with its owner.
shared_buffers = '48MB'
work_mem = '4MB'
maintenance_work_mem = '64MB'
effective_cache_size = '512MB'
max_wal_size = '512MB'
min_wal_size = '80MB'
checkpoint_timeout = '10min'
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0
autovacuum_max_workers = 2
random_page_cost = 1.1
{io_method}
# No statement text in the log: it could hold a secret.
log_destination = 'stderr'
logging_collector = off
log_min_error_statement = 'panic'
log_parameter_max_length_on_error = 0
# Nor the values that an error is about: a key may hold an address.
log_error_verbosity = 'terse'
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'UTC'
timezone = 'UTC'
idle_in_transaction_session_timeout = '60s'
"""


def client_authentication() -> str:
    """pg_hba.conf: over the socket, with a password, everybody."""
    return "# Rendered by titanium up.\nlocal all all scram-sha-256\n"


def password_file(password: str) -> str:
    """A pgpass file for the superuser."""
    return f"*:*:*:{SUPERUSER}:{password}\n"


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL stores for a password (RFC 5803): the password itself need not travel."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored = base64.b64encode(hashlib.sha256(client_key).digest()).decode()
    server = base64.b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode()
    return f"SCRAM-SHA-256${_ITERATIONS}:{base64.b64encode(salt).decode()}${stored}:{server}"


def provision_sql(databases: Iterable[Database], monitor_password: str) -> str:
    """psql script that brings roles, databases and privileges to what they should be.

    It may run any number of times, on an empty or on a used server.
    """
    parts = [
        "\\set ON_ERROR_STOP on",
        "SET client_min_messages = warning;",
        'REVOKE ALL ON DATABASE "postgres" FROM PUBLIC;',
        'REVOKE ALL ON DATABASE "template1" FROM PUBLIC;',
        _monitor_sql(monitor_password),
    ]
    parts += [_database_sql(database) for database in databases]
    return "\n".join(parts) + "\n"


def _role_sql(name: str, password: str) -> str:
    # Every value goes through `identifier` or `literal`.
    attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    return f"""\
SELECT {literal(f"CREATE ROLE {identifier(name)}")}
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(name)}) \\gexec
ALTER ROLE {identifier(name)} WITH {attributes} PASSWORD {literal(scram_verifier(password))};"""  # noqa: S608


def _monitor_sql(password: str) -> str:
    """It connects to the database `postgres` alone: the server's views tell of all others."""
    name = identifier(MONITOR)
    return f"""\
{_role_sql(MONITOR, password)}
ALTER ROLE {name} CONNECTION LIMIT {_MONITOR_CONNECTIONS};
GRANT pg_monitor TO {name};
GRANT CONNECT ON DATABASE "postgres" TO {name};"""


def _database_sql(database: Database) -> str:
    name, owner, runtime = (
        identifier(database.name),
        identifier(database.owner),
        identifier(database.name),
    )
    create = literal(f"CREATE DATABASE {name} OWNER {owner}")
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    return f"""
\\connect "postgres"
{_role_sql(database.owner, database.owner_password)}
{_role_sql(database.name, database.password)}
SELECT {create}
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal(database.name)}) \\gexec
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO {runtime};
\\connect {name}
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {runtime};
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {runtime};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {runtime};
{defaults} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {runtime};
{defaults} GRANT USAGE, SELECT ON SEQUENCES TO {runtime};"""  # noqa: S608
