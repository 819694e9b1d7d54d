"""What a spec says of its inputs beside axes and type: batch sizes that it fixes, and units."""

from __future__ import annotations

from nnspec.document import Mapping, Node, Scalar


def declared_batches(inputs: Node | None) -> dict[str, int]:
    """The batch sizes that inputs fix with `batch:`."""
    found = {}
    for name, body in inputs.entries.items() if isinstance(inputs, Mapping) else ():
        size = body.get("batch") if isinstance(body, Mapping) else None
        if isinstance(size, Scalar) and size.value is not None:
            found[name] = int(size.value)
    return found


def declared_units(inputs: Node | None) -> dict[str, str]:
    """What all numbers of an input are measured in, where it says so with `unit:`."""
    found = {}
    for name, body in inputs.entries.items() if isinstance(inputs, Mapping) else ():
        unit = body.get("unit") if isinstance(body, Mapping) else None
        if isinstance(unit, Scalar):
            found[name] = str(unit.value)
    return found
