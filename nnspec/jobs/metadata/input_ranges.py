"""Says in a deployed model which values its inputs had in training."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.document.types import JsonObject


def with_ranges(inputs: Mapping[str, JsonObject], found: Mapping[str, Mapping[str, list[float]]]) -> JsonObject:
    """What metadata say of inputs, with `ranges` by column; of an input without columns `range`.

    Args:
        found: by input of the network, whose columns may be an input of the file each.
    """
    told: JsonObject = {}
    for name, body in inputs.items():
        ranges = found.get(str(body.get("input", name)), {})
        columns = body.get("columns")
        more: JsonObject = {}
        if columns:
            kept = {column: ranges[column] for column in columns if column in ranges}
            more = {"ranges": kept} if kept else {}
        elif len(ranges) == 1:
            more = {"range": next(iter(ranges.values()))}
        told[name] = {**body, **more}
    return told
