"""Tells inputs whose numbers lie far from 0, as pixels or years do, where nothing scales them before the weights.

In float16, numbers beyond 65,504 are infinite: a layer that reads such in mixed precision is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nnspec.checks.context import Context
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.section.column_plan import PARTS
from nnspec.data.section.plan import SlotPlan
from nnspec.data.sources.base import ColumnFacts, SourceError
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity, Span
from nnspec.document import format_path, to_plain
from nnspec.inference.heads import head_of
from nnspec.ir.graph import Graph, Node
from nnspec.ir.precision import FLOAT16, LARGEST, policies
from nnspec.lazy import dataclass

FAR = 200.0
"""Numbers beyond this are far from 0: pixels and years are, percentages and ages are not."""

_PIXEL = "0.00392156862745098"
_ENDLESS = {"year": 2024.0, "days": 20000.0}  # parts of a date that never begin again, and what they are today


@dataclass(frozen=True, slots=True)
class Far:
    """Numbers of an input that lie far from 0.

    Attributes:
        what: whose they are.
        span: where the data are declared.
        fix: how the data scale them.
    """

    what: str
    low: float
    high: float
    span: Span
    fix: str


def check_far_values(context: Context, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN383: the first weights read what nothing has scaled. Weights that were trained elsewhere may be used to it."""
    if context.node("training", "weights") is not None:
        return
    for name, value in context.graph.inputs.items():
        slot = files.plan.inputs.get(name)
        is_scaled = slot is not None and slot.scale is not None and slot.scale.method != "none"
        if slot is None or is_scaled or not value.dtype.startswith("float"):
            continue
        node = _first_weights(context.graph, name)
        far = None if node is None else _far(files, slot)
        if node is not None and far is not None:
            yield _unscaled(name, node, far)


