"""Pages of keys: `nnspec explain folder_of` says where a key may be, and what it means there.

`nnspec explain data.split` says what it means in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from nnspec.data.sources.registry import all_kinds
from nnspec.explain.key_notes import NOTES
from nnspec.explain.language import Schema, default_text, kind_text
from nnspec.schema.sections import sections

NAME = "NAME"  # of an input, an output, a column


def key_page(name: str) -> str | None:
    """What a key of a section means, wherever it may be; None where there is none of this name.

    Args:
        name: `split`, or its path: `data.split`, `data.inputs.photo.images`.
    """
    key = name.rpartition(".")[2]
    places = [(path, schema) for path, schema in _keys().get(key, ()) if name == key or _is_at(path, name)]
    found: dict[str, list[str]] = {}
    for path, schema in places:
        said = ", ".join(filter(None, (kind_text(schema), default_text(schema))))
        text = f"({said}): {schema.get('description', '')}".rstrip(": ")
        found.setdefault(f"{text}{_inside(schema)}", []).append(path)
    if not found:
        return None
    lines = [f"# {name} (key)", ""]
    for text, paths in found.items():
        lines.append(f"- {', '.join(f'`{path}`' for path in paths)} {text}")
    return "\n".join([*lines, *(["", NOTES[key].rstrip()] if key in NOTES else [])]) + "\n"


def _inside(schema: Schema) -> str:
    """The keys that a mapping may have, by name."""
    keys = [f"`{key}`" for key in schema.get("properties", {})]
    return f" Keys: {', '.join(keys)}." if keys else ""


def _is_at(path: str, asked: str) -> bool:
    """Whether a path is the one that is asked for, which may have a name of its own where the path has any."""
    parts, given = path.replace("[]", "").split("."), asked.split(".")
    return len(parts) == len(given) and all(part in (each, NAME) for part, each in zip(parts, given, strict=True))


def key_names() -> list[str]:
    """The keys that have a page here."""
    return sorted(_keys())


def key_paths(names: Iterable[str]) -> list[str]:
    """Where keys of these names may be."""
    return [path for name in names for path, _ in _keys().get(name, ())]


@cache
def _keys() -> dict[str, list[tuple[str, Schema]]]:
    """Every key below the sections: where it may be, and its schema."""
    found: dict[str, list[tuple[str, Schema]]] = {}
    for section, schema in sections({"type": "array"}, {"type": "object"}, all_kinds()).items():
        for path, key, body in _walk(schema, section):
            found.setdefault(key, []).append((path, body))
    return found


def _walk(schema: Schema, path: str) -> Iterator[tuple[str, str, Schema]]:
    for key, body in schema.get("properties", {}).items():
        yield f"{path}.{key}", key, body
        yield from _walk(body, f"{path}.{key}")
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict):
        yield from _walk(inner, f"{path}.{NAME}")
    if isinstance(schema.get("items"), dict):
        yield from _walk(schema["items"], f"{path}[]")
