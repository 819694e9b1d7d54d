"""Checks that every class has enough rows for the splits that are to have their share of it. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.rare_classes import Drawn, DrawnFolds, DrawnShares, DrawnSplits
from nnspec.data.checks.row_labels import count_labels, incomplete_rows, keys_of, row_labels, single_label
from nnspec.data.checks.row_layout import row_parts
from nnspec.data.prepare.cuts import cut
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Diagnostic, Fix, Severity, Span
from nnspec.lazy import dataclass

_SHOWN = 3  # classes that a message names


@dataclass(frozen=True)
class _Strata:
    """What is kept in proportion.

    Attributes:
        counts: the rows of each class, of those that are drawn.
        noun, of: what a class is called, and whose classes they are.
        is_asked: whether the spec asks for proportions.
        are_learned: whether the labels are those of the training rows, so that each must be among them.
    """

    counts: Counter[str]
    noun: str
    of: str
    is_asked: bool
    are_learned: bool


def check_strata_sizes(
    plan: DataPlan, outputs: Mapping[str, Slot], files: PlanFacts, rows: int | None
) -> Iterator[Diagnostic]:
    """NN513 where a class cannot be among the training rows, NN637 where one has too few rows for all splits."""
    split = plan.split
    shared = split.drawn_from_train
    is_drawn = split.by == "random" or bool(shared)
    if rows is None or not is_drawn or split.is_stratified is False:
        return
    if plan.group_column is not None or plan.window is not None:
        return  # whole groups are drawn
    strata = _strata(plan, outputs, files, rows, is_shared=bool(shared))
    if strata is None or len(strata.counts) < 2:
        return  # of a single class, other checks say more
    drawn: Drawn
    if split.folds is not None:
        drawn = DrawnFolds(strata.counts, split.folds)
    elif shared:
        drawn = DrawnShares(strata.counts, shared)
    else:
        drawn = DrawnSplits(strata.counts, cut(strata.counts.total(), split.parts))
    yield from _check(plan, strata, drawn)


def _strata(
    plan: DataPlan, outputs: Mapping[str, Slot], files: PlanFacts, rows: int, *, is_shared: bool
) -> _Strata | None:
    """The classes, of the column that the spec names, else of the first single label; None where they are not told."""
    name, are_learned = plan.split.stratum, False
    if name is not None:
        assert plan.source is not None
        try:
            column = files.column(plan.source, name, values=True)
        except SourceError:
            return None
        labels = None if column is None or column.values is None else keys_of(column.values)
        noun, of = "value", f"column `{name}`"
    else:
        slot = single_label(plan, outputs, files)
        if slot is None:
            return None
        labels = row_labels(files, slot)
        noun, of = "label", f"output `{slot.name}`"
        are_learned = slot.classes is None and outputs[slot.name].classes is None
    if labels is None or len(labels) != rows:
        return None
    without = incomplete_rows(plan, files)
    if is_shared:
        parts = row_parts(plan, files, rows)
        if parts is None:
            return None
        without |= {row for row, part in enumerate(parts) if part != "train"}
    return _Strata(
        count_labels(labels, without), noun, of, bool(plan.split.is_stratified) or name is not None, are_learned
    )


def _check(plan: DataPlan, strata: _Strata, drawn: Drawn) -> Iterator[Diagnostic]:
    untrained = drawn.list_untrained() if strata.are_learned else []
    if untrained:
        yield _never_trained(plan, strata, drawn, untrained)
        return
    most = max(strata.counts.values())
    if strata.is_asked and most < drawn.number:
        yield _no_class(plan, strata, drawn, most)
        return
    known = set(strata.counts.values()) if strata.is_asked else set(range(1, drawn.number))  # else of fewer rows alone
    without = {count: drawn.without(count) if count in known else [] for count in set(strata.counts.values())}
    rare = sorted((count, name) for name, count in strata.counts.items() if count < drawn.number or without[count])
    if rare:
        named = {part for count, _ in rare for part in without[count]}
        yield _too_few(plan, strata, drawn, rare, [part.name for part in plan.split.parts if part.name in named])


def _never_trained(plan: DataPlan, strata: _Strata, drawn: Drawn, names: list[str]) -> Diagnostic:
    """NN513: the loader would find a label that no training row has."""
    span, where = _place(plan)
    shown = ", ".join(f"`{name}`" for name in sorted(names)[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    rows = _rows(strata.counts[names[0]])
    if drawn.noun == "fold":
        message = f"label {shown} of {strata.of} is in {rows} only, so the fold that tests on it trains without it"
    elif len(names) == 1:
        message = f"label {shown} of {strata.of} is in {rows}, and none of them can be in split `train`"
    else:
        message = (
            f"split `train` cannot have all labels of {strata.of}: {len(names)} of them have only {rows} each: {shown}"
        )
    fixes = (
        Fix("add rows of such classes, merge them with others, or leave them out"),
        Fix("or list all labels under `classes`: the network then has a unit for each, trained or not"),
    )
    return Diagnostic("NN513", message, span, path=where, fixes=fixes)


def _no_class(plan: DataPlan, strata: _Strata, drawn: Drawn, most: int) -> Diagnostic:
    """NN637, an error: there is nothing that can be in proportion."""
    span, where = _place(plan)
    message = (
        f"no {strata.noun} of {strata.of} is in more than {_rows(most)}, so there are no classes that all of the "
        f"{drawn.number} {drawn.noun}s can have their share of"
    )
    notes = (f"it has {len(strata.counts)} different values in {_rows(strata.counts.total())}",)
    fixes = [Fix("name a column of classes, as in `stratify: COLUMN`, or write `by: random` and `stratify: false`")]
    fixes += [Fix(f"or use {most} folds")] if drawn.noun == "fold" and most > 1 else []
    return Diagnostic("NN637", message, span, path=where, notes=notes, fixes=tuple(fixes))


def _too_few(
    plan: DataPlan, strata: _Strata, drawn: Drawn, rare: list[tuple[int, str]], lacking: list[str]
) -> Diagnostic:
    """NN637, a warning: some splits lack some classes.

    Args:
        rare: those with too few rows.
        lacking: the splits that are known to get none of one.
    """
    span, where = _place(plan)
    shown = ", ".join(f"`{name}` ({_rows(count)})" for count, name in rare[:_SHOWN])
    more = f" and {len(rare) - _SHOWN} more" if len(rare) > _SHOWN else ""
    noun = f"{strata.noun} {shown}" if len(rare) == 1 else f"{strata.noun}s {shown}{more}"
    lack = f"cannot be in each of the {drawn.number} splits"
    notes = ("the metrics of such a split say nothing of the class",)
    if drawn.noun == "fold":
        lack = f"cannot be tested on in each of the {drawn.number} folds"
        notes = ("means over the folds leave out every metric that one of them lacks, such as AUC",)
    elif lacking:
        verb = "gets none" if len(rare) == 1 else "lacks some"
        lack += f": {' and '.join(f'`{name}` {verb}' for name in lacking)}"
    fixes = [Fix("add rows of such classes, or merge them with others")]
    fixes += [Fix(f"or use {rare[0][0]} folds")] if drawn.noun == "fold" and rare[0][0] > 1 else []
    message = f"{noun} of {strata.of} {lack}"
    return Diagnostic("NN637", message, span, path=where, notes=notes, fixes=tuple(fixes), severity=Severity.WARNING)


def _place(plan: DataPlan) -> tuple[Span, str]:
    """The key that asks for proportions, or else for splits."""
    split = plan.split
    keys = ["stratify", *(["by"] if split.is_stratified else []), "folds"]
    key = next((key for key in keys if key in split.spans), None)
    return (split.span, "data.split") if key is None else (split.spans[key], f"data.split.{key}")


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
