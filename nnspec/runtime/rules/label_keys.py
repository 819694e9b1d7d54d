"""One canonical form of a label, for all sources and for a deployed model."""

from __future__ import annotations

from collections.abc import Iterable


def label_key(value: object) -> str:
    """A label as text, the same from YAML, a table or an array: `3`, `3.0` and `"3"` are one."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if text in ("True", "False", "TRUE", "FALSE"):
        return text.lower()
    if text[-2:] == ".0" and text[:-2].lstrip("-").isdigit():
        return text[:-2]
    return text


def label_keys(values: Iterable[object]) -> list[str]:
    """The key of each label; of a column each distinct one is read once."""
    values = list(values)
    if set(map(type, values)) not in ({str}, {int}):  # `True`, 1 and 1.0 are equal, but no one label
        return [label_key(value) for value in values]
    keys = {value: label_key(value) for value in set(values)}
    return [keys[value] for value in values]
