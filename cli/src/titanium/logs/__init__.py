"""Reading the logs of a run: parse any line, search backwards through gigabytes, follow."""

from titanium.logs.folder import LogFolder
from titanium.logs.follow import Tail
from titanium.logs.model import LEVELS, Line, Query, SearchResult, levels_from

__all__ = ["LEVELS", "Line", "LogFolder", "Query", "SearchResult", "Tail", "levels_from"]
