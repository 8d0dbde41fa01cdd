"""Office hours: when the tagged resources are on, and switching them by hand, in a safe order."""
