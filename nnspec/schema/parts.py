"""What the schemas of all sections are made of."""

from __future__ import annotations

from collections.abc import Collection

from nnspec.document.types import JsonSchema as Schema
from nnspec.document.types import Plain
from nnspec.ir.names import NAME_PATTERN


def closed(description: str, properties: dict[str, Schema], **more: Plain) -> Schema:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        **more,
    }


def named(description: str, values: Schema, **more: Plain) -> Schema:
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": values,
        **more,
    }


def choice(key: str, backends: Collection[str], description: str) -> dict[str, Schema]:
    """The key that names a backend, by default the first; there is none where nothing can be chosen."""
    if len(backends) < 2:
        return {}
    names = list(backends)
    return {key: {"type": "string", "enum": names, "description": description, "default": names[0]}}
