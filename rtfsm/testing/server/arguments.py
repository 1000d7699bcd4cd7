"""Made-up arguments for a tool, from the JSON schema of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plausible_arguments(parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments for all required parameters, or None where one cannot be made up."""
    value = _fill(parameters)
    return value if isinstance(value, dict) else None


class _Unknown:
    """No value of this schema can be made up. None will not do: null is a value."""


_UNKNOWN = _Unknown()
_BY_TYPE: Mapping[str, Any] = {"string": "Lisbon", "number": 1, "integer": 1, "boolean": True, "null": None}


def _fill(schema: object) -> Any:
    if not isinstance(schema, dict):
        return _UNKNOWN
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[0]
    if "const" in schema:
        return schema["const"]
    if isinstance(branches := schema.get("anyOf"), list):
        return next((value for value in map(_fill, branches) if value is not _UNKNOWN), _UNKNOWN)
    kinds = schema.get("type", "object")
    if isinstance(kinds, list):
        return next((value for kind in kinds if (value := _fill_kind(kind, schema)) is not _UNKNOWN), _UNKNOWN)
    return _fill_kind(kinds, schema)


def _fill_kind(kind: object, schema: Mapping[str, Any]) -> Any:
    if kind == "array":
        return []
    if kind != "object":
        return _BY_TYPE.get(kind, _UNKNOWN) if isinstance(kind, str) else _UNKNOWN
    properties = schema.get("properties") or {}
    filled = {name: _fill(properties.get(name)) for name in schema.get("required") or []}
    return _UNKNOWN if _UNKNOWN in filled.values() else filled
