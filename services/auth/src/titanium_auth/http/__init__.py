"""Routes, schemas and what HTTP adds: cookies, origins, client addresses."""
