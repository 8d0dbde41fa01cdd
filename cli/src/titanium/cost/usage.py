"""How much people expect to use: a file in the form of Infracost's `infracost-usage.yml` 0.1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from titanium.cost.documents import read_text
from titanium.errors import ConfigurationError

Values = Mapping[str, Any]  # decimals and texts; mappings of them (S3's storage classes)
VERSIONS = ("0.1", "v0.1")
_FORM = "See docs/how-to/estimate-cost.md for the form of a usage file."
_DEFAULTS, _RESOURCES = "resource_type_default_usage", "resource_usage"
_INDEX = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_MOST = 10**18
# Not resources of Terraform, but of the usage file alone.
TRANSFER = "aws_data_transfer"


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage by type and by address; an address may hold `[*]` for any index."""

    name: str = ""
    defaults: Mapping[str, Values] = field(default_factory=dict)
    resources: Mapping[str, Values] = field(default_factory=dict)

    def of(self, address: str, kind: str) -> dict[str, Any]:
        """What is known of a resource: the type's default, then `[*]`, then its own address."""
        found = dict(self.defaults.get(kind, {}))
        for like, values in self.resources.items():
            if "[*]" in like and matches(like, address):
                found.update(values)
        found.update(self.resources.get(address, {}))
        return found

    def transfers(self) -> dict[str, Values]:
        """Data transfer, which no resource of Terraform stands for: address -> usage."""
        return {
            address: values
            for address, values in self.resources.items()
            if address.startswith(f"{TRANSFER}.")
        }

    def unmatched(self, addresses: frozenset[str]) -> list[str]:
        """Entries that no resource of the plan has."""
        return [
            like
            for like in self.resources
            if not like.startswith(f"{TRANSFER}.")
            and like not in addresses
            and not ("[*]" in like and any(matches(like, one) for one in addresses))
        ]


def matches(like: str, address: str) -> bool:
    """Whether an address is one of `module.a[*].aws_instance.b[*]`."""
    return re.fullmatch(re.escape(like).replace(re.escape("[*]"), _INDEX), address) is not None


def load_usage(path: Path) -> Usage:
    """The usage file; ConfigurationError names file, entry and what is wrong with it."""
    text = read_text(path, _FORM)
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 - a safe loader that refuses doubled keys
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "cannot be understood"
        raise _wrong(path, f"not valid YAML{where}: {problem}") from None
    except (ValueError, RecursionError):  # a date that is none, digits or brackets without end
        raise _wrong(path, "it holds a value that cannot be read") from None
    if not isinstance(data, dict):
        raise _wrong(path, "it does not begin with `version: 0.1`")
    version = str(data.pop("version", "missing"))
    if version not in VERSIONS:
        raise _wrong(path, f"version is {version}, and 0.1 is understood")
    unknown = [str(key) for key in data if key not in (_DEFAULTS, _RESOURCES)]
    if unknown:
        raise _wrong(path, f"unknown key {unknown[0]}; known: version, {_DEFAULTS}, {_RESOURCES}")
    return Usage(
        path.name,
        _section(path, _DEFAULTS, data.get(_DEFAULTS)),
        _section(path, _RESOURCES, data.get(_RESOURCES)),
    )


class _Loader(yaml.SafeLoader):
    """Of two equal keys YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for at, key in enumerate(keys):
            if key in keys[:at]:
                mark = node.value[at][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", mark)
        return super().construct_mapping(node, deep)


def _section(path: Path, section: str, data: Any) -> dict[str, Values]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise _wrong(path, f"{section} is no list of names with their usage")
    return {
        str(name): _entry(path, f"{section}.{name}", values)
        for name, values in data.items()
        if values is not None
    }


def _entry(path: Path, where: str, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise _wrong(path, f"{where} has no keys, as `monthly_hrs: 450`")
    return {
        str(key): _value(path, f"{where}.{key}", value)
        for key, value in values.items()
        if value is not None
    }


def _value(path: Path, where: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _entry(path, where, value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(path, f"{where} is {value!r}; a number was expected")
    if not 0 <= value <= _MOST:  # nor infinite, nor not a number
        raise _wrong(path, f"{where} is {value}; usage is from 0 to {_MOST}")
    return Decimal(str(value))


def _wrong(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: {what}", _FORM)
