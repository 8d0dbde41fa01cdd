"""Reads the TOML files that people write into strict, frozen models.

Every error is a `ConfigurationError` that names the file and the key and says what to do.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from titanium.errors import ConfigurationError


class Declared(BaseModel):
    """Base of everything read from TOML: no unknown keys, no conversions, no changes later."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Declared)


def read(path: Path, model: type[Model]) -> Model:
    """Return the file at `path` as `model`.

    Raises ConfigurationError when it is missing, unreadable, not TOML or does not fit.
    """
    data = _parse(path)
    try:
        # Through JSON, because only there does strict mode take an array for a tuple.
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise _refusal(path, error) from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: the file does not exist", "create it, or run inside a complete checkout"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}", "check the file and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path}: byte {error.start} is not UTF-8", "save the file as UTF-8 text"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}", "correct that line") from None


def _refusal(path: Path, error: ValidationError) -> ConfigurationError:
    # An unknown key first: a misspelt one is missing as well, and that says less.
    problems = sorted(
        error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden"
    )
    first = problems[0]
    key = _key(first["loc"]) or "(top level)"
    message, hint = _explain(str(first["type"]), str(first["msg"]), key)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigurationError(f"{path}: {key}: {message}{more}", hint)


def _key(location: tuple[int | str, ...]) -> str:
    """`("routes", 0, "methods")` as people write it: `routes[0].methods`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _explain(kind: str, message: str, key: str) -> tuple[str, str]:
    if kind == "extra_forbidden":
        return "unknown key", f"remove {key} or correct its spelling"
    if kind == "missing":
        return "missing", f"add {key}"
    text = message.removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    return text, f"correct {key}"
