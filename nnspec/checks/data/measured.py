"""Checks of the network against the numbers in the data: ids against tables, targets against what a head can give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from nnspec.catalogue.losses import loss_of
from nnspec.checks.context import Context
from nnspec.checks.data.far_values import check_far_values, check_float16
from nnspec.checks.data.indices import tables_of_inputs
from nnspec.checks.data.later_targets import check_later_targets
from nnspec.checks.data.seen_classes import check_chosen, check_seen
from nnspec.checks.heads.task import activation_fix, activation_span
from nnspec.checks.training.losses import RANGED
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.section.plan import SlotPlan
from nnspec.data.sources.base import ColumnFacts, SourceError
from nnspec.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from nnspec.document import Scalar, locate
from nnspec.inference.heads import head_of
from nnspec.ir.graph import Node, Output
from nnspec.layers.formulas.range_of import Range, range_of

_PIXELS: Range = (0.0, 255.0)
_MOST = 1 / 3  # of the targets, or of their range, beyond the head's: it can be no oversight of a few values
_FEW = 0.01

# What targets a loss is for, and when a range of them is not that.
_DOMAINS: Mapping[str, tuple[str, Callable[[Range], bool]]] = {
    "Poisson": ("counts", lambda targets: targets[0] < 0),
    "MeanSquaredLogarithmicError": ("values above -1, and treats those below 0 as 0", lambda targets: targets[0] < 0),
    "MeanAbsolutePercentageError": (
        "values far from 0, by which it divides",
        lambda targets: targets[0] <= 0 <= targets[1],
    ),
}


def check_measured(context: Context, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN351, NN382, NN383 and NN639 of ids and other inputs; NN326, NN337, NN513, NN586 and NN638 of targets."""
    for name, node in tables_of_inputs(context):
        slot = files.plan.inputs.get(name)
        if slot is not None and not slot.encodings:
            yield from _check_ids(context, files, slot, node)
    yield from check_later_targets(context, files)
    yield from check_far_values(context, files)
    yield from check_float16(context, files)
    for output in context.graph.outputs.values():
        yield from check_seen(files, output)
        if context.node("training", "class_weight") is not None:
            from nnspec.checks.data.weighed_classes import check_weighed

            yield from check_weighed(context, files, output)
        yield from check_chosen(context, files, output)
        if output.task == "regression":
            yield from _check_reach(context, files, output)
            yield from _check_domain(context, files, output)


def _columns(files: PlanFacts, slot: SlotPlan) -> list[tuple[str, ColumnFacts]]:
    """Those of a slot that hold finite numbers."""
    found = []
    for name in slot.columns:
        try:
            column = files.column(slot.source, name)
        except SourceError:
            continue
        if column is not None and not column.is_text and column.lowest is not None and column.highest is not None:
            found.append((name, column))
    return found


def _check_ids(context: Context, files: PlanFacts, slot: SlotPlan, node: Node) -> Iterator[Diagnostic]:
    size = (node.inner or node).args["input_dim"]
    if not slot.columns:
        yield from _check_array(context, files, slot, node, size)
    for name, column in _columns(files, slot):
        assert column.lowest is not None
        assert column.highest is not None
        if column.fraction is not None or (column.highest[0] < size and column.lowest[0] >= 0):
            continue
        value, row = column.lowest if column.lowest[0] < 0 else column.highest
        place = slot.source.source.locate(slot.source, row)
        fixes = [] if value < 0 else [_wider(context, node, int(value) + 1, ", or `auto`, which counts the ids")]
        yield _beyond(f"column `{name}`", slot, value, place, node, size, fixes)


def _check_array(context: Context, files: PlanFacts, slot: SlotPlan, node: Node, size: int) -> Iterator[Diagnostic]:
    """As for columns, as far as the numbers of an array are looked at."""
    try:
        facts, numbers = files.array(slot.source, slot.array or ""), files.numbers(slot.source, slot.array or "")
    except SourceError:
        return
    if not facts or facts.kind not in "iu" or not numbers or (min(numbers) >= 0 and max(numbers) < size):
        return
    value = min(numbers) if min(numbers) < 0 else max(numbers)
    row = list(numbers).index(value) // (math.prod(facts.shape[1:]) or 1)
    fixes = [] if value < 0 else [_wider(context, node, int(value) + 1)]
    place = f"row {row}, counted from 0"
    yield _beyond(f"array `{slot.array or slot.source.shown}`", slot, value, place, node, size, fixes)


def _beyond(
    what: str, slot: SlotPlan, value: float, place: str, node: Node, size: int, fixes: Sequence[Fix]
) -> Diagnostic:
    return Diagnostic(
        "NN351",
        f"{what} of input `{slot.name}` has id {value:g} in {place}, but `{node.name}` only has vectors for 0 to "
        f"{size - 1}",
        node.span,
        related=(Related(slot.span_of("columns" if slot.columns else "array"), "the ids are read here"),),
        notes=("ids start at 0, so the number of vectors must be the largest id plus 1",),
        fixes=tuple(fixes),
    )


