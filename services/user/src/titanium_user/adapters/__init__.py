"""How the domain's ports are served: PostgreSQL, argon2, the mesh."""
