"""Checks that splits have the classes that they need, where it is known which rows are whose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.checks.context import Context
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.gaps import positions_with_gaps
from nnspec.data.checks.row_labels import row_labels
from nnspec.data.checks.row_layout import RowLayout, column_keys, find_row_layout
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.fold_cuts import cut_rolling, deal_groups
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.section.split_plan import Part
from nnspec.diagnostics import Diagnostic, Fix, quoted
from nnspec.ir.graph import Output

_SHOWN = 3  # labels that a message names
_TASKS = ("classification", "binary")
_LISTED = "list all labels under `classes`: the network then has a unit for each, trained or not"


def check_seen(files: PlanFacts, output: Output) -> Iterator[Diagnostic]:
    """NN513: labels of validation or test rows that no training row has, as in a table that is sorted by them."""
    plan = files.plan
    slot = plan.outputs.get(output.name)
    if slot is None or output.task not in _TASKS or not _are_learned(slot, output):
        return
    for name, found in _unseen(plan, files, slot):
        unseen = sorted(found)
        more = ", …" if len(unseen) > _SHOWN else ""
        yield Diagnostic(
            "NN513",
            f"{name} of output `{output.name}` has label {quoted(unseen[:_SHOWN])}{more}, which no training row has",
            slot.span_of(slot.data_key),
            path=slot.where(slot.data_key),
            notes=_notes(plan),
            fixes=_fixes(plan),
        )
        return


def check_chosen(context: Context, files: PlanFacts, output: Output) -> Iterator[Diagnostic]:
    """NN586 where the rows of the validation split are known to have one label."""
    slot = files.plan.outputs.get(output.name)
    if output.cut is None or not output.cut.needs_labels or slot is None:
        return
    labels = labels_of_splits(files.plan, files, slot).get("validation", set()) - {None}
    if len(labels) == 1:
        message = (
            f"the threshold of output `{output.name}` is chosen on the validation split, but its rows all have label "
            f"`{labels.pop()}`"
        )
        fixes = (Fix("divide the rows so that it has both, as `by: stratified` does"), Fix("or give it as a number"))
        span = context.span("outputs", output.name, "threshold")
        yield Diagnostic("NN586", message, span, path=f"outputs.{output.name}.threshold", fixes=fixes)


def _notes(plan: DataPlan) -> tuple[str, ...]:
    is_in_file_order = plan.split.by == "order" and plan.order_by is None
    return ("rows are split in file order, which may be sorted by label",) if is_in_file_order else ()


def _fixes(plan: DataPlan) -> tuple[Fix, ...]:
    if plan.split.by == "order":
        return (Fix("draw rows at random, so that each split has its share of every class: `by: random`"),)
    if plan.split.is_chronological:
        return ()
    return (Fix("divide the rows so that those of training have every class"), Fix(f"or {_LISTED}"))


def _are_learned(slot: SlotPlan, output: Output) -> bool:
    """Whether the classes are those of the training rows, each label of one column, or all folders that there are."""
    are_folders = slot.folder_of is not None and "classes" not in slot.spans
    is_listed = slot.classes is not None and not are_folders
    return not is_listed and output.classes is None and len(slot.columns) == 1 and slot.ignore is None


Labels = Sequence[str | None]  # each position's; None where it cannot be a sample


def labels_of_splits(plan: DataPlan, files: PlanFacts, slot: SlotPlan) -> dict[str, set[str | None]]:
    """The labels of each split; empty where it is not known which rows are whose."""
    found = None if plan.split.by == "random" or plan.split.folds is not None else _labels(plan, files, slot)
    if found is None or "train" not in found[0].parts:
        return {}
    layout, labels = found
    return {
        name: {labels[position] for stretch in stretches for position in stretch}
        for name, stretches in layout.parts.items()
    }


def _labels(plan: DataPlan, files: PlanFacts, slot: SlotPlan) -> tuple[RowLayout, Labels] | None:
    """Where rows come to stand, and the label of each; None where it is not known without loading."""
    labels = None if plan.window is not None else row_labels(files, slot)
    layout = find_row_layout(plan, files, len(labels)) if labels is not None else None
    if labels is None or layout is None:
        return None
    bad = positions_with_gaps(plan, files, layout)
    without = bad["inputs"] | bad["outputs"]
    return layout, [None if position in without else labels[row] for position, row in enumerate(layout.rows)]


def _unseen(plan: DataPlan, files: PlanFacts, slot: SlotPlan) -> Iterator[tuple[str, set[str]]]:
    """What of the data has labels that are not trained on, and these labels."""
    if plan.split.folds is None:
        found = labels_of_splits(plan, files, slot)
        for name, seen in found.items():
            unseen = seen - found["train"] - {None}
            if unseen:
                yield f"split `{name}`", {label for label in unseen if label is not None}
        return
    if not plan.split.is_chronological and plan.group_column is None:
        return  # which rows each fold tests on is drawn
    known = _labels(plan, files, slot)
    if known is not None and plan.split.is_chronological:
        yield from _unseen_by_rolling(plan, *known)
    elif known is not None:
        yield from _unseen_by_groups(plan, files, *known)


def _unseen_by_rolling(plan: DataPlan, layout: RowLayout, labels: Labels) -> Iterator[tuple[str, set[str]]]:
    """Each fold trains on what those before it trained on, and on more."""
    split, seen = plan.split, set[str | None]([None])
    folds, share = split.folds or 0, split.held_out
    learned = [Part("train", 1.0 - share, None, split.span), Part("validation", share, None, split.span)]
    done = [series.start for series in layout.series]
    for fold in range(folds):
        held: list[tuple[str, range]] = []
        for number, series in enumerate(layout.series):
            known, tested = cut_rolling(len(series), folds, plan.gap)[fold]
            spans = cut(len(known), learned, plan.gap)
            stop = series.start + spans["train"].stop
            seen.update(labels[done[number] : stop])
            done[number] = max(stop, done[number])
            held += [("validation", spans["validation"]), ("test", tested)]
            held[-2:] = [(n, range(series.start + r.start, series.start + r.stop)) for n, r in held[-2:]]
        for name in ("validation", "test"):
            unseen = {labels[p] for own, positions in held if own == name for p in positions} - seen
            if unseen:
                yield f"split `{name}` of fold {fold + 1}", {label for label in unseen if label is not None}


def _unseen_by_groups(
    plan: DataPlan, files: PlanFacts, layout: RowLayout, labels: Labels
) -> Iterator[tuple[str, set[str]]]:
    assert plan.group_column is not None
    keys = column_keys(plan, files, plan.group_column, len(layout.rows))
    if keys is None:
        return
    codes: dict[str, int] = {}
    groups = [codes.setdefault(keys[row], len(codes)) for row in layout.rows]  # in the order of first appearance
    sizes = [0] * len(codes)
    for group, label in zip(groups, labels, strict=True):
        sizes[group] += label is not None
    folds = deal_groups(sizes, plan.split.folds or 0)
    places: dict[str, set[int]] = {}
    for group, label in zip(groups, labels, strict=True):
        if label is not None:
            places.setdefault(label, set()).add(folds[group])
    for fold in range(plan.split.folds or 0):
        unseen = {label for label, own in places.items() if own == {fold}}
        if unseen:
            yield f"split `test` of fold {fold + 1}", unseen
