"""Every SQL statement on the account table that a request or the administration runs."""

# ruff: noqa: S608, S105 - the only parts put in are the column lists below, and no password is here

from __future__ import annotations

# Who has not chosen a display name is shown under the username.
_ACCOUNT = (
    "id, username, email, COALESCE(NULLIF(display_name, ''), username) AS display_name,"
    " bio, created_at"
)
_CREDENTIALS = (
    "id AS user_id, username, email, password_hash, session_epoch,"
    " disabled_at IS NOT NULL AS disabled"
)
CREATE = f"""
WITH claimed AS (
    INSERT INTO used_name (digest) VALUES ($4) ON CONFLICT DO NOTHING RETURNING digest
)
INSERT INTO account (username, email, password_hash) SELECT $1, $2, $3 FROM claimed
RETURNING {_ACCOUNT}
"""
UPDATE = f"""
UPDATE account
SET email = COALESCE($2, email),
    display_name = COALESCE($3, display_name),
    bio = COALESCE($4, bio)
WHERE id = $1 AND disabled_at IS NULL
RETURNING {_ACCOUNT}
"""
BEGIN_CHECK = f"""
UPDATE account
SET check_count = CASE WHEN check_since > now() - $2 * interval '1 second'
                       THEN check_count + 1 ELSE 1 END,
    check_since = CASE WHEN check_since > now() - $2 * interval '1 second'
                       THEN check_since ELSE now() END
WHERE id = $1 AND disabled_at IS NULL
  AND (check_count < $3 OR check_since <= now() - $2 * interval '1 second')
RETURNING {_CREDENTIALS}
"""
CHECK_AGAIN_IN = """
SELECT ceil(extract(epoch FROM check_since - now()) + $2)::integer
FROM account WHERE id = $1 AND disabled_at IS NULL
"""
CHANGE_PASSWORD = """
UPDATE account SET password_hash = $3, session_epoch = session_epoch + 1
WHERE id = $1 AND session_epoch = $2 AND disabled_at IS NULL
RETURNING session_epoch
"""
DELETE = """
DELETE FROM account WHERE id = $1 AND session_epoch = $2 AND disabled_at IS NULL
RETURNING session_epoch + 1
"""
DISABLE = """
UPDATE account SET disabled_at = now(), session_epoch = session_epoch + 1
WHERE lower(username) = lower($1) AND disabled_at IS NULL
RETURNING id, session_epoch
"""
ENABLE = """
UPDATE account SET disabled_at = NULL
WHERE lower(username) = lower($1) AND disabled_at IS NOT NULL
RETURNING id
"""
BY_ID = f"SELECT {_ACCOUNT} FROM account WHERE id = $1 AND disabled_at IS NULL"
BY_USERNAME = f"SELECT {_ACCOUNT} FROM account WHERE lower(username) = lower($1)"
CREDENTIALS = f"SELECT {_CREDENTIALS} FROM account WHERE lower(username) = lower($1)"
EXISTS = "SELECT 1 FROM account WHERE lower(username) = lower($1)"
REPLACE_HASH = "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2"
END_CHECK = "UPDATE account SET check_count = 0 WHERE id = $1"
