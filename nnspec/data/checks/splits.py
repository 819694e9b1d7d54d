"""Checks that every split has enough rows for its windows, and that labels and class axes agree in number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from nnspec.data.checks.drawn import check_drawn, check_files
from nnspec.data.checks.facts import PlanFacts, labels_of
from nnspec.data.checks.gaps import check_gaps
from nnspec.data.checks.row_labels import incomplete_rows
from nnspec.data.checks.row_layout import RowLayout, find_row_layout
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.membership import read_starts
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.section.recursive import with_furthest
from nnspec.data.section.split_plan import Part
from nnspec.data.sources.base import ColumnFacts, SourceError
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Diagnostic, Fix, did_you_mean
from nnspec.runtime.rows.kept import keep_texts
from nnspec.runtime.rules.times import SortKey


def check_splits(plan: DataPlan, files: PlanFacts, rows: int | None) -> Iterator[Diagnostic]:
    """NN504, NN505, NN514 and NN523, for a plan whose columns are known to exist."""
    if plan.split.by == "label":
        yield from _check_labels(plan, files)
    if rows is None or plan.split.fold is not None:  # folds are checked with the plan that they are of
        return
    if plan.split.by == "random" and plan.group_column is None:
        yield from _check_shares(plan, files, rows)
    if plan.split.by == "files":
        faults = list(check_files(plan, files, rows))
        yield from faults
        if faults:
            return
    layout = find_row_layout(plan, files, rows)
    if layout is None:
        return
    faults = list(_check_starts(plan, layout))
    for part in plan.split.parts:
        stretches = layout.parts.get(part.name)
        if stretches or (stretches is not None and plan.split.by != "label"):
            times = layout.keys if plan.split.has_starts else None
            faults += check_size(plan, part, [len(stretch) for stretch in stretches], rows, times)
    faults += check_drawn(plan, files, layout)
    if plan.split.folds is not None and not faults:
        from nnspec.data.checks.folds import check_folds

        faults += check_folds(plan, files, layout)
    yield from faults
    if plan.every is not None:
        from nnspec.data.checks.spacing import check_spacing

        yield from check_spacing(plan, files, layout)
    elif plan.window is not None and layout.keys is not None:
        from nnspec.data.checks.series import check_series

        yield from check_series(plan, files, layout)
    if any(slot.is_static for slot in plan.inputs.values()):
        from nnspec.data.checks.static import check_static_columns

        yield from check_static_columns(plan, files, layout)
    if any(rule.policy != "error" for rule in plan.missing_rules.values()) and not faults:
        yield from check_gaps(plan, files, layout)


def check_further(plan: DataPlan, files: PlanFacts, rows: int | None) -> Iterator[Diagnostic]:
    """NN505 for the longer windows of forecasts that feed on themselves."""
    if plan.window is not None and plan.window.recursive:
        found = check_splits(with_furthest(plan, plan.window), files, rows)
        yield from (fault for fault in found if fault.code == "NN505")


def _check_shares(plan: DataPlan, files: PlanFacts, rows: int) -> Iterator[Diagnostic]:
    """Rows that are drawn one by one are drawn from those that are complete."""
    bad = incomplete_rows(plan, files)
    ranges = cut(rows - len(bad), plan.split.parts)
    for part in plan.split.parts:
        yield from check_size(plan, part, [len(ranges[part.name])], rows)


def _check_starts(plan: DataPlan, layout: RowLayout) -> Iterator[Diagnostic]:
    if plan.split.has_starts and layout.keys:
        yield from read_starts(plan, layout.keys[0])[1]


def check_size(
    plan: DataPlan, part: Part, segments: list[int], rows: int, times: Sequence[SortKey] | None = None
) -> Iterator[Diagnostic]:
    """Whether a split's stretches of consecutive rows hold a sample.

    Args:
        times: those of the rows, where splits begin at one.
    """
    total, where = sum(segments), f"data.split.{part.name}"
    window = plan.window
    if window is not None and not any(window.count(segment) for segment in segments):
        ahead = f"horizon {max(window.horizon)}"
        message = (
            f"split `{part.name}` has {max(segments, default=0)} consecutive rows of {rows}, but a window of lookback "
            f"{window.lookback} and {ahead} needs {window.reach}"
        )
        notes = (f"`gap` leaves out {plan.gap} rows between splits",) if plan.gap else ()
        yield Diagnostic("NN505", message, part.span, path=where, notes=notes, fixes=(Fix("shorten the window"),))
    elif not total:
        message = f"split `{part.name}` is empty: it gets none of the {rows} rows"
        notes = (f"`gap` leaves out {plan.gap} rows between splits",) if plan.gap else ()
        shown = (f"the times of the rows: from `{min(times)}` to `{max(times)}`",) if times else ()
        fix = Fix("let it begin earlier, or leave it out") if times else Fix("make it larger, or leave it out")
        yield Diagnostic("NN514", message, part.span, path=where, notes=(*notes, *shown), fixes=(fix,))


def _check_labels(plan: DataPlan, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN514 for a label that no row has."""
    column = _values(plan, files, plan.split.label_column)
    labels = labels_of(column) if column else None
    if column is None or labels is None:
        return
    names = list(dict.fromkeys(labels))
    for part in plan.split.parts:
        if part.label is None or part.label in names:
            continue
        hint = did_you_mean(part.label, names)
        message = f"no row has label `{part.label}` in column `{plan.split.label_column}`{hint}"
        notes = (f"it has: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}",)
        yield Diagnostic("NN514", message, part.span, path=f"data.split.{part.name}", notes=notes)


