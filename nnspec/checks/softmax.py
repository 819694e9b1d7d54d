"""Checks that no softmax runs over a single position, where it is always 1."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, quoted
from nnspec.document import format_path
from nnspec.inference.heads import head_function
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node


def check_softmax(context: Context) -> Iterator[Diagnostic]:
    """NN324, but for heads whose task says that the softmax is wrong anyway."""
    heads = {
        head.name
        for output in context.graph.outputs.values()
        for _, head in [head_function(context.graph.nodes, output)]
        if head is not None and output.task in ("binary", "multilabel", "regression")
    }
    for node in context.graph.nodes:
        inner = node.inner if node.inner is not None and node.layer.repeats_inner else node
        over = shared_out(inner)
        if not over or prod(axis.size if isinstance(axis.size, int) else 2 for axis in over) != 1 or node.name in heads:
            continue
        others = [axis.name for axis in inner.outputs[0].axes if axis.size != 1]
        fixes = [Fix(f"name the axis to normalize over: `- Softmax: {{axis: {name}}}`") for name in others[:1]]
        yield Diagnostic(
            "NN324",
            f"the softmax of `{node.name}` runs over {quoted(axis.name for axis in over)}, which has only "
            f"one position: "
            "its output is always 1",
            node.span,
            path=format_path(node.path),
            notes=("with one position there is nothing to normalize against, so no layer before it has any effect",),
            fixes=(*fixes, Fix("for a value from 0 to 1, use `sigmoid`")),
        )


def shared_out(node: Node) -> list[Axis]:
    """The axes that a node's softmax runs over; none where it has none."""
    axes = node.outputs[0].axes if node.outputs else ()
    if not axes:
        return []
    if node.layer.own_activation == "softmax":
        given = node.args.get("axis", -1)
        places = given if isinstance(given, list | tuple) else [given]
        return [axes[place - 1 if place > 0 else place] for place in places]
    is_recurrent = (node.layer.keeps_state and node.layer.steps) or "recurrent_activation" in node.args
    return [axes[-1]] if node.args.get("activation") in ("softmax", "log_softmax") and not is_recurrent else []
