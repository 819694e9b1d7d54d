"""Walks a graph in the order of computation, and collects what its rules report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.axes import Axes, Axis, Symbolic
from nnspec.lazy import dataclass
from nnspec.onnx_axes.call import BodyRun, Call
from nnspec.onnx_axes.faults import Fault
from nnspec.onnx_axes.reading import Dimension, OnnxCall, OnnxFile, OnnxGraph, array_of
from nnspec.onnx_axes.rules import RULES
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor, unnamed_axis

if TYPE_CHECKING:
    import numpy as np
    from onnx import TensorProto

CONSTANTS = frozenset(("Constant",))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finding:
    """What a rule reported of a node."""

    call: OnnxCall
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """What is known of all values of a graph."""

    tensors: Mapping[str, Tensor]
    findings: tuple[Finding, ...]


class _Walk:
    def __init__(self, file: OnnxGraph, inputs: Mapping[str, Tensor], around: _Walk | None = None) -> None:
        self.file = file
        self.around = around
        self.tensors: dict[str, Tensor] = dict(inputs)
        self.arrays: dict[str, TensorProto] = dict(file.constants)
        self.findings: list[Finding] = []

    def walk(self) -> Followed:
        for call in self.file.calls:
            if call.op in CONSTANTS:
                self.add_constant(call)
                continue
            operands = [self.value(name) for name in call.inputs]
            rule = RULES.get(call.op)
            found = () if rule is None else rule(Call(call, operands, self.array, self.report, self.run_body))
            for i, name in enumerate(call.outputs):
                if name:
                    self.tensors[name] = self.with_stated(call, name, found[i] if i < len(found) else UNKNOWN)
        return Followed(tensors=self.tensors, findings=tuple(self.findings))

    def value(self, name: str) -> Tensor:
        if name and name not in self.tensors and name in self.arrays:
            self.tensors[name] = self.constant(name)
        if name and name not in self.tensors and self.around is not None:
            return self.around.value(name)
        return self.tensors.get(name, UNKNOWN)

    def run_body(self, call: OnnxCall, attribute: str, given: Sequence[Tensor]) -> BodyRun | None:
        """What is known of the values of a graph that a node runs; None where it is no such graph.

        What is wrong within is not reported: a body has no line of its own in the listing that messages point to.
        """
        body = call.bodies.get(attribute)
        if body is None or len(body.inputs) != len(given):
            return None
        walk = _Walk(body, dict(zip(body.inputs, given, strict=True)), self)
        walk.walk()
        return BodyRun(graph=body, outputs=tuple(walk.value(name) for name in body.outputs), value=walk.value)

    def constant(self, name: str) -> Tensor:
        tensor = self.arrays[name]
        axes = tuple(unnamed_axis(size, f"constant {name}", i) for i, size in enumerate(tensor.dims))
        array = array_of(tensor) if len(axes) <= 1 else None
        numbers = None
        if array is not None and array.dtype.kind in "iub":
            numbers = tuple(int(number) for number in array.reshape(-1))
        return Tensor(axes=axes, numbers=numbers, is_constant=True)

    def add_constant(self, call: OnnxCall) -> None:
        for name in call.outputs:
            if call.array is not None:
                self.arrays[name] = call.array
                continue
            values = [value for key, value in call.attributes.items() if key.startswith("value")]
            value = values[0] if values else None
            numbers = value if isinstance(value, tuple) else (value,)
            known = tuple(n for n in numbers if isinstance(n, int)) if isinstance(value, int | tuple) else ()
            axes = (unnamed_axis(len(numbers), f"constant {name}", 0),) if isinstance(value, tuple) else ()
            is_known = len(known) == len(numbers)
            self.tensors[name] = Tensor(axes=axes, numbers=known if is_known else None, is_constant=True)

    def array(self, name: str) -> np.ndarray | None:
        if name not in self.arrays and self.around is not None and name not in self.tensors:
            return self.around.array(name)
        return array_of(self.arrays[name]) if name in self.arrays else None

    def report(self, call: OnnxCall, fault: Fault) -> None:
        if self.findings and self.findings[-1].call is call:
            return  # two axes that changed places meet each other twice
        self.findings.append(Finding(call=call, fault=fault))

    def with_stated(self, call: OnnxCall, name: str, found: Tensor) -> Tensor:
        """The value with the sizes that the file states where its own could not be computed."""
        stated = self.file.stated.get(name)
        if stated is None:
            return found
        if found.axes is None:
            axes = tuple(unnamed_axis(_size(size, f"{name}.{i}"), f"value {name}", i) for i, size in enumerate(stated))
            return replace(found, axes=axes)
        if len(found.axes) != len(stated):
            return found
        return replace(found, axes=_with_sizes(found.axes, stated))


def _with_sizes(axes: Axes, stated: tuple[Dimension, ...]) -> Axes:
    def sized(axis: Axis, size: Dimension) -> Axis:
        if not isinstance(size, int) or not isinstance(axis.size, Symbolic) or len(axis.atoms) != 1:
            return axis
        atom = axis.atoms[0]
        if not atom.is_whole:
            return axis
        return replace(axis, size=size, atoms=(replace(atom, size=size, original_size=size),) if size != 1 else ())

    return tuple(sized(axis, size) for axis, size in zip(axes, stated, strict=True))


def _size(size: Dimension, name: str) -> int | Symbolic:
    return size if isinstance(size, int) else Symbolic.symbol(size or name)


def follow(file: OnnxFile, inputs: Mapping[str, Tensor]) -> Followed:
    """What is known of every value of a graph, and what its rules report."""
    return _Walk(file, inputs).walk()
