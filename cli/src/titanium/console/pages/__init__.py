"""One module a page; each has `register(backend)`, which defines its routes."""
