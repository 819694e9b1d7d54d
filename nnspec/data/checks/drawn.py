"""Splits that are drawn at random: each has a sample, whatever the draw. Standard library only.

The loader draws so that every split gets one where there are enough; here they are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.gaps import positions_with_gaps
from nnspec.data.checks.row_labels import single_label
from nnspec.data.checks.row_layout import RowLayout, column_keys, file_numbers, has_window, row_parts
from nnspec.data.prepare.membership import file_source, named_by_file
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.diagnostics.lists import quoted


def check_drawn(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN505 and NN514 where there are fewer groups, or rows, with a sample than splits that draw from them."""
    split, count = plan.split, len(layout.rows)
    bad = positions_with_gaps(plan, files, layout)
    is_whole = split.by == "random" or split.has_whole_files
    drawing = split.drawn_from_train
    if not is_whole and not drawing:
        return
    groups = _group_codes(plan, files, layout)
    if groups is None and (is_whole or plan.group_column is not None):
        return
    members: Sequence[int] = range(count)
    if drawing:
        named = row_parts(plan, files, count)
        if named is None:
            return
        members = [p for p in range(count) if named[layout.rows[p]] == "train"]
    if groups is None:
        without = bad["inputs"] | bad["outputs"]
        found, what = sum(position not in without for position in members), "row"
    else:
        found = _usable_groups(plan, layout, members, groups, bad)
        what = "file" if split.has_whole_files else f"value of `{plan.group_column}`"
    parts = [part for part in split.parts if part.fraction is not None or part.name == "train"]
    if found >= len(parts):
        return
    names = quoted(part.name for part in parts)
    needs = f" with {plan.window.reach} consecutive rows" if plan.window is not None else ""
    needs += " without a missing value" if any(bad.values()) else ""
    if found != 1:
        what = what.replace("value", "values") if what.startswith("value") else f"{what}s"
    message = f"splits {names} share {found} {what}{needs}, but each needs one"
    code, fix = ("NN505", "shorten the window") if plan.window is not None else ("NN514", "use fewer splits")
    span, where = parts[-1].span, f"data.split.{parts[-1].name}"
    yield Diagnostic(code, message, span, path=where, fixes=(Fix(fix),))


def check_files(plan: DataPlan, files: PlanFacts, count: int) -> Iterator[Diagnostic]:
    """NN514 where a split by files has a single one, or a file's name is in two splits."""
    span, where = plan.split.spans.get("by", plan.split.span), "data.split.by"
    source = file_source(plan)
    numbers = None if source is None else file_numbers(plan, count)
    if source is not None and source.source.is_per_file and plan.split.has_whole_files:
        message = f"`by: files` draws whole files, but {source.source.noun} are a sample each"
        fix = Fix("write `by: random`, or name the folders of the splits, as in `train: train/*`")
        yield Diagnostic("NN514", message, span, path=where, fixes=(fix,))
        return
    if source is None or not numbers or not max(numbers):
        message = "`by: files` divides the files of a pattern, but the rows are not those of several files"
        fix = Fix("name them in `source` by a pattern, as in `csv: 'data/*.csv'`, or use `by: random`")
        yield Diagnostic("NN514", message, span, path=where, fixes=(fix,))
        return
    for path in source.files() if plan.split.has_labels else ():
        named = named_by_file(path, source, plan.split.parts)
        if len(named) > 1:
            message = f"`{path.name}` matches the patterns of {quoted(named)}, so its rows would be in both"
            yield Diagnostic("NN514", message, span, path=where)


def check_strata(plan: DataPlan, outputs: dict[str, Slot], files: PlanFacts) -> Iterator[Diagnostic]:
    """NN514 where classes are to be kept in proportion, and there are none."""
    split = plan.split
    if not split.is_stratified or split.stratum is not None or single_label(plan, outputs, files) is not None:
        return
    key = "stratify" if "stratify" in split.spans else "by"
    message = "no output is a single label, so there are no classes to keep in proportion"
    fix = Fix("name the column of classes, as in `stratify: COLUMN`, or write `by: random`")
    yield Diagnostic("NN514", message, split.spans.get(key, split.span), path=f"data.split.{key}", fixes=(fix,))


def _group_codes(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Sequence[object] | None:
    """What a draw keeps together, a position each; None where nothing, or where it cannot be told."""
    count = len(layout.rows)
    if plan.split.has_whole_files:
        numbers = file_numbers(plan, count)
        return None if numbers is None else [numbers[row] for row in layout.rows]
    if plan.group_column is None:
        return None
    keys = column_keys(plan, files, plan.group_column, count)
    if keys is None or isinstance(layout.rows, range):  # in the file's order
        return keys
    return [keys[row] for row in layout.rows]


def _usable_groups(
    plan: DataPlan,
    layout: RowLayout,
    members: Sequence[int],
    groups: Sequence[object],
    bad: dict[str, set[int]],
) -> int:
    """How many groups have a sample."""
    if plan.window is None:
        without = bad["inputs"] | bad["outputs"]
        if not without and isinstance(members, range):
            return len(set(groups))
        return len({groups[p] for p in members if p not in without})
    wanted, usable = set(members), set()
    for series in layout.series:
        changes = [p for p, q in pairwise(series) if groups[p] != groups[q] or (p in wanted) != (q in wanted)]
        for start, stop in pairwise([series.start, *(p + 1 for p in changes), series.stop]):
            if start in wanted and has_window([range(start, stop)], bad, plan.window):
                usable.add(groups[start])
    return len(usable)
