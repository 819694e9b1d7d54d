"""How many ids an input has in its data, without loading a file: what `input_dim: auto` of an Embedding stands for."""

from __future__ import annotations

from nnspec.data.checks.columns import words_of
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.named import find_array, find_column
from nnspec.data.section.column_plan import ColumnPlan
from nnspec.data.section.feature_count import category_words, has_gap_place
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.base import SourceError, SourceFacts
from nnspec.diagnostics import Diagnostic, SpecError

REMEDY = "write the number: the largest id plus 1"


def id_count(name: str, plan: DataPlan | None) -> tuple[int | None, str, str]:
    """The largest id of an input's columns or array plus 1; where it is not known, None, why not, and what to do.

    Raises:
        SpecError: where the data cannot be read, NN501 to NN510.
    """
    slot = plan.inputs.get(name) if plan is not None else None
    if plan is None or slot is None:
        return None, f"`data.inputs` has no entry for `{name}`", REMEDY
    files = PlanFacts(plan)
    facts = files.facts(slot.source)
    if facts is None:
        raise SpecError(files.diagnostics)
    if not slot.columns:
        return _of_array(files, slot, facts)
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


def _of_array(files: PlanFacts, slot: SlotPlan, facts: SourceFacts) -> tuple[int | None, str, str]:
    """The same for an array, padding counted; its integers are read, and kept in memory a piece at a time."""
    span, where = slot.span_of(slot.data_key), slot.where(slot.data_key)
    found = find_array(files, slot.source, slot.array or "", span, where)
    if isinstance(found, Diagnostic):
        raise SpecError([found])
    called = f"array `{slot.array}`" if slot.array else f"`{slot.source.shown}`"
    if not (slot.source.source.is_per_file or found.kind in "iu"):
        return None, f"{called} has dtype {found.descr}, and ids are integers", REMEDY
    try:
        ends = facts.extremes(slot.array or "")
    except SourceError as error:
        raise SpecError.single("NN502", f"{called} cannot be used: {error}", span, path=where) from None
    if ends is None:
        return None, f"the ids in {called} are not counted without loading it", REMEDY
    least, largest = ends
    if least < 0:
        return None, f"{called} contains {least}, and ids are integers from 0", REMEDY
    return max(largest, int(slot.pad_value or 0)) + 1, "", ""


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
