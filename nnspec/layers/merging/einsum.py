"""`einsum`: products of values with axes matched by name, summed over the axes that are not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.reductions import reduce_over
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Args, Node, Window
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.merging.joining import common_size
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View
    from nnspec.backends.types import KerasCallable

_LETTERS = [letter for letter in ascii_lowercase + ascii_uppercase if letter != "z"]  # z is batch


class Einsum(Layer):
    """Multiplies values along axes of the same name, and sums over the axes that `axes` leaves out.

    `einsum: {from: [queries, keys], axes: [head, query, key]}` of (head, query, feature) and (head, key, feature) is
    a matrix of products: `feature` is summed over. A value without an axis is repeated along it. Axes with the same
    name are the same axis; `rename` tells different ones apart. The mask is dropped.

    Input axes:  `batch query feature` and `batch key feature`
    Output axes: `batch query key`, those of `axes` in this order
    """

    kind = "einsum"
    is_axis_operation = True
    arity = (2, None)
    combines = "sum"
    args = {
        "axes": a.Arg(
            {"type": "array", "items": {"type": "string"}},
            "The axes of the product, in their order; all others are summed over.",
        )
    }

    def adds_up(self, args: Args) -> bool:
        return True

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        known: dict[str, Axis] = {}
        for value in call.inputs:
            for axis in value.axes:
                mine = known.setdefault(axis.name, axis)
                size = common_size(call, mine.size, axis.size)
                if size is None:
                    call.fail(
                        "NN311",
                        f"`einsum` has two sizes for `{axis.name}`: {mine.size} and {axis.size}",
                        "from",
                        notes=["axes with the same name are the same axis; `rename` one of them if they are not"],
                        about=[axis.name, value.node],
                    )
                if isinstance(size, int) and not isinstance(mine.size, int):
                    known[axis.name] = axis
        wanted = [str(name) for name in call.args["axes"]]
        every = tuple(known.values())
        for name in wanted:
            call.axis_index(name, "axes", every)
        axes = call.require_unique(tuple(known[name] for name in wanted), "axes")
        windows: dict[int, Window] = {i: WHOLE for i, axis in enumerate(call.axes) if axis.name not in wanted}
        return Inferred((axes,), windows=windows)

    def why(self, node: Node) -> dict[str, str]:
        names = dict.fromkeys(name for value in node.inputs for name in ax.names(value.axes))
        summed = [name for name in names if name not in node.args["axes"]]
        over = f" and sums over {lists.quoted(summed)}" if summed else ""
        return {"": f"{say.joining_sentence(node, 'Multiplies')[:-1]}, axis by axis of one name,{over}."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        equation = equation_of(node)
        return lambda tensors: ops.einsum(equation, *tensors)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        operands = [_Operand(list(ax.names(value.axes)), view) for value, view in zip(node.inputs, inputs, strict=True)]
        wanted: list[str] = node.args["axes"]
        made = operands[0]
        for i, other in enumerate(operands[1:], 1):
            later = {name for operand in operands[i + 1 :] for name in operand.names}
            made = _product(lowering, made, other, {*wanted, *later})
        order = [1 + made.names.index(name) for name in wanted]
        return [made.view.with_axes((made.view.axes[0], *(made.view.axes[i] for i in order)))]


def equation_of(node: Node) -> str:
    """The equation in letters, batch first."""
    names = dict.fromkeys(name for value in node.inputs for name in ax.names(value.axes))
    letter = dict(zip(names, _LETTERS, strict=False))
    parts = ["z" + "".join(letter[name] for name in ax.names(value.axes)) for value in node.inputs]
    return f"{','.join(parts)}->z{''.join(letter[name] for name in node.args['axes'])}"


@dataclass(frozen=True)
class _Operand:
    """A view and what its axes are called, batch left out."""

    names: list[str]
    view: View

    def group(self, name: str) -> Group:
        return self.view.axes[1 + self.names.index(name)]


def _product(lowering: Lowering, left: _Operand, right: _Operand, kept: set[str]) -> _Operand:
    """One MatMul: what both have and keep goes along, what both have and do not keep is summed over."""
    left, right = (
        _sum_unread_axes(lowering, one, {*kept, *other.names}) for one, other in ((left, right), (right, left))
    )
    left, right = _align_factors(lowering, left, right)
    both = [name for name in left.names if name in right.names and name in kept]
    inner = [name for name in left.names if name in right.names and name not in kept]
    mine = [name for name in left.names if name not in right.names]
    theirs = [name for name in right.names if name not in left.names]
    batch = left.view.axes[0]
    along = [left.group(name) for name in both]
    middle = tuple(factor for name in inner for factor in left.group(name))
    rows = _as_in_memory(left.view, [left.group(name) for name in mine])
    columns = _as_in_memory(right.view, [right.group(name) for name in theirs])
    one = lowering.arrange(left.view, (batch, *along, rows, middle))
    two = lowering.arrange(right.view, (batch, *along, middle, columns))
    tensor = lowering.node("MatMul", one.tensor, two.tensor)
    axes = (batch, *along, *(left.group(name) for name in mine), *(right.group(name) for name in theirs))
    made = replace(one, tensor=tensor, dims=(batch, *along, rows, columns), axes=axes, mask=None)
    return _Operand([*both, *mine, *theirs], made)


def _as_in_memory(view: View, groups: Sequence[Group]) -> Group:
    wanted = {factor for group in groups for factor in group}
    return tuple(factor for factor in view.order if factor in wanted)


def _sum_unread_axes(lowering: Lowering, operand: _Operand, kept: set[str]) -> _Operand:
    """The operand without the axes that nothing else reads, which are summed over first."""
    gone = [i + 1 for i, name in enumerate(operand.names) if name not in kept]
    view = operand.view
    if not gone:
        return operand
    ready = lowering.separable(view, gone)
    inside = {factor for axis in gone for factor in view.axes[axis]}
    dims = [i for i, dim in enumerate(ready.dims) if dim and dim[0] in inside]
    tensor = ready.tensor
    if dims:
        tensor = reduce_over(lowering, "ReduceSum", tensor, dims, ready.dims, keepdims=0)
    left = tuple(dim for i, dim in enumerate(ready.dims) if i not in dims)
    axes = tuple(group for i, group in enumerate(view.axes) if i not in gone)
    return _Operand(
        [name for name in operand.names if name in kept], replace(ready, tensor=tensor, dims=left, axes=axes)
    )


def _align_factors(lowering: Lowering, left: _Operand, right: _Operand) -> tuple[_Operand, _Operand]:
    """Both with the very factors in axes of one name, and with none in common elsewhere."""
    inside = {factor for group in right.view.axes[1:] for factor in group}
    right = replace(right, view=right.view.substituted({factor: (lowering.twin(factor),) for factor in inside}))
    shared = [name for name in left.names if name in right.names]
    if any([f.size for f in left.group(name)] != [f.size for f in right.group(name)] for name in shared):
        left = replace(left, view=lowering.collapsed(left.view))
        right = replace(right, view=lowering.collapsed(right.view))
    parts = {
        theirs: (mine,)
        for name in shared
        for mine, theirs in zip(left.group(name), right.group(name), strict=True)
        if mine is not theirs
    }
    view = right.view.substituted(parts)
    first = left.view.axes[0]
    if view.axes[0] != first:
        view = view.substituted({old: (new,) for old, new in zip(view.axes[0], first, strict=True)})
    return left, replace(right, view=view)


LAYERS = (Einsum(),)
