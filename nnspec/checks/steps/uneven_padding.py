"""Warns where what fills shorter samples up, to the length of the longest, reaches an answer without a mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.checks.context import Context
from nnspec.checks.data.padding import is_masked
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics import AxisRef, Diagnostic, Fix, NodeRef, Severity
from nnspec.diagnostics.lists import enumerated
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import Graph, Node, Value
from nnspec.ir.receptive_field import origins

Port = tuple[str, str]  # a node and which of its outputs


def check_uneven_padding(context: Context) -> Iterator[Diagnostic]:
    """NN386: along an axis of fixed size, samples are filled up to the same length whatever the others are."""
    graph = context.graph
    for name, slot in context.plan.inputs.items() if context.plan is not None else ():
        if name not in graph.inputs or not (slot.lengths or slot.pad_value is not None or slot.source.source.fills_up):
            continue
        for axis in graph.inputs[name].axes:
            if isinstance(axis.size, int):
                continue
            if slot.lengths and not is_masked(graph, name):
                continue  # NN363 says so
            mixing = _mixing(graph, name, axis.name, slot.pad_value or 0.0)
            if mixing and _has_padding(slot):
                yield _report(graph.inputs[name], axis.name, slot, mixing)


def _has_padding(slot: SlotPlan) -> bool:
    """Whether there is any: what the data of a folder are shows in the files."""
    kind = slot.source.source
    return not kind.fills_up or kind.is_uneven(slot.source)


def _mixing(graph: Graph, name: str, origin: str, value: float) -> list[Node]:
    """The nodes in which padding of an input that no mask has marked counts, in the order of the network.

    What is behind such a node, behind a mask (whoever removes one with `unmask` wants padding to count) and behind what
    may be a mask by hand, a product with other values or a formula of several, is not followed.
    """
    padded: dict[Port, float | None] = {(name, "output"): value}  # by what they hold at padding, where that is known
    found = []
    for node in graph.nodes:
        read = [each for each in node.inputs if _port(each) in padded]
        if not read or any(_is_masked(each, origin) for each in (*node.inputs, *node.outputs)):
            continue
        if node.layer.replaces_mask or node.layer.package or _may_mask_by_hand(node):
            continue
        at_padding = padded[_port(read[0])]
        if any(_mixes(node, each, place, at_padding) for each in read for place in _places(each.axes, origin)):
            found.append(node)
            continue
        after = (
            node.layer.padding_behind(node, at_padding) if len(node.inputs) == 1 and at_padding is not None else None
        )
        for made in node.outputs:
            if _places(made.axes, origin):
                padded[_port(made)] = after
    return found


def _port(value: Value) -> Port:
    return value.node, value.port


def _places(axes: Axes, origin: str) -> list[int]:
    return [place for place, axis in enumerate(axes) if origin in origins(axis)]


def _is_masked(value: Value, origin: str) -> bool:
    return any(value.axes[place].name in (value.mask, *value.outer) for place in _places(value.axes, origin))


def _may_mask_by_hand(node: Node) -> bool:
    is_product = node.layer.combination(node.args) in ("product", "sum", "formula")
    several = len({_port(value) for value in node.inputs}) > 1
    return (several and is_product) or "attention_mask" in node.given


def _mixes(node: Node, value: Value, place: int, at_padding: float | None) -> bool:
    """Whether what a node gives depends on how many positions along an axis are padding."""
    axis = value.axes[place]
    is_kept = any(_is_same(axis, made) for each in node.outputs for made in each.axes)
    if value is not node.inputs[0] and is_kept:
        return False
    window = node.windows.get(place) if value is node.inputs[0] else None
    if is_kept and (window is None or window.span is not None or window.ahead is not None):
        return False
    inner = node
    while inner.layer.repeats_inner and inner.inner is not None:
        inner = inner.inner
    return inner.layer.counts_padding(inner, node.layer.picked_position(node, place), at_padding)


def _is_same(axis: Axis, made: Axis) -> bool:
    return bool(origins(axis).keys() & origins(made).keys())


def _report(value: Value, axis: str, slot: SlotPlan, mixing: Sequence[Node]) -> Diagnostic:
    first, others = mixing[0], mixing[1:]
    notes = [
        f"samples of `{value.node}` are padded at the end of `{axis}`, whose size is open, to the longest of them",
        "no mask marks the padding: `pad_value` only gives its value, and `Masking` or `mask_zero` makes a mask of it",
    ]
    if others:
        notes.append(f"likewise {enumerated([node.name for node in others])}")
    return Diagnostic(
        "NN386",
        f"`{first.name}` ({first.kind}) reads all of `{axis}`, padding of `{value.node}` included: "
        "a sample's answer depends on how far it is padded",
        first.span,
        notes=tuple(notes),
        fixes=tuple(_fixes(value, first, axis, slot)),
        severity=Severity.WARNING,
        about=(AxisRef(axis, value.node), *(NodeRef(node.name) for node in mixing)),
    )


def _fixes(value: Value, first: Node, axis: str, slot: SlotPlan) -> Iterator[Fix]:
    if not value.dtype.startswith("float"):
        yield Fix("mask the padding where ids are looked up: `mask_zero: true` of the `Embedding`")
    else:
        pad = f"{slot.pad_value or 0:g}"
        yield Fix(
            f"mask the padding where its steps, or its frames after a spectrogram, are still all {pad}: "
            f"`- Masking: {{name: steps, mask_value: {pad}}}`; after a convolution that keeps their "
            "number put the mask back, `mask_like: {from: [NAME, steps]}`"
        )
    if first.layer.combination(first.args) == "mean":
        yield Fix(f"or take the largest value along `{axis}`, which more padding does not change: `GlobalMaxPooling1D`")
    cut = ", and cut longer ones with `fit: crop`" if slot.source.source.fills_up else ""
    yield Fix(f"or pad all samples to one size, given to `{axis}` under `inputs.{value.node}.axes`{cut}")
