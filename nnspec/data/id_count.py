"""How many ids an input has in its data, without loading a file: what `input_dim: auto` of an Embedding stands for."""

from __future__ import annotations

from nnspec.data.checks.columns import words_of
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.named import find_column
from nnspec.data.section.column_plan import ColumnPlan
from nnspec.data.section.feature_count import category_words, has_gap_place
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.diagnostics import Diagnostic, SpecError

REMEDY = "write the number: the largest id plus 1"


def id_count(name: str, plan: DataPlan | None) -> tuple[int | None, str, str]:
    """The largest id of an input's columns plus 1; where it is not known, None, why not, and what to do.

    Raises:
        SpecError: where the data cannot be read, NN501 to NN510.
    """
    slot = plan.inputs.get(name) if plan is not None else None
    if plan is None or slot is None:
        return None, f"`data.inputs` has no entry for `{name}`", REMEDY
    if not slot.columns:
        return None, f"the ids of input `{name}` are not columns, and only columns are counted without loading", REMEDY
    files = PlanFacts(plan)
    if files.facts(slot.source) is None:
        raise SpecError(files.diagnostics)
    encodings = {column.name: column for column in slot.encodings}
    counts = []
    for index, column in enumerate(slot.columns):
        encoding = encodings.get(column)
        is_index = encoding is not None and encoding.is_text
        count = _places(plan, files, slot, encoding) if is_index and encoding else _largest(files, slot, index)
        if count is None:
            return None, f"column `{column}` does not contain integers from 0 that could be ids", REMEDY
        counts.append(count)
    return max(counts), "", ""


def _places(plan: DataPlan, files: PlanFacts, slot: SlotPlan, column: ColumnPlan) -> int | None:
    """The numbers of `index`: 0 for unknown words, those of the column, and one for gaps where they have their own."""
    rule = plan.missing_rule(column.name)
    words = category_words(column, words_of(files, slot, column), rule)
    return None if words is None else len(words) + 1 + has_gap_place(column, rule)


def _largest(files: PlanFacts, slot: SlotPlan, index: int) -> int | None:
    name, key = slot.columns[index], slot.item_key("columns", index)
    found = find_column(files, slot.source, name, slot.span_of(key), slot.where("columns"))
    if isinstance(found, Diagnostic):
        raise SpecError([found])
    if found.is_text or found.infinite or found.fraction is not None or found.highest is None or found.lowest is None:
        return None
    return int(found.highest[0]) + 1 if found.lowest[0] >= 0 else None