def _wider(context: Context, node: Node, count: int, more: str = "") -> Fix:
    """`input_dim` as large as the ids need, where the layer itself says it by a number."""
    found = locate(context.root, (*node.path, node.kind, "input_dim"))
    is_number = isinstance(found, Scalar) and isinstance(found.value, int)
    edits = (Edit(found.span, str(count)),) if is_number and node.shared is None else ()
    return Fix(f"set `input_dim: {count}`{more}", edits)


def _check_reach(context: Context, files: PlanFacts, output: Output) -> Iterator[Diagnostic]:
    """NN326: targets, in the scale in which the network learns them, of which the head cannot give a part."""
    function, head = head_of(context.graph.nodes, output.value)
    reach = range_of(function)
    copy = files.plan.copies.get(output.name)
    slot = files.plan.outputs.get(output.name) if copy is None else files.plan.inputs.get(copy.input)
    if head is None or slot is None or function == "softmax" or not any(map(math.isfinite, reach)):
        return
    method = slot.scale.method if slot.scale is not None else "none"
    is_scaled = method != "none" or slot.is_relative
    if copy is None and is_scaled and ((function == "sigmoid" and method != "minmax") or loss_of(output)[0] in RANGED):
        return  # NN507, NN215
    if slot.function is not None or slot.encodings:
        return
    if slot.is_relative or method not in ("none", "minmax"):  # whose range is not told, but how they lie
        outside, lie = _share_of_normal_outside(reach), "are on both sides of 0"
    else:
        targets = (0.0, 1.0) if method == "minmax" else _range_of_targets(files, slot)
        if targets is None:
            return
        outside, lie = _share_outside(targets, reach), f"are between {targets[0]:g} and {targets[1]:g}"
    if outside <= _FEW:
        return
    yield Diagnostic(
        "NN326",
        f"the targets of output `{output.name}` {lie}, but its head, a {function}, outputs {_describe_range(reach)}",
        context.span("outputs", output.name, "task"),
        path=f"outputs.{output.name}.task",
        related=(Related(activation_span(context, head), f"{function} here"),),
        notes=("other targets cannot be learned: the nearest end of the range is predicted instead",),
        fixes=_fixes(context, head, reach, method),
        severity=Severity.ERROR if outside >= _MOST else Severity.WARNING,
    )


def _check_domain(context: Context, files: PlanFacts, output: Output) -> Iterator[Diagnostic]:
    """NN337: targets for which a loss is not defined, or has no bound."""
    loss, _ = loss_of(output)
    slot = files.plan.outputs.get(output.name)
    if (
        slot is None
        or loss not in _DOMAINS
        or slot.is_relative
        or (slot.scale is not None and slot.scale.method != "none")
    ):
        return
    targets = _range_of_targets(files, slot)
    reads, is_outside = _DOMAINS[loss]
    if targets is None or not is_outside(targets):
        return
    low, high = targets
    yield Diagnostic(
        "NN337",
        f"loss `{loss}` of output `{output.name}` expects {reads}, but its targets are between {low:g} and {high:g}",
        context.span("outputs", output.name, "loss"),
        path=f"outputs.{output.name}.loss",
        related=(Related(slot.span_of("columns"), "the targets"),),
        fixes=(Fix("use a loss without a range restriction, such as `Huber`"),),
        severity=Severity.WARNING,
    )


def _fixes(context: Context, head: Node, reach: Range, method: str) -> tuple[Fix, ...]:
    fixes = [activation_fix(context, head, "linear", "make the head linear")]
    if method == "none" and _share_outside((0.0, 1.0), reach) == 0:
        fixes.append(
            Fix(
                "or scale the targets to 0 … 1 with `scale: minmax` in `data`: the deployed model outputs the "
                "original units"
            )
        )
    return tuple(fixes)


def _range_of_targets(files: PlanFacts, slot: SlotPlan) -> Range | None:
    """Between which numbers they lie in the data; None where that is not known."""
    if slot.function is not None or slot.encodings:
        return None
    if slot.source.source.is_raster:
        return _PIXELS
    if slot.array is not None and not slot.counts_in_part:
        return _range_of_array(files, slot, slot.array)
    ends = [(c.lowest[0], c.highest[0]) for _, c in _columns(files, slot) if c.lowest and c.highest]
    if not ends or len(ends) < len(slot.columns):
        return None
    return min(low for low, _ in ends), max(high for _, high in ends)


def _range_of_array(files: PlanFacts, slot: SlotPlan, name: str) -> Range | None:
    """That of the numbers that are looked at."""
    try:
        numbers = files.numbers(slot.source, name)
    except SourceError:
        return None
    return (min(numbers), max(numbers)) if numbers else None


def _share_of_normal_outside(reach: Range) -> float:
    """The share of standardized numbers, or changes, beyond a range, as if they were normal: a third beyond ±1."""
    below, above = (0.5 * (1 + math.erf(end / math.sqrt(2))) for end in reach)
    return 1 - (above - below)


def _share_outside(targets: Range, reach: Range) -> float:
    (low, high), (least, most) = targets, reach
    if low == high:
        return 0.0 if least <= low <= most else 1.0
    return 1 - max(0.0, min(high, most) - max(low, least)) / (high - low)


def _describe_range(reach: Range) -> str:
    low, high = reach
    return f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
