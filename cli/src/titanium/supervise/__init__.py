"""Runs the platform's processes: starts, watches, restarts and stops them."""
