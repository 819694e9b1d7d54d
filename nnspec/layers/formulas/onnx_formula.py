"""Formulas in ONNX: every value and weight with all axes of the formula in one order, then plain broadcasting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.reductions import reduce_over
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.layers.formulas.algebra import compute
from nnspec.layers.formulas.own_weights import OwnWeight, declared
from nnspec.layers.formulas.parse import names_in, parse
from nnspec.layers.normalization.rescaling import cast_to_float32
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View

Groups = tuple["Group", ...]  # for each axis of the formula what a value has of it


@dataclass(frozen=True)
class _Term:
    """A tensor with batch and all the formula's axes; one without any group is a number, or the same for all."""

    tensor: str
    groups: Groups


def lower(node: Node, inputs: Sequence[View], lowering: Lowering) -> View:
    """The formula's value."""
    from nnspec.backends.onnx.builder import onnx_type
    from nnspec.backends.onnx.view import View

    order: Sequence[str] = node.args["order"]
    tree = parse(str(node.args["expression"]))
    used = names_in(tree)
    terms: dict[str, _Term] = {}
    longest: dict[str, Group] = {}  # one run of indices an axis, whichever values have it
    called = node.args["named"]
    for name, view, value, axes in zip(node.args["values"], inputs, node.inputs, called, strict=True):
        if name in used:
            view = view if value.dtype.startswith("float") else cast_to_float32(lowering, view)
            terms[name] = _spread(lowering, lowering.collapsed(view), axes, order, longest)
    is_constant = not terms
    for weight in declared(node):
        for axis, size in zip(weight.axes, weight.sizes, strict=True):
            if size != 1 and not longest.get(axis.name):
                longest[axis.name] = lowering.factor(axis.name, size)
        groups = tuple(longest.get(axis, ()) if _is_long(weight, axis) else () for axis in order)
        terms[weight.name] = _Term(_constant(lowering, weight, order), groups)
    made = compute(tree, _Nodes(lowering, terms, order), terms)
    tensor = _for_every_sample(lowering, inputs[0], made.tensor, len(order)) if is_constant else made.tensor
    present = ax.names(node.outputs[0].axes)
    gone = [i + 1 for i, axis in enumerate(order) if axis not in present]
    if gone:
        tensor = lowering.node("Squeeze", tensor, lowering.constant(np.asarray(gone, np.int64), "axes"))
    kept = [group for axis, group in zip(order, made.groups, strict=True) if axis in present]
    dims = (inputs[0].axes[0], *kept)
    dtype = node.outputs[0].dtype
    if dtype != "float32":
        tensor = lowering.node("Cast", tensor, to=onnx_type(dtype))
    return View(tensor, dims, dims, dtype)


def lower_weight(node: Node, read: View, lowering: Lowering) -> View:
    """The node's weight, once for every sample of what it reads."""
    from nnspec.backends.onnx.view import View

    (weight,) = declared(node)
    constant = _constant(lowering, weight, ax.names(weight.axes))
    tensor = _for_every_sample(lowering, read, constant, len(weight.axes))
    groups = tuple(lowering.factor(axis.name, axis.size) for axis in weight.axes)
    dims = (read.axes[0], *groups)
    return View(tensor, dims, dims, "float32")


def _is_long(weight: OwnWeight, name: str) -> bool:
    return any(axis.name == name and axis.size != 1 for axis in weight.axes)


def _constant(lowering: Lowering, weight: OwnWeight, order: Sequence[str]) -> str:
    """The weight's values behind one row of batch, with all axes of the formula in their order."""
    names = ax.names(weight.axes)
    array = np.reshape(lowering.weights[weight.name], weight.sizes)
    array = np.transpose(array, [names.index(axis) for axis in order if axis in names])
    sizes = dict(zip(names, weight.sizes, strict=True))
    spread = np.reshape(array, (1, *(sizes.get(axis, 1) for axis in order)))
    return lowering.constant(np.ascontiguousarray(spread), weight.name)


def _spread(
    lowering: Lowering, view: View, names: Sequence[str], order: Sequence[str], longest: dict[str, Group]
) -> _Term:
    """A value with all axes of the formula in their order; `longest` learns what stands for each axis."""
    own = dict(zip(names, view.axes[1:], strict=True))
    dims = (view.axes[0], *(own.get(axis, ()) for axis in order))
    tensor = lowering.arrange(view, dims).tensor
    for axis, group in own.items():
        longest[axis] = longest.get(axis) or group
    return _Term(tensor, tuple(longest[axis] if own.get(axis) else () for axis in order))


