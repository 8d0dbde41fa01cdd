"""Imported before anything else by the serving process, to keep it small.

structlog imports rich for coloured tracebacks, which a service never prints: 5 MB a process.
"""

import sys

sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # makes `import rich` fail
