"""The label of each row, and whether it can be a sample. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.gaps import gaps_of
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import SourceError
from nnspec.data.sources.label_keys import label_key
from nnspec.runtime.rows.kept import Coded, keep_texts


def row_labels(files: PlanFacts, slot: SlotPlan) -> Sequence[str] | None:
    """An output's label in each row of the file; None where there are several, or it is not read without loading."""
    if len(slot.columns) > 1 or slot.ignore is not None:
        return None
    try:
        column = files.column(slot.source, (slot.columns or (slot.array or "",))[0], values=True)
    except SourceError:
        return None
    return None if column is None or column.values is None else keys_of(column.values)


def keys_of(values: Sequence[object]) -> Sequence[str]:
    """Values as label keys, one a row."""
    if isinstance(values, Coded):
        return values.spelt(label_key)
    return keep_texts(map(label_key, values))


def count_labels(labels: Sequence[str], without: Collection[int]) -> Counter[str]:
    """How many rows have each label.

    Args:
        without: rows that do not count.
    """
    found: Counter[str] = Counter()
    if isinstance(labels, Coded):
        for code, count in Counter(labels.codes).items():
            found[labels.words[code]] += count
    else:
        found.update(labels)
    found.subtract(labels[row] for row in without)
    return +found


def incomplete_rows(plan: DataPlan, files: PlanFacts) -> set[int]:
    """The rows that lack a value which nothing fills: none of them is a sample where rows are taken one by one."""
    return {
        row
        for slot in plan.slots()
        for index, found in gaps_of(files, slot).items()
        if slot.role == "outputs" or plan.missing_rule(slot.columns[index]).policy in ("error", "drop")
        for row in found
    }


def single_label(plan: DataPlan, outputs: Mapping[str, Slot], files: PlanFacts) -> SlotPlan | None:
    """The first output that is a single label, of which random splits have their share of every class."""
    for name, slot in plan.outputs.items():
        is_class = outputs[name].task in ("classification", "binary")
        if not is_class or not (slot.classes is None or slot.classes.kind in ("labels", "list")):
            continue
        if slot.columns:
            if len(slot.columns) == 1:
                return slot
            continue
        header = files.array(slot.source, slot.array or "")
        if header is not None and all(size == 1 for size in header.shape[1:]):
            return slot
    return None
