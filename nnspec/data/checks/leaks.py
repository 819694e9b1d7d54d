"""What a spec and its keys alone show of the test rows in training. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import column_values, row_parts
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.base import SourceError
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.diagnostics.lists import quoted
from nnspec.diagnostics.values import as_yaml
from nnspec.runtime.rules.csv import is_missing

# Names of columns whose values are people, animals, machines: rows of one are alike.
WHO = (
    r"(subject|patient|user|person|participant|customer|client|speaker|singer|animal|driver|student|household|device)"
    r"([ _-]?(id|no|nr|number|key|name))?"
)


def check_leaks(plan: DataPlan, files: PlanFacts, rows: int | None) -> Iterator[Diagnostic]:
    """NN526, NN571, NN573, NN628 and NN629, for a plan whose columns are known to exist."""
    yield from _check_targets(plan)
    yield from _check_order(plan)
    if plan.source is not None and plan.source.parts:
        from nnspec.data.checks.query_leaks import check_query
        from nnspec.data.checks.query_targets import check_computed_targets

        yield from check_query(plan)
        yield from check_computed_targets(plan)
    if rows is not None and plan.source is not None:
        yield from _check_groups(plan, files, rows)


def _check_targets(plan: DataPlan) -> Iterator[Diagnostic]:
    """NN571: an input reads the column that is to be predicted, in the row that it is to be predicted for."""
    for output in plan.outputs.values():
        if not output.columns or (plan.window is not None and output.is_windowed and 0 not in plan.window.horizon):
            continue
        readers = [slot for slot in plan.inputs.values() if _reads_same_rows(plan, slot, output)]
        read = {name for slot in readers for name in slot.columns}
        if not read or read <= set(output.columns):
            continue  # what is rebuilt as a whole is meant to be read
        for slot in readers:
            shared = [name for name in slot.columns if name in output.columns]
            if shared:
                yield _target_is_read(plan, slot, output, shared)


def _reads_same_rows(plan: DataPlan, slot: SlotPlan, output: SlotPlan) -> bool:
    is_same = slot.source.path == output.source.path and slot.source.options == output.source.options
    return bool(slot.columns) and is_same and slot.ahead != "only"


def _target_is_read(plan: DataPlan, slot: SlotPlan, output: SlotPlan, shared: Sequence[str]) -> Diagnostic:
    key = slot.item_key("columns", slot.columns.index(shared[0]))
    at = " at horizon 0, the window's last row" if plan.window is not None else ""
    is_one = len(shared) == 1
    message = (
        f"input `{slot.name}` reads {quoted(shared)}, which output `{output.name}` predicts{at}: the network "
        f"would copy {'it' if is_one else 'them'}"
    )
    fixes = [Fix(f"remove {quoted(shared)} from the `columns` of input `{slot.name}`")]
    if plan.window is not None:
        fixes.append(Fix("predict later rows: `horizon: 1` or more"))
    elif plan.order_by is not None:
        fixes.append(Fix("to predict later rows from earlier ones, add `window: {lookback: …, horizon: 1}`"))
    return Diagnostic("NN571", message, slot.span_of(key), path=slot.where("columns"), fixes=tuple(fixes))


def _check_order(plan: DataPlan) -> Iterator[Diagnostic]:
    """NN526: rows that have an order in time are drawn at random."""
    if plan.order_by is None or plan.split.by not in ("random", "hash") or plan.group_column is not None:
        return
    message = (
        f"rows are sorted by `{plan.order_by}`, but drawn into the splits with `by: {plan.split.by}`: rows between "
        "those that are trained on are easier to predict than later ones"
    )
    fixes = (
        Fix("write `by: time` to test on later rows"),
        Fix("remove `order_by` if rows of neighbouring times are not similar"),
    )
    span = plan.split.spans.get("by", plan.split.span)
    yield Diagnostic("NN526", message, span, path="data.split.by", fixes=fixes, severity=Severity.WARNING)


def _check_groups(plan: DataPlan, files: PlanFacts, rows: int) -> Iterator[Diagnostic]:
    """NN573: rows of one group in two splits."""
    split = plan.split
    if split.group is not None and split.has_labels:
        parts, groups = row_parts(plan, files, rows), column_values(plan, files, split.group, rows)
        drawn = [part.name for part in split.drawn_from_train]
        shared = {} if parts is None or groups is None else _groups_in_two_splits(parts, groups)
        if shared:
            first, names = next(iter(shared.items()))
            message = (
                f"`group` keeps the values of `{split.group}` together, but the labels put "
                f"{_describe_count(len(shared))} "
                f"into two splits: `{first}` is in {quoted(sorted(names))}"
            )
            notes = (f"`{drawn[0]}` is drawn from the training rows",) if drawn else ()
            fix = Fix("give all rows of a group the same label, or leave out `group`")
            span = split.spans.get("group", split.span)
            yield Diagnostic("NN573", message, span, path="data.split.group", notes=notes, fixes=(fix,))
    elif split.group is None and plan.series is None and (split.by == "random" or split.has_labels):
        yield from _check_names(plan, files, rows)


def _groups_in_two_splits(parts: Sequence[str | None], groups: Sequence[object]) -> dict[str, set[str]]:
    """The groups with rows in two splits, each with these."""
    found: dict[str, set[str]] = {}
    for part, group in zip(parts, groups, strict=True):
        if part is not None:
            found.setdefault(label_key(group), set()).add(part)
    return {group: names for group, names in found.items() if len(names) > 1}


def _describe_count(count: int) -> str:
    return "one of them" if count == 1 else f"{count} of them"


def _check_names(plan: DataPlan, files: PlanFacts, rows: int) -> Iterator[Diagnostic]:
    """A column that the model does not read, whose name says that its values are people or the like."""
    assert plan.source is not None
    split = plan.split
    parts = row_parts(plan, files, rows) if split.has_labels else None
    if split.has_labels and parts is None:
        return
    facts = files.facts(plan.source)
    used = {name for slot in plan.slots() for name in (*slot.columns, slot.array)}
    used |= {name for name, _, _ in plan.row_keys()}
    names = (
        [name for name in facts.names if name not in used and re.fullmatch(WHO, name, re.IGNORECASE)]
        if facts is not None
        else []
    )
    if not names:
        return
    try:
        found = plan.source.source.probe(plan.source, names, names)
        columns = [(name, found.column(name, values=True)) for name in names]
    except SourceError:
        return
    for name, column in columns:
        if column is None or column.values is None or len(column.values) != rows or column.missing:
            continue
        keys = [label_key(value) for value in column.values if not (isinstance(value, str) and is_missing(value))]
        count = len(set(keys))
        if not 3 * len(split.parts) <= count <= 0.8 * rows:
            continue
        if parts is None:
            message = (
                f"rows are drawn one by one, so that those of one `{name}` are in several splits ({count} values in "
                f"{rows} rows): the test is easier than new ones will be"
            )
            fix = Fix(f"keep them together: `group: {as_yaml(name)}`")
        elif shared := len(_groups_in_two_splits(parts, column.values)):
            message = (
                f"rows of one `{name}` are in several splits ({shared} of {count} values): the test is easier than new "
                "ones will be"
            )
            hashed = Fix(f"draw the splits by it: `by: {{hash: {as_yaml(name)}}}`")
            fix = hashed if split.by == "hash" else Fix(f"give all rows of one `{name}` the same label")
        else:
            continue
        span = split.spans.get("by", split.span)
        yield Diagnostic("NN573", message, span, path="data.split", fixes=(fix,), severity=Severity.WARNING)
        return
