"""Sessions, revocations, failed logins and signing keys."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
-- One row for each refresh-token family; `family` is the SHA-256 of what its tokens share.
-- `generation` is current since `rotated_at`. Its token may leave the service from `window_until`
-- on, and left it at `answered_at`. A session that ends loses its row.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    family bytea NOT NULL UNIQUE CHECK (length(family) = 32),
    user_id bigint NOT NULL,
    username text NOT NULL,
    epoch bigint NOT NULL,
    generation bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz NOT NULL DEFAULT now(),
    window_until timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz DEFAULT now()
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- The newest epoch heard of for each account: older logins are refused.
CREATE TABLE account_epochs (
    user_id bigint PRIMARY KEY,
    epoch bigint NOT NULL
);

-- Sessions whose access tokens may still look valid. `seq` follows the order of commits.
CREATE TABLE revocations (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id uuid NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX revocations_until ON revocations (until);

-- Times of failed logins under a keyed hash of the submitted name or of the client's network.
CREATE TABLE login_failures (
    key bytea PRIMARY KEY CHECK (length(key) = 32),
    moments timestamptz[] NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_failures_expires_at ON login_failures (expires_at);

-- Where an account (keyed hash of its name) has logged in from.
CREATE TABLE known_addresses (
    account bytea NOT NULL CHECK (length(account) = 32),
    address bytea NOT NULL CHECK (length(address) = 32),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, address)
);
CREATE INDEX known_addresses_seen_at ON known_addresses (seen_at);

-- Ed25519, the private key under AES-256-GCM. Published from the insert until `retires_at`; the
-- newest whose `signs_from` has come signs.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    sealed_key bytea NOT NULL,
    signs_from timestamptz NOT NULL,
    retires_at timestamptz
);
CREATE UNIQUE INDEX signing_keys_one_stays ON signing_keys ((true)) WHERE retires_at IS NULL;
"""


def upgrade() -> None:
    """Create everything."""
    # One statement at a time: asyncpg prepares what it executes.
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
