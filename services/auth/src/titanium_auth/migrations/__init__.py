"""Alembic revisions of the auth database, oldest first by file name."""
