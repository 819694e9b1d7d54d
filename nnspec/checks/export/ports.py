"""Checks that inputs, outputs and states of the deployed graph have unique names."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Span
from nnspec.document import Mapping


def check_ports(context: Context) -> Iterator[Diagnostic]:
    graph = context.graph
    for name in graph.outputs:
        if name in graph.inputs:
            message = f"an input and an output are both named `{name}`, but names must be unique in the deployed graph"
            fix = _renaming(context, name)
            yield Diagnostic("NN402", message, _place(context, "outputs", name), path=f"outputs.{name}", fixes=(fix,))
    for name, output in graph.outputs.items():
        if output.label in graph.inputs or output.label in graph.outputs:
            message = (
                f"the labels of output `{name}` have the same name in the deployed graph as another value: "
                f"`{output.label}`"
            )
            fix = Fix(f"give `{output.label}` another name")
            yield Diagnostic("NN402", message, _place(context, "outputs", name), path=f"outputs.{name}", fixes=(fix,))
    for node in graph.nodes:
        for state in node.layer.state_axes(node):
            for port, does in ((state, "input"), (f"{state}_next", "output")):
                for section in ("inputs", "outputs"):
                    if port not in getattr(graph, section):
                        continue
                    message = (
                        f"{section[:-1]} `{port}` has the same name as a state {does} of the deployed graph, because "
                        f"`{node.name}` is stateful"
                    )
                    place = _place(context, section, port)
                    fix = Fix(f"rename the {section[:-1]}, or give the layer another `name`")
                    yield Diagnostic("NN402", message, place, path=f"{section}.{port}", fixes=(fix,))


def _renaming(context: Context, name: str) -> Fix:
    """The output under another name wherever the spec speaks of outputs; certain where nothing else may mean it."""
    free = (f"{name}_{word}" for word in ("output", *range(2, 99)))
    known = {*context.graph.inputs, *context.graph.outputs}
    new = next(each for each in free if each not in known)
    keys = [
        node.key_span(name)
        for section in (("outputs",), ("data", "outputs"), ("expect", "outputs"))
        if isinstance(node := context.node(*section), Mapping) and name in node.entries
    ]
    layout, monitor = context.node("export", "layout"), context.node("training", "monitor")
    is_meant = isinstance(layout, Mapping) and name in layout.entries
    is_certain = not is_meant and monitor is None and context.node("training", "callbacks") is None
    return Fix(
        f"rename the output to `{new}`, here and under `data: {{outputs: …}}`",
        tuple(Edit(span, new) for span in keys),
        Applicability.MACHINE if is_certain else Applicability.MAYBE,
    )


def _place(context: Context, section: str, name: str) -> Span:
    node = context.node(section)
    return node.key_span(name) if isinstance(node, Mapping) else context.span(section)
