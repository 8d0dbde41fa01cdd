"""Responses kept as bytes: a small cache in the process, in front of Redis.

The process's layer answers a repeated anonymous GET before any framework code runs. Both layers
are invalidated by tags that writers name after their commit. Redis carries the invalidations to
the other replicas; without it an entry of the process's layer lives one second.
"""

from titanium_kit.cache.entry import Entry
from titanium_kit.cache.middleware import CacheMiddleware
from titanium_kit.cache.responses import ResponseCache

__all__ = ["CacheMiddleware", "Entry", "ResponseCache"]