def _for_every_sample(lowering: Lowering, read: View, tensor: str, rank: int) -> str:
    """What is the same for all samples, once for each sample of `read`."""
    rows = lowering.run_time_size(read.axes[0])
    ones = lowering.constant(np.ones(rank, np.int64), "ones")
    return lowering.node("Expand", tensor, lowering.node("Concat", rows, ones, axis=0) if rank else rows)


_UNARY = {
    "negative": "Neg",
    "log": "Log",
    **{name: name.capitalize() for name in ("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos")},
    **{name: name.capitalize() for name in ("cosh", "erf", "exp", "floor", "reciprocal", "relu", "round", "sigmoid")},
    **{name: name.capitalize() for name in ("sign", "sin", "sinh", "softplus", "softsign", "sqrt", "tan", "tanh")},
}
_BINARY = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "maximum": "Max",
    "minimum": "Min",
}
_COMPARISONS = {
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "equal": "Equal",
}
_REDUCTIONS = {"mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin"}
_POSITIONS = {"argmax": "ArgMax", "argmin": "ArgMin"}


@dataclass
class _Nodes:
    """The algebra of ONNX nodes."""

    lowering: Lowering
    terms: Mapping[str, _Term]
    order: Sequence[str]

    def number(self, value: float) -> _Term:
        return _Term(self.lowering.scalar(value, "float32"), ((),) * len(self.order))

    def name(self, name: str) -> _Term:
        return self.terms[name]

    def unary(self, function: str, value: _Term) -> _Term:
        node, tensor = self.lowering.node, value.tensor
        if function == "square":
            made = node("Mul", tensor, tensor)
        elif function == "rsqrt":
            made = node("Reciprocal", node("Sqrt", tensor))
        elif function == "log1p":
            made = node("Log", node("Add", tensor, self.number(1.0).tensor))
        elif function == "expm1":
            made = node("Sub", node("Exp", tensor), self.number(1.0).tensor)
        else:
            made = node(_UNARY[function], tensor)
        return _Term(made, value.groups)

    def binary(self, function: str, left: _Term, right: _Term) -> _Term:
        return self.joined(_BINARY[function], left, right)

    def compare(self, function: str, left: _Term, right: _Term) -> _Term:
        if function == "not_equal":
            equal = self.joined("Equal", left, right)
            return _Term(self.lowering.node("Not", equal.tensor), equal.groups)
        return self.joined(_COMPARISONS[function], left, right)

    def where(self, flag: _Term, value: _Term, other: _Term) -> _Term:
        return self.joined("Where", flag, value, other)

    def accumulate(self, value: _Term, axis: str) -> _Term:
        place = self.lowering.constant(np.asarray(self.order.index(axis) + 1, np.int64), "axis")
        return _Term(self.lowering.node("CumSum", value.tensor, place), value.groups)

    def reduce(self, function: str, value: _Term, axes: Sequence[str]) -> _Term:
        groups = tuple(() if axis in axes else group for axis, group in zip(self.order, value.groups, strict=True))
        if function in _POSITIONS:
            from nnspec.backends.onnx.builder import onnx_type

            place = self.order.index(axes[0]) + 1
            found = self.lowering.node(_POSITIONS[function], value.tensor, axis=place, keepdims=1)
            return _Term(self.lowering.node("Cast", found, to=onnx_type("float32")), groups)
        dims = [self.order.index(axis) + 1 for axis in axes]
        if function in ("mean", "sum"):
            dimensions = ((), *value.groups)  # the batch is none that is reduced
            made = reduce_over(self.lowering, _REDUCTIONS[function], value.tensor, dims, dimensions, keepdims=1)
        else:
            constant = self.lowering.constant(np.asarray(dims, np.int64), "axes")
            made = self.lowering.node(_REDUCTIONS[function], value.tensor, constant, keepdims=1)
        return _Term(made, groups)

    def joined(self, op: str, *terms: _Term) -> _Term:
        groups = tuple(
            next((group for group in groups if group), ()) for groups in zip(*(t.groups for t in terms), strict=True)
        )
        return _Term(self.lowering.node(op, *(term.tensor for term in terms)), groups)
