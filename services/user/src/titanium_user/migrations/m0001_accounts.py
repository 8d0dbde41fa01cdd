"""Accounts, used names and the outbox."""

from alembic import op

revision = "user_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE account (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            username text NOT NULL
                CHECK (char_length(username) BETWEEN 2 AND 30
                       AND username !~ '^[.]|[/?#[:space:]]'),
            email text NOT NULL
                CHECK (char_length(email) BETWEEN 3 AND 254 AND position('@' IN email) > 1),
            password_hash text NOT NULL CHECK (char_length(password_hash) BETWEEN 20 AND 1024),
            display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 60),
            bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 2000),
            session_epoch integer NOT NULL DEFAULT 1 CHECK (session_epoch > 0),
            disabled_at timestamptz,
            check_count smallint NOT NULL DEFAULT 0,
            check_since timestamptz NOT NULL DEFAULT '-infinity',
            created_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX account_username_key ON account (lower(username))")
    op.execute("CREATE UNIQUE INDEX account_email_key ON account (lower(email))")
    # One row per name ever used, written with the account and never removed: two people who
    # want one name meet at this key, also while its first owner is being deleted.
    op.execute(
        """
        CREATE TABLE used_name (
            digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('end_sessions', 'remove_posts')),
            user_id bigint NOT NULL,
            epoch integer NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute("CREATE INDEX outbox_due_at_idx ON outbox (due_at)")


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE outbox, used_name, account")
