"""Bars of the gateway and the mesh, tested against real proxies."""
