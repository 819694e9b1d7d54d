"""Padding by a constant, or by mirrored values."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.operation import Operation, Rule


def _pad(op: Operation) -> Read | None:
    read, mode = op.read, op.config.get("mode", "constant")
    value = op.keywords.get("constant_values")
    if mode not in ("constant", "reflect", "symmetric") or not isinstance(value, int | float | None):
        return None
    given = op.config["pad_width"]
    rank = len(op.axes(read))
    if isinstance(given, int):
        given = [[given, given]] * (rank + 1)
    elif len(given) == 1 or isinstance(given[0], int):
        given = [[given[0], given[-1]] if isinstance(given[0], int) else list(given[0])] * (rank + 1)
    batch, *sides = [[int(side[0]), int(side[-1])] for side in given]
    if any(batch):
        raise op.over_batch()
    if not any(map(any, sides)):
        return read
    axes = {op.name(read, place): side for place, side in enumerate(sides) if any(side)}
    more: dict[str, object] = {} if mode == "constant" else {"mode": mode}
    if value and mode == "constant":
        more["value"] = float(value)
    return op.add("pad", {"axes": axes, **more}, [read])


RULES: Mapping[str, Rule] = {"Pad": _pad}
