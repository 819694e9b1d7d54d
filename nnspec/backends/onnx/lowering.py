"""What a layer uses to write its ONNX nodes: the graph, the weights of the node at hand, and arrangement of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from nnspec.axes import Axes, Size, divide, divides
from nnspec.backends.onnx.builder import Body, GraphBuilder, OnnxNode, Port
from nnspec.backends.onnx.view import Factor, Group, View, cut_to, group_size, runs

Array = np.ndarray


@dataclass
class Affine:
    """A Conv, Gemm or MatMul+Add whose result may still be scaled and shifted by changing its constants.

    `scale(weight, factor)` multiplies the weight's outputs.
    """

    weight: str
    bias: str | None
    node: OnnxNode
    scale: Callable[[Array, Array], Array]
    channels: Callable[[Array], Array]  # a vector over the spec's axis, in the order of the weight's outputs


@dataclass
class State:
    """Recurrent state as an explicit input and output of the graph."""

    input: str
    output: str
    shape: tuple[int | str, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Packed:
    """What a masked recurrent layer reads instead of a tensor: the same data steps, whatever stands in the masked ones.

    Attributes:
        view: over the same factors; its steps stand where they stood, or, with `lengths`, data first.
        mask: the tensor of the mask that it was made for.
        lengths: the number of data steps of each sequence, where the data were moved to the front.
    """

    view: View
    mask: str
    lengths: str | None = None


@dataclass
class Lowering:
    """The walk's state, seen by one node at a time.

    Attributes:
        weights: the current node's trained weights by name.
        is_sole_reader: whether nothing but the current node reads its (first) input.
        is_right_padded: whether sequences are promised to hold data first and padding after it.
        packed: by tensor, what masked recurrent layers read instead of it.
    """

    graph: GraphBuilder
    stem: str = ""
    weights: Mapping[str, Array] = field(default_factory=dict)
    is_sole_reader: bool = False
    is_right_padded: bool = False
    affine: dict[str, Affine] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    origins: dict[Factor, tuple[str, int]] = field(default_factory=dict)
    packed: dict[str, Packed] = field(default_factory=dict)
    _made: dict[tuple[str, str], str] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------ nodes

    def node(self, op: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Appends a node; the name of its first output."""
        return self.nodes(op, *inputs, outputs=outputs, domain=domain, **attributes)[0]

    def nodes(self, op: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        return self.graph.add(op, inputs, stem=self.stem, outputs=outputs, attributes=attributes, domain=domain)

    def once(self, what: str, tensor: str, make: Callable[[], str]) -> str:
        """The result of `make`, which is called the first time that this is wanted of a tensor."""
        key = what, tensor
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @contextmanager
    def body(self) -> Iterator[Body]:
        """What is written inside becomes the body of a Scan."""
        made = dict(self._made)
        with self.graph.body() as body:
            yield body
        self._made = made  # what was made inside cannot be read outside

    def constant(self, array: Any, hint: str) -> str:
        return self.graph.constant(array, f"{self.stem}/{hint}")

    def scalar(self, value: float, dtype: str = "float32") -> str:
        return self.graph.constant(np.asarray(value, dtype), f"{self.stem}/{value:g}")

    def elementwise(self, op: str, view: View, *more: str, **attributes: Any) -> View:
        """An op that works on every element by itself, whatever the layout."""
        return replace(view, tensor=self.node(op, view.tensor, *more, **attributes))

    def factor(self, label: str, size: Size | None) -> Group:
        """A new run of indices; none at all for size 1."""
        if size == 1:
            return ()
        return (Factor(label, size if isinstance(size, int) else None, size),)

    def rebracketed(self, view: View, axes: Axes) -> View:
        """A row-major reshape of the spec's axes: mostly new brackets around the same memory, without a node."""
        factors = [factor for group in view.axes[1:] for factor in group]
        dealt = cut_to(factors, [axis.size for axis in axes])
        if dealt is not None:
            groups, cuts = dealt
            return view.substituted(cuts).with_axes((view.axes[0], *groups))
        flat = self.canonical(view)
        made = tuple(self.factor(axis.name, axis.size) for axis in axes)
        dims = (view.axes[0], *made)
        return replace(flat, tensor=self._reshape(flat, dims), dims=dims, axes=dims, mask=None)

    # ------------------------------------------------------------------------------------------------ layout

    def arrange(self, view: View, dims: Sequence[Group]) -> View:
        """The same tensor with these physical dimensions, by no, one or few nodes."""
        target = tuple(dims)
        if view.dims == target:
            return view
        wanted = tuple(factor for group in target for factor in group)
        assert len(wanted) == len(view.order), (view, dims)
        assert set(wanted) == set(view.order), (view, dims)
        if view.order == wanted:
            return self._reshaped(view, target)
        pieces = _transposable(view, target, wanted)
        source = view
        stripped = tuple(dim for dim in view.dims if dim)
        if tuple(pieces) != stripped:
            source = self._reshaped(view, tuple(pieces))
        filled = [dim for dim in source.dims if dim]
        place = {factor: i for i, factor in enumerate(wanted)}
        order = sorted(range(len(filled)), key=lambda i: place[filled[i][0]])
        if len(filled) != len(source.dims):  # unit dimensions travel along, to where the target has them if they can
            return self._transposed_with_units(source, target, [filled[i] for i in order])
        tensor = self.node("Transpose", source.tensor, perm=order)
        result = replace(source, tensor=tensor, dims=tuple(filled[i] for i in order))
        return self._reshaped(result, target)

    def _transposed_with_units(self, view: View, target: tuple[Group, ...], order: list[Group]) -> View:
        units = [i for i, dim in enumerate(view.dims) if not dim]
        place = {dim: i for i, dim in enumerate(view.dims) if dim}
        if tuple(dim for dim in target if dim) == tuple(order) and len(target) == len(view.dims):
            spare = iter(units)
            perm = [place[dim] if dim else next(spare) for dim in target]
            return replace(view, tensor=self.node("Transpose", view.tensor, perm=perm), dims=target)
        perm = [place[dim] for dim in order] + units
        dims = tuple(order) + ((),) * len(units)
        return self._reshaped(replace(view, tensor=self.node("Transpose", view.tensor, perm=perm), dims=dims), target)

    def _reshaped(self, view: View, dims: tuple[Group, ...]) -> View:
        if view.dims == dims:
            return view
        return replace(view, tensor=self._reshape(view, dims), dims=dims)

    def _reshape(self, view: View, dims: tuple[Group, ...]) -> str:
        shape: list[int] = []
        unknown: list[int] = []
        for i, dim in enumerate(dims):
            size = group_size(dim)
            if size is not None:
                shape.append(size)
            elif i < len(view.dims) and view.dims[i] == dim:
                shape.append(0)
            else:
                unknown.append(i)
                shape.append(-1)
        if len(unknown) > 1:
            by_units = self._reshape_by_units(view, dims)
            return by_units if by_units is not None else self._reshape_at_run_time(view, dims, shape, unknown)
        return self.node("Reshape", view.tensor, self.constant(np.asarray(shape, np.int64), "shape"))

    def _reshape_by_units(self, view: View, dims: tuple[Group, ...]) -> str | None:
        """Several unknown sizes where unit dimensions can be dropped, or added, so that each keeps its place."""
        tensor, current = view.tensor, view.dims
        if tuple(d for d in current if d) == tuple(d for d in dims if d):
            units = [i for i, dim in enumerate(current) if not dim]
            if units:
                tensor = self.node("Squeeze", tensor, self.constant(np.asarray(units, np.int64), "axes"))
            units = [i for i, dim in enumerate(dims) if not dim]
            if units:
                tensor = self.node("Unsqueeze", tensor, self.constant(np.asarray(units, np.int64), "axes"))
            return tensor
        padded: list[Group] = []
        for dim in filter(None, dims):  # unit dimensions in front of each unknown one until it stands where it stood
            place = next((i for i, old in enumerate(current) if old == dim), None) if group_size(dim) is None else None
            if place is not None and place >= len(padded):
                padded += [()] * (place - len(padded))
            padded.append(dim)
        still = [d for i, d in enumerate(padded) if group_size(d) is None and (i >= len(current) or current[i] != d)]
        if len(still) > 1 or tuple(padded) == dims:
            return None
        middle = replace(view, tensor=self._reshape(view, tuple(padded)), dims=tuple(padded))
        return self._reshape(middle, dims)

    def _reshape_at_run_time(self, view: View, dims: tuple[Group, ...], shape: list[int], unknown: list[int]) -> str:
        """Two or more sizes that only the running graph knows: all but the last are read where they are known."""
        parts: list[str] = []
        for i, size in enumerate(shape):
            if i in unknown[:-1]:
                parts.append(self.run_time_size(dims[i]))
            else:
                parts.append(self.constant(np.asarray([size], np.int64), "size"))
        return self.node("Reshape", view.tensor, self.node("Concat", *parts, axis=0))

    def run_time_size(self, group: Group) -> str:
        """The size of a dimension that only the running graph knows, as a tensor of one number."""
        result: str | None = None
        known = 1
        for factor in group:
            if factor.size is not None:
                known *= factor.size
                continue
            tensor, dim, over = self._origin(factor)
            size = self.once(f"size {dim}", tensor, partial(self.node, "Shape", tensor, start=dim, end=dim + 1))
            if over != 1:
                size = self.node("Div", size, self.constant(np.asarray([over], np.int64), "parts"))
            result = size if result is None else self.node("Mul", result, size)
        assert result is not None
        if known != 1:
            result = self.node("Mul", result, self.constant(np.asarray([known], np.int64), "size"))
        return result

    def _origin(self, factor: Factor) -> tuple[str, int, int]:
        """Where a size can be read: a tensor, its dimension, and how many times too long that is."""
        if factor in self.origins:
            return (*self.origins[factor], 1)
        for known, (tensor, dim) in self.origins.items():  # a part of an axis that was cut
            if known.extent is None or factor.extent is None:
                continue
            over = divide(known.extent, factor.extent) if divides(factor.extent, known.extent) else None
            if isinstance(over, int):
                return tensor, dim, over
        raise KeyError(factor)

    def canonical(self, view: View) -> View:
        """Memory in the order of the axes, a dimension an axis."""
        return self.arrange(view, view.axes)

    def collapsed(self, view: View) -> View:
        """As `canonical`, with each axis one factor."""
        flat = self.canonical(view)
        groups = []
        for i, axis in enumerate(flat.axes):
            if len(axis) <= 1:
                groups.append(axis)
                continue
            group = (Factor("+".join(f.label for f in axis), group_size(axis)),)
            if group[0].size is None:
                self.origins[group[0]] = (flat.tensor, i)
            groups.append(group)
        return replace(flat, dims=tuple(groups), axes=tuple(groups))

    def with_axis_alone(self, view: View, axis: int) -> tuple[View, int]:
        """The view with this axis as one dimension in the axis' own order, and which dimension that is."""
        group = view.axes[axis]
        if not group:
            extended = self.arrange(view, (*view.dims, ()))
            return extended, len(extended.dims) - 1
        place = view.dim_of(axis)
        if place is not None:
            return view, place
        inside = set(group)
        rest: list[Group] = []
        position: int | None = None
        for dim in view.dims:
            others = tuple(f for f in dim if f not in inside)
            if position is None and len(others) != len(dim):
                before = tuple(f for f in dim[: next(i for i, f in enumerate(dim) if f in inside)])
                after = tuple(f for f in others if f not in before)
                if before:
                    rest.append(before)
                position = len(rest)
                rest.append(group)
                if after:
                    rest.append(after)
            elif others or not dim:
                rest.append(others)
        assert position is not None
        return self.arrange(view, rest), position

    def aligned(self, views: Sequence[View], *, free_axis: int | None = None) -> list[View]:
        """Views of equal axes in one layout, the first one's where possible. `free_axis` may differ in size."""
        model = views[0]
        if free_axis is not None:  # the first whose free axis is more than one index: that one has a dimension for it
            filled = next((view for view in views if view.axes[free_axis]), None)
            if filled is None:
                return self._aligned_canonical(views)
            model, _ = self.with_axis_alone(filled, free_axis)
        result = []
        for view in views:
            moved = self._as(view, model, free_axis)
            if moved is None:
                return self._aligned_canonical(views)
            result.append(moved)
        return result

    def _as(self, view: View, model: View, free_axis: int | None) -> View | None:
        parts: dict[Factor, Group] = {}
        dims = model.dims
        for i, (mine, theirs) in enumerate(zip(view.axes, model.axes, strict=True)):
            if i == free_axis:
                own = tuple(self.twin(factor) for factor in mine)  # it may be another axis of the model
                parts.update({f: (g,) for f, g in zip(mine, own, strict=True)})
                dims = tuple(own if dim == theirs else dim for dim in dims)
                continue
            if [f.size for f in mine] != [f.size for f in theirs]:
                return None
            parts.update({f: (g,) for f, g in zip(mine, theirs, strict=True)})
        return self.arrange(view.substituted(parts), dims)

    def twin(self, factor: Factor) -> Factor:
        """A factor of the same indices that counts as another one."""
        made = Factor(factor.label, factor.size, factor.extent)
        if factor in self.origins:
            self.origins[made] = self.origins[factor]
        return made

    def _aligned_canonical(self, views: Sequence[View]) -> list[View]:
        return [self.collapsed(view) for view in views]

    def register(self, view: View) -> View:
        """Remembers where sizes that only the running graph knows can be read."""
        for i, dim in enumerate(view.dims):
            if len(dim) == 1 and dim[0].size is None:
                self.origins.setdefault(dim[0], (view.tensor, i))
        return view

    # ------------------------------------------------------------------------------------------------ constants

    def along(self, view: View, arrays: Array, axes: Sequence[int], hint: str) -> str:
        """A constant over some of the view's axes, shaped to broadcast against its dimensions.

        Every one of these axes' factors must fill whole dimensions.
        """
        value = self.broadcastable(view, arrays, axes)
        return self.constant(value, hint)

    def broadcastable(self, view: View, array: Array, axes: Sequence[int]) -> Array:
        factors = [f for axis in axes for f in view.axes[axis]]
        sizes = [f.size for f in factors]
        spread = np.reshape(array, [s for s in sizes if s is not None])
        place = {f: i for i, f in enumerate(factors)}
        order, shape = [], []
        for dim in view.dims:
            inside = [f for f in dim if f in place]
            assert not inside or len(inside) == len(dim), "an axis shares its dimension"
            order += [place[f] for f in inside]
            shape.append(group_size(tuple(inside)) or 1)
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
        return np.ascontiguousarray(np.transpose(spread, order).reshape(shape))

    def separable(self, view: View, axes: Sequence[int]) -> View:
        """The view with no dimension in which these axes' factors and others meet."""
        wanted = {f for axis in axes for f in view.axes[axis]}
        dims: list[Group] = []
        for dim in view.dims:
            piece: list[Factor] = []
            for factor in dim:
                if piece and (piece[-1] in wanted) != (factor in wanted):
                    dims.append(tuple(piece))
                    piece = []
                piece.append(factor)
            dims.append(tuple(piece))
        return self.arrange(view, dims)

    # ------------------------------------------------------------------------------------------------ ports

    def declare_input(self, name: str, dtype: str, dims: Sequence[tuple[Group, int | str]]) -> View:
        """A graph input with these dimensions (a group and what to call its size)."""
        self.graph.inputs.append(Port(name, dtype, tuple(size for _, size in dims)))
        groups = tuple(group for group, _ in dims)
        for i, group in enumerate(groups):
            for factor in group:
                if factor.size is None:
                    self.origins.setdefault(factor, (name, i))
        return View(name, groups, groups, dtype)


def _transposable(view: View, target: tuple[Group, ...], wanted: Group) -> list[Group]:
    """The view's memory in pieces that only change places: its own dimensions or the target's where that will do."""
    coarse = runs(view.order, wanted)
    piece_of = {factor: i for i, piece in enumerate(coarse) for factor in piece}
    for dims in ([dim for dim in view.dims if dim], [dim for dim in target if dim]):
        if all(len({piece_of[factor] for factor in dim}) == 1 for dim in dims):
            place = {factor: i for i, factor in enumerate(view.order)}
            return sorted(dims, key=lambda dim: place[dim[0]])
    return coarse
