"""Moves content into a running platform: through the services' own admin modules, never by SQL."""
