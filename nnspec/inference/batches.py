"""The batch sizes that a spec fixes."""

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
