"""Nodes that an output implies: they stand behind its head, and no item of the spec says them."""

from __future__ import annotations

from nnspec.diagnostics import Report, Span
from nnspec.inference.node import make_call, make_node
from nnspec.ir.graph import Node, Value
from nnspec.layers.kit.base import Fault, Layer


def implied_node(
    layer: Layer, output: str, role: str, values: tuple[Value, ...], span: Span, report: Report
) -> Node | None:
    """A node of the name `OUTPUT.ROLE` that reads these values; None where it cannot, which is reported."""
    name, path = f"{output}.{role}", ("outputs", output)
    call = make_call(layer, name, span, span, None, values, report, path, [])
    try:
        return make_node(layer, name, call, layer.infer(call), span, path)
    except Fault as fault:
        report.add(fault.diagnostic)
        return None
