"""Checks sizes that no framework and no ONNX file can represent, before anything is built."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic, Span
from nnspec.ir.axes import Size
from nnspec.ir.graph import Node

MAX_SIZE = 2**31 - 1  # TensorFlow and ONNX Runtime index tensors and weights with 32 bits in many kernels


def describe_oversized(node: Node) -> Iterator[str]:
    """NN210 for every axis and every weight of a node that nothing can hold, in words."""
    for value in node.outputs:
        for axis in value.axes:
            if is_too_large(axis.size):
                yield f"`{node.name}` would make `{axis.name}` {axis.size} long, more than {MAX_SIZE}"
    for weight in node.weights:
        if is_too_large(weight.count):
            shape = f"({', '.join(map(str, weight.shape))})"
            yield f"`{node.name}` would have a {weight.name} of {shape}, more than {MAX_SIZE} elements"


def is_too_large(size: Size) -> bool:
    return isinstance(size, int) and size > MAX_SIZE


def report_declared_size(axis: str, size: Size, span: Span, path: str) -> Diagnostic:
    """NN210 for an axis of an input."""
    return Diagnostic("NN210", f"`{axis}` is {size} long, more than {MAX_SIZE}", span, path=path)
