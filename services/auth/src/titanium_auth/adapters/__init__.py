"""PostgreSQL, the key store and the user service."""
