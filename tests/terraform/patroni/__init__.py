"""Three real Patroni nodes from the database module's own templates, for tests and drills."""