def _values(plan: DataPlan, files: PlanFacts, name: str | None) -> ColumnFacts | None:
    if plan.source is None or name is None:
        return None
    try:
        return files.column(plan.source, name, values=True)
    except SourceError:
        return None


def check_classes(plan: DataPlan, files: PlanFacts, slot: SlotPlan, model: Slot) -> Iterator[Diagnostic]:
    """NN508 where labels are taken from the data and their number is not that of the class axis."""
    if model.task not in ("classification", "binary") or (slot.classes is not None and slot.classes.kind != "labels"):
        return
    size = 2 if model.task == "binary" else model.class_size
    labels = slot_labels(files, slot)
    if size is None or labels is None:
        return
    found = sorted(set(labels))
    known = len(model.classes) if model.classes is not None else len(found)
    if (model.classes is None and len(found) == size) or len(found) <= known == size:
        return
    shown = ", ".join(found[:12]) + (", …" if len(found) > 12 else "")
    head = "a binary output has 2" if model.task == "binary" else f"its axis `{model.class_axis}` has size {size}"
    formed = "1 class" if len(found) == 1 else f"{len(found)} classes"
    message = f"the labels of output `{slot.name}` form {formed}, but {head}"
    if model.classes is not None and len(found) > known:
        message = f"the labels of output `{slot.name}` form {len(found)} classes, but `outputs` lists {known}"
    span = slot.span_of(slot.data_key)
    notes, fixes = (f"the labels: {shown}",), _class_fixes(model, found)
    yield Diagnostic("NN508", message, span, path=slot.where(slot.data_key), notes=notes, fixes=fixes)


def _class_fixes(model: Slot, labels: Sequence[str]) -> tuple[Fix, ...]:
    """A head for so many classes, or a regression where the labels are measured values."""
    if any("." in label and _is_number(label) and float(label) % 1 for label in labels):
        return (Fix("these are measured values, not classes: `task: regression`, with a linear head"),)
    if len(labels) == 1:
        return (Fix("name the column that varies, or look at how the table was made"),)
    if model.task == "binary" and len(labels) > 2:
        return (Fix(f"use `task: classification` and a softmax over {len(labels)} units"),)
    if model.classes is None and model.task == "classification" and len(labels) > 1:
        return (Fix(f"give the last layer {len(labels)} units, or `units: auto`, which counts the classes"),)
    return ()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def slot_labels(files: PlanFacts, slot: SlotPlan) -> Sequence[str] | None:
    """All labels of an output but one that is ignored, where they can be read without NumPy."""
    names = slot.columns or (slot.array or "",)
    labels: list[Sequence[str]] = []
    for name in names:
        try:
            column = files.column(slot.source, name, values=True)
        except SourceError:
            return None
        found = labels_of(column) if column else None
        if found is None:
            return None
        labels.append(found)
    ignored = None if slot.ignore is None else label_key(slot.ignore)
    if ignored is None and len(labels) == 1:
        return labels[0]
    return keep_texts(label for label in chain.from_iterable(labels) if label != ignored)
