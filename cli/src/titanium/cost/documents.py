"""Reads what `terraform show -json` writes of a plan or of a state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from titanium.cost.model import Resource
from titanium.errors import ConfigurationError

_INCOMPLETE = "the plan is not complete (-target, or changes that are deferred): more will be made"
_MAKE_JSON = "Make it with: terraform plan -out=plan && terraform show -json plan > plan.json"


@dataclass(frozen=True, slots=True)
class Document:
    """A plan or a state. `before` is what existed when the plan was made, None for a state.

    `regions` are those that the configuration's AWS providers name, or the ARNs of what exists;
    `actions` counts what a plan would do to managed resources, by action (`create`, `update`,
    `replace`, `delete`, `no-op`); `notes` are what a reader of its cost must know.
    """

    name: str
    resources: tuple[Resource, ...]
    before: tuple[Resource, ...] | None
    regions: frozenset[str]
    actions: Mapping[str, int]
    notes: tuple[str, ...] = ()


def is_plan_file(data: bytes) -> bool:
    """Whether it is what `terraform plan -out` writes: an archive that only Terraform reads."""
    return data.startswith(b"PK")


def parse(text: str, name: str) -> Document:
    """The document in `text`; `name` says in errors where it is from.

    Raises ConfigurationError when it is no plan and no state of `terraform show -json`.
    """
    data = load_json(text, name)
    if "planned_values" in data or "resource_changes" in data:
        return _plan(data, name)
    if "values" in data or set(data) <= {"format_version", "terraform_version", "checks"}:
        return _state(data, name)
    if "serial" in data and "lineage" in data:
        raise ConfigurationError(
            f"{name} is a raw state file, which has another form in each version of Terraform",
            "Make it readable with: terraform show -json > state.json",
        )
    raise ConfigurationError(f"{name} is no plan and no state of Terraform", _MAKE_JSON)


def load_json(text: str, name: str) -> dict[str, Any]:
    """The JSON object in `text`, numbers with a point as decimals."""
    try:
        data = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        what = f"not JSON ({error.msg} at {where})" if text.strip() else "empty"
        raise ConfigurationError(f"{name} is {what}", _MAKE_JSON) from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise ConfigurationError(f"{name} has a number without end", _MAKE_JSON) from None
    except RecursionError:
        raise ConfigurationError(f"{name} is nested too deeply", _MAKE_JSON) from None
    if not isinstance(data, dict):
        raise ConfigurationError(f"{name} is no plan and no state of Terraform", _MAKE_JSON)
    version = data.get("format_version")
    if version is not None and str(version).split(".")[0] not in ("0", "1"):
        raise ConfigurationError(
            f"{name} has format_version {version}; 1.x is understood",
            "Use a newer titanium, or an older terraform.",
        )
    return data


def read_bytes(path: Path) -> bytes:
    """All of a file, read once: it may be a pipe. ConfigurationError when that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions."
        ) from None


def text_of(data: bytes, name: str, hint: str = _MAKE_JSON) -> str:
    """The text in `data`; ConfigurationError with `hint` when it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} is not text", hint) from None


def read_text(path: Path, hint: str = _MAKE_JSON) -> str:
    """The file's text; ConfigurationError when there is none."""
    return text_of(read_bytes(path), str(path), hint)


def _plan(data: Mapping[str, Any], name: str) -> Document:
    if data.get("errored"):
        raise ConfigurationError(
            f"{name} is a plan that failed: it lacks resources",
            "Correct what plan said, and plan again.",
        )
    changes = {
        str(one.get("address")): one
        for one in _list(data.get("resource_changes"), name)
        if "deposed" not in one  # an earlier object at the same address, on its way out
    }
    arguments = dict(_configured(_mapping(data.get("configuration")).get("root_module"), "", name))
    after = _values(data.get("planned_values"), name)
    resources = tuple(
        Resource(
            address=found.address,
            type=found.type,
            module=found.module,
            values=found.values,
            unknown=_mapping(changes.get(found.address, {}).get("change")).get(
                "after_unknown", False
            ),
            references=arguments.get(_without_indexes(found.address)),
        )
        for found in after
    )
    before = _values(_mapping(data.get("prior_state")).get("values"), name)
    regions = _regions(data) or _regions_of(before)
    notes = () if data.get("complete", True) else (_INCOMPLETE,)
    return Document(name, resources, tuple(before), regions, _actions(changes), notes)


