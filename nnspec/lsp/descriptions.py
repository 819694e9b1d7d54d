"""The meaning of a key or word of a spec: its description in the schema."""

from __future__ import annotations

import json

from nnspec.catalogue import keras_objects
from nnspec.document.types import JsonSchema as Schema
from nnspec.ir.names import STRUCTURE
from nnspec.layers.kit.documentation import markdown
from nnspec.layers.registry import REGISTRY
from nnspec.lsp.cursor import Path
from nnspec.schema import assembly as schemas

_DEFINITIONS = "#/definitions/"


def describe_value(path: Path, value: object) -> str:
    """Markdown about what stands at a path; empty where the schema knows nothing of it.

    Args:
        value: the word that stands there, if it is one: names of layers and of Keras objects have a text of their own.
    """
    if isinstance(value, str) and value in REGISTRY and _is_item(path):
        return markdown(REGISTRY[value])
    part: Schema | None = schemas.root_schema(is_strict=True)
    for depth, step in enumerate(path):
        if isinstance(step, str) and step in REGISTRY and _is_item(path[:depth]):
            part = schemas.definition(f"layer_{step}", is_strict=True)
            if depth == len(path) - 1:
                return markdown(REGISTRY[step])
        elif isinstance(step, str) and step in STRUCTURE and _is_item(path[:depth]):
            part = schemas.definition(step, is_strict=True)
        else:
            part = _child(part or {}, step)
    if part is None:
        return ""
    said = str(part.get("description") or _resolve(part).get("description", ""))
    facts = [*_facts(part), *_describe_object(part, value)]
    return "\n\n".join(text for text in (said, *facts) if text)


def allowed_words(path: Path) -> list[object]:
    """The words that may stand at a path."""
    part: Schema | None = schemas.root_schema(is_strict=True)
    for depth, step in enumerate(path):
        if isinstance(step, str) and step in REGISTRY and _is_item(path[:depth]):
            part = schemas.definition(f"layer_{step}", is_strict=True)
        else:
            part = _child(part or {}, step)
    whole = _resolve(part or {})
    return list(whole.get("enum") or whole.get("then", {}).get("enum") or [])


def _is_item(path: Path) -> bool:
    """Whether a layer stands at the path: an item of a model, a shared layer, or a wrapped one."""
    if not path:
        return False
    if isinstance(path[-1], int):
        return len(path) > 1 and path[-2] == "model"
    return path[-1] in ("layer", "backward_layer") or (len(path) == 2 and path[0] == "layers")


def _resolve(part: Schema) -> Schema:
    """The part with what it refers to."""
    reference = part.get("$ref")
    for inner in part.get("allOf", ()):
        reference = reference or inner.get("$ref")
    if reference is None:
        return part
    name = reference.removeprefix(_DEFINITIONS)
    if name in ("item", "layer"):
        return part
    return {**schemas.definition(name, is_strict=True), **{k: v for k, v in part.items() if k not in ("$ref", "allOf")}}


def _child(part: Schema, step: str | int) -> Schema | None:
    whole = _resolve(part)
    if isinstance(step, int):
        items = whole.get("items")
        return items if isinstance(items, dict) else None
    for place in (whole, whole.get("else", {}), _resolve(whole.get("then", {}))):
        if step in place.get("properties", {}):
            found: Schema = place["properties"][step]
            return found
    rest = whole.get("additionalProperties")
    return rest if isinstance(rest, dict) else None


def _facts(part: Schema) -> list[str]:
    """What may be given, and what is taken where nothing is."""
    whole = _resolve(part)
    facts = []
    if "enum" in whole:
        facts.append("one of " + ", ".join(f"`{json.dumps(word).strip(chr(34))}`" for word in whole["enum"]))
    if part.get("default") is not None:
        facts.append(f"default `{json.dumps(part['default'], ensure_ascii=False).strip(chr(34))}`")
    return ["; ".join(facts)]


def _describe_object(part: Schema, value: object) -> list[str]:
    """What the Keras object is that the word names."""
    references = [part.get("$ref"), *(inner.get("$ref") for inner in part.get("allOf", ()))]
    names = [str(r).removeprefix(_DEFINITIONS).removeprefix("nullable_") for r in references if r]
    for name in names:
        if name in schemas.FAMILIES and isinstance(value, str):
            try:
                return [f"**{value}**: {keras_objects.describe(schemas.FAMILIES[name], value)}"]
            except LookupError:
                return []
    return []
