"""Checks padding that no mask matches: its value was changed, differs from the masked value, or is never masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nnspec.checks.context import Context
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics import Diagnostic, Edit, Fix, Severity
from nnspec.document import Mapping, locate
from nnspec.ir.graph import Graph, Node, Value
from nnspec.lazy import dataclass

Port = tuple[str, str]  # a node and which of its outputs


@dataclass(frozen=True)
class Padding:
    """What padded steps hold by the time that a value is read.

    Attributes:
        value: the number that all their features are; None where that depends on weights or statistics.
        is_assumed: whether the data do not say how they are padded, so that `value` is what people take, 0.
        changed_by: what changed it, in words; nothing has where it is empty.
        slot: where the data of the input come from.
        changer: the layer that changed it, where one did.
    """

    value: float | None
    is_assumed: bool
    changed_by: str = ""
    slot: SlotPlan | None = None
    changer: Node | None = None


def check_padding(context: Context) -> Iterator[Diagnostic]:
    graph = context.graph
    masked = {node.name: wanted for node in graph.nodes if (wanted := node.layer.masked_value(node)) is not None}
    found = {(name, "output"): _at_input(context, name) for name in graph.inputs} if masked else {}
    for node in graph.nodes if masked else ():
        before = found.get(_port(node.inputs[0]))
        if before is None:
            continue
        if (wanted := masked.get(node.name)) is not None:
            yield from _check_mask(context, node, before, wanted)
        elif node.outputs[0].mask is None:
            read = [found[port] for port in map(_port, node.inputs) if port in found]
            made = _padding_after(node, before) if len(node.inputs) == 1 else _join_paddings(node, read)
            if made is not None:
                found[node.name, node.outputs[0].port] = made
    for name in graph.inputs:
        slot = context.plan.inputs.get(name) if context.plan is not None else None
        if slot is not None and slot.lengths and not is_masked(graph, name):
            yield _no_mask(context, name, slot)


def _port(value: Value) -> Port:
    return value.node, value.port


def _at_input(context: Context, name: str) -> Padding:
    slot = context.plan.inputs.get(name) if context.plan is not None else None
    if slot is None:
        return Padding(0.0, is_assumed=True)
    if slot.pad_value is not None:  # scaling leaves it alone
        return Padding(slot.pad_value, is_assumed=False, slot=slot)
    method = slot.scale.method if slot.scale is not None else "none"
    if method == "standard":
        return Padding(None, is_assumed=False, changed_by="`scale: standard`", slot=slot)
    return Padding(0.0, is_assumed=True, slot=slot)


def _padding_after(node: Node, before: Padding) -> Padding:
    if before.value is None:
        return before
    after = node.layer.padding_behind(node, before.value)
    return before if after == before.value else _change(before, after, node)


def _change(before: Padding, value: float | None, node: Node) -> Padding:
    return replace(before, value=value, changed_by=f"`{node.name}` ({node.kind})", changer=node)


def _join_paddings(node: Node, read: Sequence[Padding]) -> Padding | None:
    """What a node that reads several values makes of their padding; None where that is not known."""
    made = node.layer.joined_padding(node, [each.value for each in read]) if len(read) == len(node.inputs) else ()
    if not made:
        return None
    (value,) = made
    changed = next((each for each in read if each.changed_by and (value is None or each.value == value)), None)
    if changed is not None:
        return replace(changed, value=value)
    own = next((each for each in read if each.is_assumed), read[0])  # the one that is not declared may be another
    return own if own.value == value else _change(own, value, node)


def _check_mask(context: Context, node: Node, before: Padding, wanted: float) -> Iterator[Diagnostic]:
    if before.value == wanted or (before.is_assumed and not before.changed_by):
        return
    what = f"`{node.name}` masks steps that contain only {wanted:g}"
    if not node.layer.mask_argument:
        what = f"`{node.name}` treats id 0 as padding"
    pad = f"padding, {before.value:g} in the data," if not before.is_assumed and before.value is not None else "padding"
    if before.changed_by:
        becomes = "another value" if before.value is None else f"{before.value:g}"
        message = f"{what}, but {before.changed_by} turns padding into {becomes}: nothing is masked"
    else:
        message = f"{what}, but {pad} has another value: nothing is masked"
    yield Diagnostic(
        "NN362",
        message,
        node.span,
        fixes=tuple(_fixes(context, node, before, wanted)),
        severity=Severity.WARNING if before.is_assumed else Severity.ERROR,
    )


def _fixes(context: Context, node: Node, before: Padding, wanted: float) -> Iterator[Fix]:
    if before.changed_by == "`scale: standard`" and before.slot is not None:
        yield Fix(
            f"declare the padding value, `pad_value: {wanted:g}` under `data.inputs.{before.slot.name}`: "
            "it is then not scaled, and not counted in the statistics"
        )
        return
    maker = next((maker for maker in context.graph.nodes if maker.name == node.inputs[0].node), None)
    if maker is not None and maker.layer.looks_up_ids:
        yield Fix(f"mask id 0 where it is looked up: `mask_zero: true` of `{maker.name}`, and no `{node.kind}`")
        return
    if before.changer is not None and before.changer.layer.for_silence:
        yield from map(Fix, before.changer.layer.for_silence)
        return
    if before.changed_by:
        yield Fix(
            f"put the `{node.kind}` before {before.changed_by}: layers that treat each step separately keep its mask"
        )
        if before.slot is not None and before.value is None:
            yield Fix(
                "or scale in `data`, which does not change padding: `scale: standard` under "
                f"`data.inputs.{before.slot.name}`"
            )
        return
    argument = node.layer.mask_argument
    if argument and before.value is not None:
        place = locate(context.root, (*node.path, node.kind, argument))
        is_given = argument in node.given and not isinstance(place, Mapping)
        edits = (Edit(place.span, f"{before.value:g}"),) if is_given else ()
        yield Fix(f"set `{argument}: {before.value:g}`", edits)
    if before.slot is not None:
        yield Fix(f"or pad with the masked value: `pad_value: {wanted:g}` under `data.inputs.{before.slot.name}`")


def is_masked(graph: Graph, name: str) -> bool:
    """Whether anything that an input leads to carries a mask."""
    reached = {name}
    for node in graph.nodes:
        if any(value.node in reached for value in node.inputs):
            if any(value.mask is not None for value in node.outputs) or node.layer.masked_value(node) is not None:
                return True
            reached.add(node.name)
    return False


def _no_mask(context: Context, name: str, slot: SlotPlan) -> Diagnostic:
    pad = slot.pad_value or 0.0
    is_id = not context.graph.inputs[name].dtype.startswith("float")
    fix = (
        "set `mask_zero: true` on the `Embedding` that reads it"
        if is_id
        else f"start with `Masking: {{mask_value: {pad:g}}}`"
    )
    return Diagnostic(
        "NN363",
        f"input `{name}` has `lengths`, but no layer masks the padding of its sequences: padding counts as data",
        slot.span_of("lengths"),
        path=slot.where("lengths"),
        notes=("the same sequence gives another result if it is padded to another length",),
        fixes=(Fix(fix),),
        severity=Severity.WARNING,
    )
