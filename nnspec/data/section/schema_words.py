"""What the schemas of the `data` section are made of (JSON Schema, draft-07)."""

from __future__ import annotations

from nnspec.document.types import JsonSchema, Plain

Schema = JsonSchema


def closed(description: str, properties: dict[str, Schema], required: tuple[str, ...] = (), **more: Plain) -> Schema:
    schema: Schema = {"type": "object", "description": description, "properties": properties}
    if required:
        schema["required"] = list(required)
    return {**schema, "additionalProperties": False, **more}


def text(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "description": description}


def unit(description: str) -> Schema:
    """What numbers are measured in: a short text on one line."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": 40,
        "pattern": r"^[^\s\x00-\x1f](.*\S)?$",
        "description": description,
    }


def count(description: str, minimum: int = 1, **more: Plain) -> Schema:
    return {"type": "integer", "minimum": minimum, "description": description, **more}


def names(description: str, minimum: int = 1) -> Schema:
    item = {"type": "string", "minLength": 1, "description": "A name."}
    return {"type": "array", "items": item, "minItems": minimum, "uniqueItems": True, "description": description}


def word_or_object(description: str, words: list[str], body: Schema) -> Schema:
    """A word of a list, or an object: the object keywords of `body` leave words alone, `then` leaves objects alone."""
    rest = {key: value for key, value in body.items() if key not in ("type", "description")}
    word = {"if": {"type": "string"}, "then": {"enum": words}}
    return {"type": ["string", "object"], "description": description, **word, **rest}
