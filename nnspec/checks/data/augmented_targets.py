"""Checks that no augmentation moves the pixels of an image whose targets are a value for each of them."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context, axes_of
from nnspec.data.section.augment_schema import KINDS
from nnspec.diagnostics import Diagnostic, Fix, Related
from nnspec.ir.graph import Graph, Node, Output


def check_augmented_targets(context: Context) -> Iterator[Diagnostic]:
    """NN559: a flip, a rotation, a crop, … of an image, but not of its mask."""
    if context.plan is None:
        return
    for output in context.graph.outputs.values():
        slot = context.plan.outputs.get(output.name)
        if slot is None or slot.folder_of is not None:
            continue
        for node in _moving(context.graph, output):
            axes, ours = dict(axes_of(node.inputs[0])), axes_of(output.value)
            kept = [name for name, size in ours if axes.get(name) == size and name != output.class_axis]
            if len(kept) < 2 and not slot.source.source.is_per_file:
                continue
            yield Diagnostic(
                "NN559",
                f"`{node.name}` moves the pixels of images in training, but not the targets of output "
                f"`{output.name}`, which have a value for each pixel",
                node.span,
                related=(Related(slot.span, "the targets"),),
                fixes=(
                    Fix(f"move it under `data`, where it changes both in the same way: `augment: [{_as_step(node)}]`"),
                    Fix("or use an augmentation that moves nothing, such as `RandomBrightness`"),
                ),
            )


def _as_step(node: Node) -> str:
    """The layer as `augment` has it, if it does."""
    layer, given = (node.inner or node).layer, (node.inner or node).args
    kind = layer.kind if layer.kind in KINDS else "RandomFlip"
    known = KINDS[kind]["properties"] if kind == layer.kind else {}
    said = {key: value for key, value in given.items() if key in known and value != layer.args[key].default}
    body = ", ".join(f"{key}: {value}" for key, value in said.items())
    return f"{kind}: {{{body}}}" if body else kind


def _moving(graph: Graph, output: Output) -> Iterator[Node]:
    """The nodes before an output that move pixels."""
    by_name = {node.name: node for node in graph.nodes}
    waiting, seen = [output.value.node], set[str]()
    while waiting:
        node = by_name.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if (node.inner or node).layer.moves_pixels:
            yield node
        waiting += [value.node for value in node.inputs]