def _state(data: Mapping[str, Any], name: str) -> Document:
    resources = tuple(_values(data.get("values"), name))
    return Document(name, resources, None, _regions_of(resources), {})


def _values(part: Any, name: str) -> list[Resource]:
    """Managed resources of `planned_values` or of a state's `values`, in the file's order."""
    root = _mapping(part).get("root_module")
    return [] if root is None else list(_module(root, name))


def _module(module: Any, name: str) -> Iterator[Resource]:
    if not isinstance(module, Mapping):
        raise ConfigurationError(f"{name}: a module is not an object", _MAKE_JSON)
    for one in _list(module.get("resources"), name):
        if one.get("mode", "managed") != "managed":
            continue  # data is read, not paid
        address, kind = one.get("address"), one.get("type")
        values = one.get("values")
        if not isinstance(address, str) or not isinstance(kind, str):
            raise ConfigurationError(f"{name}: a resource has no address or type", _MAKE_JSON)
        if values is not None and not isinstance(values, Mapping):
            raise ConfigurationError(f"{name}: {address}: its values are no object", _MAKE_JSON)
        yield Resource(address, kind, str(module.get("address", "")), values or {})
    for child in _list(module.get("child_modules"), name):
        yield from _module(child, name)


def _configured(
    module: Any, prefix: str, name: str
) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]]]]:
    """Address without indexes -> what each argument refers to, with the module's path in front."""
    for one in _list(_mapping(module).get("resources"), name):
        found = {
            argument: tuple(dict.fromkeys(prefix + other for other in _references(expression)))
            for argument, expression in _mapping(one.get("expressions")).items()
        }
        yield prefix + str(one.get("address")), found
    for call, content in _mapping(_mapping(module).get("module_calls")).items():
        yield from _configured(_mapping(content).get("module"), f"{prefix}module.{call}.", name)


def _references(expression: Any) -> Iterator[str]:
    if isinstance(expression, list):
        for one in expression:
            yield from _references(one)
    elif isinstance(expression, Mapping):
        for key, value in expression.items():
            if key == "references" and isinstance(value, list):
                yield from (str(one) for one in value)
            elif key != "constant_value":
                yield from _references(value)


def _regions(data: Mapping[str, Any]) -> frozenset[str]:
    """Regions of the AWS providers, as far as constants and variables tell."""
    variables = _mapping(data.get("variables"))
    found = set()
    providers = _mapping(_mapping(data.get("configuration")).get("provider_config"))
    for provider in providers.values():
        if _mapping(provider).get("name") != "aws":
            continue
        region = _mapping(_mapping(_mapping(provider).get("expressions")).get("region"))
        value = region.get("constant_value")
        references = region.get("references")
        for name in references if isinstance(references, list) else ():
            value = _mapping(variables.get(str(name).removeprefix("var."))).get("value", value)
        if isinstance(value, str):
            found.add(value)
    return frozenset(found)


def _regions_of(resources: Sequence[Resource]) -> frozenset[str]:
    """Regions in the ARNs of what exists; those of global services have none."""
    parts = (str(one.values.get("arn", "")).split(":") for one in resources)
    return frozenset(part[3] for part in parts if len(part) > 5 and part[3])


def _actions(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for change in changes.values():
        if change.get("mode", "managed") != "managed":
            continue
        actions = _mapping(change.get("change")).get("actions")
        if not isinstance(actions, list) or not actions:
            continue
        action = "replace" if len(actions) > 1 else str(actions[0])
        counted[action] = counted.get(action, 0) + 1
    return counted


def _without_indexes(address: str) -> str:
    """`module.a["x"].aws_instance.b[0]` -> `module.a.aws_instance.b`."""
    kept, depth, quoted, escaped = [], 0, False, False
    for letter in address:
        if depth:
            if quoted:
                quoted = escaped or letter != '"'
                escaped = letter == "\\" and not escaped
            elif letter == '"':
                quoted = True
            elif letter == "]":
                depth = 0
        elif letter == "[":
            depth = 1
        else:
            kept.append(letter)
    return "".join(kept)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any, name: str) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise ConfigurationError(f"{name}: a list of objects was expected", _MAKE_JSON)
    return value