def check_float16(context: Context, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN639: a layer that computes in float16 reads numbers that are infinite in it."""
    node = context.node("training", "precision")
    if node is None or to_plain(node) != FLOAT16:
        return
    dtypes = policies(context.graph, FLOAT16)
    for name, value in context.graph.inputs.items():
        slot = files.plan.inputs.get(name)
        is_scaled = slot is not None and slot.scale is not None and slot.scale.method != "none"
        if slot is None or is_scaled or not value.dtype.startswith("float"):
            continue
        reader, far = _first_in_float16(context.graph, name, dtypes), _far(files, slot)
        if reader is None or far is None or max(abs(far.low), abs(far.high)) <= LARGEST:
            continue
        yield Diagnostic(
            "NN639",
            f"`{reader.name}` computes in float16, in which numbers beyond {LARGEST:,.0f} are infinite, and reads "
            f"{far.what} of input `{name}` unscaled: {far.low:g} to {far.high:g}",
            context.span("training", "precision"),
            path="training.precision",
            related=(Related(far.span, "the data is declared here"), Related(reader.span, "read here")),
            fixes=(
                Fix(f"scale the data, which the deployed model does too: {far.fix}"),
                Fix("or use `precision: mixed_bfloat16`, which has the range of float32"),
            ),
        )


def _first_in_float16(graph: Graph, name: str, dtypes: Mapping[str, str]) -> Node | None:
    """The first layer that takes an input's numbers as they are into float16; None where there is none."""
    waiting, seen = [name], set[str]()
    while waiting:
        for node in _readers(graph, waiting.pop()):
            if dtypes[node.name] == FLOAT16:
                return node
            if node.name not in seen and (node.layer.moves_values or node.layer.is_training_only):
                seen.add(node.name)
                waiting.append(node.name)
    return None


def _unscaled(name: str, node: Node, far: Far) -> Diagnostic:
    is_pixels = (far.low, far.high) == (0.0, 255.0)
    numbers = f"{far.low:g} to {far.high:g}" if far.low != far.high else f"around {far.high:g}"
    layer = f"`Rescaling: {{scale: {_PIXEL}}}`" if is_pixels else "`Normalization`"
    return Diagnostic(
        "NN383",
        f"`{node.name}` reads {far.what} of input `{name}` unscaled: {numbers}",
        node.span,
        path=format_path(node.path),
        related=(Related(far.span, "the data is declared here"),),
        notes=(
            "the first weights are made for values around 1: larger ones saturate it, or learn far slower or faster",
        ),
        fixes=(Fix(f"scale the data, which the deployed model does too: {far.fix}"), Fix(f"or start with {layer}")),
        severity=Severity.WARNING,
    )


# ------------------------------------------------------------------------------------------------- the network


def _first_weights(graph: Graph, name: str) -> Node | None:
    """The first layer with trained weights that an input reaches unscaled; None where there is none."""
    waiting, seen = [name], set()
    while waiting:
        for node in _readers(graph, waiting.pop()):
            if node.name in seen:
                continue
            seen.add(node.name)
            if node.layer.moves_values or node.layer.is_training_only:
                waiting.append(node.name)
            elif _is_trained(node) and not _is_normalized(graph, node):
                return node
    return None


def _readers(graph: Graph, name: str) -> list[Node]:
    return [node for node in graph.nodes if any(value.node == name for value in node.inputs)]


def _is_trained(node: Node) -> bool:
    source = _source(node)
    return not source.layer.normalizes and any(w.is_trainable and len(w.shape) > 1 for w in source.weights)


def _is_normalized(graph: Graph, node: Node) -> bool:
    """Whether a linear layer goes into normalizations alone, which undo any scale."""
    function, _ = head_of([node], node.outputs[0])
    readers = _readers(graph, node.name)
    return function == "linear" and bool(readers) and all(_source(one).layer.normalizes for one in readers)


def _source(node: Node) -> Node:
    return node.inner if node.inner is not None and node.layer.repeats_inner else node


# ---------------------------------------------------------------------------------------------------- the data


def _far(files: PlanFacts, slot: SlotPlan) -> Far | None:
    """The numbers of an input that lie farthest from 0, where that is far."""
    found = list(_of_encodings(files, slot) if slot.encodings else _of_columns(files, slot, slot.columns))
    if not slot.columns:
        scale = "`scale: standard`, or `minmax`"
        if slot.source.source.is_raster:
            found = [Far("the pixels", 0.0, 255.0, slot.span, scale)]
        elif (values := _numbers(files, slot)) is not None and len(values):
            found = [Far(f"array `{slot.array or slot.source.shown}`", min(values), max(values), slot.span, scale)]
    far = [one for one in found if max(abs(one.low), abs(one.high)) > FAR]
    return max(far, key=lambda one: max(abs(one.low), abs(one.high)), default=None)


def _of_columns(files: PlanFacts, slot: SlotPlan, names: Sequence[str]) -> Iterator[Far]:
    for name in names:
        column = _column(files, slot, name)
        if column is not None and column.lowest is not None and column.highest is not None:
            low, high = column.lowest[0], column.highest[0]
            yield Far(f"column `{name}`", low, high, slot.span_of("columns"), "`scale: standard`")


def _of_encodings(files: PlanFacts, slot: SlotPlan) -> Iterator[Far]:
    for encoding in slot.encodings:
        if encoding.is_number and encoding.scale is None and encoding.transform is None:
            for far in _of_columns(files, slot, [encoding.name]):
                yield Far(far.what, far.low, far.high, encoding.span, f"`{encoding.name}: standard`")
        if not encoding.is_date or encoding.scale is not None:
            continue
        for part in encoding.parts:
            period = PARTS[part]
            if period is None or not encoding.is_cyclic:
                today = _ENDLESS.get(part)
                least, most = (1.0, float(period or 0)) if today is None else (today, today)
                fix = f"`{encoding.name}: {{date: {{parts: [{', '.join(encoding.parts)}], scale: standard}}}}`"
                yield Far(f"the {part} of `{encoding.name}`", least, most, encoding.span, fix)


def _column(files: PlanFacts, slot: SlotPlan, name: str) -> ColumnFacts | None:
    try:
        column = files.column(slot.source, name)
    except SourceError:
        return None
    return None if column is None or column.is_text else column


def _numbers(files: PlanFacts, slot: SlotPlan) -> Sequence[float] | None:
    try:
        return files.numbers(slot.source, slot.array or "")
    except SourceError:
        return None
