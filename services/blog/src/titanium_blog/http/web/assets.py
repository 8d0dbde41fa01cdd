"""Files that browsers load: style, scripts, icon. Each has its content's digest in its name.

Scripts import each other by plain names (`import "./session.js"`); here the names get their
digests, the imported file first, so that a change reaches everything that depends on it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from titanium_kit.cache import Entry

PREFIX = "/blog/static"
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}
_NAME = re.compile(r"([a-z0-9-]+)\.([0-9a-f]{12})\.([a-z]+)")
_IMPORT = re.compile(
    r'^((?:import|export)\b[^"\';]*?\bfrom\s*"|import\s*")\./([a-z0-9-]+\.js)(?=")', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its public name, its answer, and the scripts that it needs, deepest first."""

    name: str
    entry: Entry
    imports: tuple[str, ...] = ()


def digest_files(sources: Mapping[str, str | bytes]) -> dict[str, Asset]:
    """The files by their plain names.

    Raises ValueError, which names the path, when scripts import each other in a circle or import
    what is not there.
    """
    made: dict[str, Asset] = {}
    for name in sources:
        _digest(name, sources, made, ())
    return made


def _digest(
    name: str, sources: Mapping[str, str | bytes], made: dict[str, Asset], above: tuple[str, ...]
) -> Asset:
    if name in made:
        return made[name]
    path = (*above, name)
    if name in above or name not in sources:
        wrong = "import each other" if name in above else "import what is not there"
        raise ValueError(f"scripts {wrong}: {' -> '.join(path)}")
    source = sources[name]
    body = source.encode() if isinstance(source, str) else source
    needed: dict[str, None] = {}

    def named(match: re.Match[str]) -> str:
        found = _digest(match[2], sources, made, path)
        needed.update(dict.fromkeys((*found.imports, match[2])))
        return f"{match[1]}./{found.name}"

    if name.endswith(".js"):
        body = _IMPORT.sub(named, body.decode()).encode()
    stem, _, extension = name.rpartition(".")
    made[name] = Asset(
        f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{extension}",
        Entry.of(body, TYPES[extension], headers={"cache-control": FOR_EVER}),
        tuple(needed),
    )
    return made[name]


def _walk(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    for found in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if found.is_dir():
            yield from _walk(found)
        elif found.name.rpartition(".")[2] in TYPES:
            yield found.name, found.read_bytes()


_ASSETS = digest_files(dict(_walk(files("titanium_blog.http") / "static")))
ENTRIES = {made.name: made.entry for made in _ASSETS.values()}
"""What is at `/blog/static/{name}`."""

DIGEST = hashlib.sha256("".join(sorted(ENTRIES)).encode()).hexdigest()
"""Changes with any file."""


def asset(name: str) -> str:
    """The address of `style.css`, ...: another content has another one."""
    return f"{PREFIX}/{_ASSETS[name].name}"


def modules(name: str) -> list[str]:
    """The addresses of a script and of all that it imports, deepest first."""
    return [asset(found) for found in (*_ASSETS[name].imports, name)]


def served(file_name: str) -> Entry | None:
    """What is at that name of `/blog/static/`.

    The digest of another release gives this one's file, not to be kept: while replicas are
    replaced, a page of one may ask the other for its style.
    """
    if (entry := ENTRIES.get(file_name)) is not None:
        return entry
    match = _NAME.fullmatch(file_name)
    found = _ASSETS.get(f"{match[1]}.{match[3]}") if match else None
    if found is None:
        return None
    media_type = TYPES[found.name.rpartition(".")[2]]
    return Entry.of(found.entry.body, media_type, headers={"cache-control": "no-store"})
