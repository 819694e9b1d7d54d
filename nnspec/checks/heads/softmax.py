"""Checks what a softmax runs over: more than one position, and what is summed over by its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity, quoted
from nnspec.document import format_path
from nnspec.inference.heads import head_function
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node


def check_softmax(context: Context) -> Iterator[Diagnostic]:
    nodes = context.graph.nodes
    within = [node.inner if node.inner is not None and node.layer.repeats_inner else node for node in nodes]
    found = {node.name: over for node, inner in zip(nodes, within, strict=True) if (over := shared_out(inner))}
    if found:
        yield from _check_size(context, found)
        yield from _check_weights(nodes)


def _check_size(context: Context, found: Mapping[str, Sequence[Axis]]) -> Iterator[Diagnostic]:
    """NN324, but for heads whose task says that the softmax is wrong anyway."""
    tasks = {
        head.name: output.task
        for output in context.graph.outputs.values()
        for _, head in [head_function(context.graph.nodes, output)]
        if head is not None
    }
    heads = {name for name, task in tasks.items() if task in ("binary", "multilabel", "regression")}
    for node in context.graph.nodes:
        over = found.get(node.name)
        if not over or prod(axis.size if isinstance(axis.size, int) else 2 for axis in over) != 1 or node.name in heads:
            continue
        others = [axis.name for axis in node.outputs[0].axes if axis.size != 1]
        fixes = [Fix(f"name the axis to normalize over: `- Softmax: {{axis: {name}}}`") for name in others[-1:]]
        if node.name in tasks:  # there it would say which place the class is at
            fixes = [Fix(f"give `{node.name}` a unit for each class")]
        yield Diagnostic(
            "NN324",
            f"the softmax of `{node.name}` runs over {quoted(axis.name for axis in over)}, which has only "
            f"one position: "
            "its output is always 1",
            node.span,
            path=format_path(node.path),
            notes=("with one position there is nothing to normalize against, so no layer before it has any effect",),
            fixes=(
                *fixes,
                Fix(f"for a value from 0 to 1, use `sigmoid`{' and `task: binary`' if node.name in tasks else ''}"),
            ),
        )


def _check_weights(nodes: Sequence[Node]) -> Iterator[Diagnostic]:
    """NN376: values are summed with weights along one input's steps that sum to 1 along another's."""
    softmaxes: dict[str, tuple[Node, Axis]] = {}  # by the name of what gives its weights, as a dropout does
    for node in nodes:
        over = shared_out(node)
        if len(over) == 1 and node.layer.is_positionwise:
            continue  # a head of its own, such as a `Dense` with a softmax
        if len(over) == 1:
            softmaxes[node.name] = node, over[0]
        elif node.layer.is_training_only and node.inputs[0].node in softmaxes:
            softmaxes[node.name] = softmaxes[node.inputs[0].node]
        elif len(node.inputs) == 2 and node.layer.adds_up(node.args):
            yield from _check_weighted_sum(node, softmaxes)


def _check_weighted_sum(node: Node, softmaxes: Mapping[str, tuple[Node, Axis]]) -> Iterator[Diagnostic]:
    one, two = node.inputs
    made = ax.names(node.outputs[0].axes)
    for weights, values in ((one, two), (two, one)):
        softmax, axis = softmaxes.get(weights.node, (None, None))
        if softmax is None or axis is None:
            continue
        summed = [other for other in weights.axes if other.name not in made and other.origin is not None]
        is_apart = axis.name not in ax.names(values.axes) or len(made) == len(weights.axes) + len(values.axes) - 2
        if axis.name not in made or axis.origin is None or not is_apart or len(summed) != 1:
            continue
        (meant,) = summed
        yield Diagnostic(
            "NN376",
            f"`{node.name}` sums over `{meant.name}` with weights that sum to 1 over `{axis.name}`",
            node.span,
            path=format_path(node.path),
            related=(Related(softmax.span, f"the softmax runs over `{axis.name}` here"),),
            notes=("in attention, the weights of each query sum to 1 over the positions that it attends to",),
            fixes=(Fix(f"normalize over the axis that is summed: `axis: {meant.name}`"),),
            severity=Severity.WARNING,
        )
        return


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
