"""Warns about an output that sees later steps through one layer, though others of its kind keep to earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity
from nnspec.document import format_path
from nnspec.ir.graph import Node, Output, Value
from nnspec.ir.receptive_field import followed, origins

CAUSAL_MASK = "use_causal_mask"
Way = tuple[str, str]  # the argument that makes a layer causal, and the input axis that it runs along


def check_causal_in_part(context: Context) -> Iterator[Diagnostic]:
    """NN384: of the layers on the way to an output with steps, some are causal and one of the same argument is not."""
    nodes = context.graph.nodes
    if not any(_is_causal(node) for node in nodes):
        return
    makers, told = {node.name: node for node in nodes}, set[str]()
    for output in context.graph.outputs.values():
        if context.node("expect", "outputs", output.name, "causal") is not None:
            continue  # NN333 says so
        causal, looking = _ways(output, makers)
        for way, node in looking.items():
            if way in causal and node.name not in told:
                told.add(node.name)
                yield _report(output, way, node, causal[way])


def _ways(output: Output, makers: Mapping[str, Node]) -> tuple[dict[Way, Node], dict[Way, Node]]:
    """The last layer of each way before an output that is causal, and the last that looks ahead."""
    steps, causal, looking = followed(output.value.axes), dict[Way, Node](), dict[Way, Node]()
    seen, waiting = set[str](), [output.value]
    while waiting:
        node = makers.get(waiting.pop().node)
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        for axis in steps:
            if found := _argument(node, axis):
                (causal if _is_causal(node) else looking).setdefault((found, axis), node)
        waiting += node.inputs if node.layer.pairs_positions else node.inputs[:1]
    return causal, looking


def _source(node: Node) -> Node:
    return node.inner if node.inner is not None else node


def _is_causal(node: Node) -> bool:
    args = _source(node).args
    return args.get("padding") == "causal" or bool(args.get(CAUSAL_MASK))


def _argument(node: Node, axis: str) -> str:
    """The argument that says whether a layer looks ahead along an axis; empty where it does not, or where none does."""
    place = next((i for i in node.windows if axis in origins(node.inputs[0].axes[i])), None)
    if place is None or node.layer.keeps_state:
        return ""
    source, window = _source(node), node.windows[place]
    if CAUSAL_MASK in source.args:
        others = source.args.get("attention_mask"), source.args.get("sliding_window")
        return CAUSAL_MASK if _reads_itself(node.inputs) and others == (None, None) else ""
    padding = source.layer.args.get("padding")
    choices = padding.schema.get("enum") if padding is not None else None
    if not isinstance(choices, list) or "causal" not in choices:
        return ""
    same_size = source.args["padding"] in ("same", "causal") and window.stride == 1
    reads_others = window.span is None or window.span > 1
    return "padding" if same_size and reads_others else ""


def _reads_itself(inputs: tuple[Value, ...]) -> bool:
    return len({(value.node, value.port) for value in inputs}) == 1


def _report(output: Output, way: Way, node: Node, causal: Node) -> Diagnostic:
    argument, axis = way
    said = "padding: causal" if argument == "padding" else f"{CAUSAL_MASK}: true"
    return Diagnostic(
        "NN384",
        f"`{node.name}` looks ahead along `{axis}`, so output `{output.name}` sees later positions although "
        f"`{causal.name}` has `{said}`",
        node.span,
        path=format_path(node.path),
        related=(Related(causal.span, f"`{said}` here"),),
        notes=("one layer that looks ahead is enough: all layers after it read what it makes of later positions",),
        fixes=(
            Fix(f"make it causal: `{said}`"),
            Fix(f"if later positions may be seen, `{causal.name}` need not be causal either"),
        ),
        severity=Severity.WARNING,
    )
