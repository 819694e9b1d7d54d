"""The doc string of a file."""

from __future__ import annotations

from nnspec.backends.onnx.doc_strings.ports import padding_rule
from nnspec.document.types import JsonObject


def doc_string(metadata: JsonObject) -> str:
    """The spec's description, units, and where padding may stand, a line each."""
    lines = [str(metadata["description"])] if metadata.get("description") else []
    for name, said in (metadata.get("inputs") or {}).items():
        if said.get("padding") is not None:
            lines.append(padding_rule(name, said["padding"]))
    lines += [
        f"`{name}` is in {units}."
        for role in ("inputs", "outputs")
        for name, said in (metadata.get(role) or {}).items()
        if (units := _units(said))
    ]
    return "\n".join(lines)


def _units(said: JsonObject) -> str:
    """What a value is measured in, in words; empty where nobody said."""
    by_column = ", ".join(f"{unit} (`{column}`)" for column, unit in (said.get("units") or {}).items())
    return str(said.get("unit") or by_column)
