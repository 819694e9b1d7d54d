"""Checks the mask and the targets of steps that a recurrent layer outputs from last to first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Related
from nnspec.ir.graph import Node, Output, Value
from nnspec.ir.receptive_field import followed

Port = tuple[str, str]  # a node and which of its outputs

BOTH_WAYS = Fix(
    "use a `Bidirectional` for both directions: it reverses the backward steps, so that they match the mask"
)
LAST_ALONE = Fix("remove `return_sequences` if only the output after the last step is needed")


def check_direction(context: Context) -> Iterator[Diagnostic]:
    turned = turned_masks(context.graph.nodes)
    for node in context.graph.nodes if turned else ():
        source = next((turned[port] for value in node.inputs if (port := _port(value)) in turned), None)
        reader = _at_mask(node)
        if source is not None and reader.layer.uses_mask and not reader.layer.ends_mask:
            yield _report_mask(reader, source)
    for output in context.graph.outputs.values():
        if context.plan is None or output.name not in context.plan.outputs:
            continue
        axis = _reversed_axis(output.value)
        if axis is not None:
            yield _report_targets(context, output, axis)


def turned_masks(nodes: Iterable[Node]) -> dict[Port, Node]:
    """The values whose steps have been turned round while their mask has not, each with the layer that did it."""
    found: dict[Port, Node] = {}
    for node in nodes:
        masked = next((value for value in node.inputs if value.mask is not None), None)
        if masked is None or node.outputs[0].mask is None:
            continue
        before = next((found[port] for value in node.inputs if (port := _port(value)) in found), None)
        after, run = before, _at_mask(node)
        if run.args.get("go_backwards") and run.args.get("return_sequences"):
            after = run if before is None else None  # turned twice, steps and mask agree again
        elif node.inputs[0].outer and not node.outputs[0].outer:
            after = None  # what is masked now are the outer positions, in which nothing turned
        elif node.layer.replaces_mask:
            after = None
        if after is not None:
            found[node.name, node.outputs[0].port] = after
    return found


def _at_mask(node: Node) -> Node:
    """What a mask is for: the node, or the layer within it that is applied to positions with masks of their own."""
    while node.layer.repeats_inner and node.inner is not None and node.inputs[0].outer:
        node = node.inner
    return node


def _port(value: Value) -> Port:
    return value.node, value.port


def _report_mask(node: Node, source: Node) -> Diagnostic:
    steps = source.inputs[0].axes[0].name
    return Diagnostic(
        "NN360",
        f"`{node.kind}` reads steps of `{steps}` from last to first, with a mask from first to last: "
        "it skips steps with data, and reads padding",
        node.span,
        related=(Related(source.span, "`go_backwards` reverses the steps, but Keras does not reverse the mask"),),
        notes=("a sequence that is padded to more than twice its length has no influence on later layers",),
        fixes=(
            BOTH_WAYS,
            LAST_ALONE,
            Fix("remove the mask with `unmask` between the two if padding can count as data"),
        ),
    )


def _reversed_axis(value: Value) -> str | None:
    """The input axis that the value runs along from its end, if there is one."""
    there = followed(value.axes)
    return next((name for name, f in value.fields.items() if f.stride < 0 and there.get(name, 1) != 1), None)


def _report_targets(context: Context, output: Output, axis: str) -> Diagnostic:
    return Diagnostic(
        "NN361",
        f"output `{output.name}` has the steps of `{axis}` from last to first, but its targets are in forward order",
        context.span("outputs", output.name),
        path=f"outputs.{output.name}",
        notes=(
            "with `go_backwards`, a recurrent layer outputs its steps from last to first: the first "
            "target is compared with the "
            "output of the last step",
        ),
        fixes=(BOTH_WAYS, Fix("reverse the steps again with a second layer with `go_backwards: true`")),
    )
