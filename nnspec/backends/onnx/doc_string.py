"""The doc string of a file, which viewers such as Netron show."""

from __future__ import annotations

from nnspec.document.types import JsonObject

_SIDES = {
    "any": "may be anywhere along `{axis}`",
    "end": "belongs at the end of `{axis}`: on another side it changes the answer",
    "as in training": "belongs where it was in training along `{axis}`: on another side it changes the answer",
}


def doc_string(metadata: JsonObject) -> str:
    """The spec's description, units, and where padding may stand, a line each."""
    lines = [str(metadata["description"])] if metadata.get("description") else []
    for name, said in (metadata.get("inputs") or {}).items():
        padding = said.get("padding")
        if padding is not None:
            where = _SIDES[padding["side"]].format(axis=padding["axis"])
            lines.append(f"Padding of `{name}` ({padding['value']!r}) {where}.")
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
