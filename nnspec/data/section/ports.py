"""The names under which the deployed model takes single columns. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from nnspec.data.section.plan import DataPlan


def port_names(plan: DataPlan, outputs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By input, the name of each of its columns as an input of the deployed model.

    It is the column's own, or `INPUT_COLUMN` where something else is called so: another input, an output, or the same
    column of another input.

    Args:
        outputs: those of the model; each may have a second one with its labels.
    """
    encoded = {name: slot for name, slot in plan.inputs.items() if slot.encodings}
    taken = {name for name in plan.inputs if name not in encoded}
    taken |= {name for output in (*outputs, *plan.copies) for name in (output, f"{output}_label")} | {"is_anomaly"}
    times = Counter(column for slot in encoded.values() for column in slot.columns)
    result: dict[str, tuple[str, ...]] = {}
    for name, slot in encoded.items():
        found = []
        for column in slot.columns:
            port = column if times[column] == 1 and column not in taken else f"{name}_{column}"
            while port in taken:
                port += "_"
            taken.add(port)
            found.append(port)
        result[name] = tuple(found)
    return result
