"""The interface with which a layer writes its ONNX nodes: the graph, its weights, and memory layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnspec.backends.onnx.arrangement import Arranger
from nnspec.backends.onnx.builder import OnnxNode, Port
from nnspec.backends.onnx.view import Group, Packing, View, group_size

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
        view: over the same factors, its data steps together.
        mask: the tensor of the mask that it was made for.
        packing: how they stand together.
    """

    view: View
    mask: str
    packing: Packing


@dataclass(kw_only=True)
class Lowering(Arranger):
    """The walk's state, seen by one node at a time.

    Attributes:
        weights: the current node's trained weights by name.
        is_sole_reader: whether nothing but the current node reads its (first) input.
        packed: by tensor, what masked recurrent layers read instead of it.
        harmless: tensors, each with its mask, whose masked steps hold zeros or numbers as small as those of data.
    """

    weights: Mapping[str, Array] = field(default_factory=dict)
    is_sole_reader: bool = False
    affine: dict[str, Affine] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    packed: dict[str, Packed] = field(default_factory=dict)
    harmless: set[tuple[str, str]] = field(default_factory=set)

    def declare_input(
        self, name: str, dtype: str, dims: Sequence[tuple[Group, int | str]], axes: Sequence[str] = ()
    ) -> View:
        """A graph input with these dimensions (a group and what to call its size), and what the axes are called."""
        self.graph.inputs.append(Port(name, dtype, tuple(size for _, size in dims), tuple(axes)))
        groups = tuple(group for group, _ in dims)
        for i, group in enumerate(groups):
            for factor in group:
                if factor.size is None:
                    self.origins.setdefault(factor, (name, i))
        return View(name, groups, groups, dtype)

    def elementwise(self, op: str, view: View, *more: str, **attributes: object) -> View:
        """An op that works on every element by itself, whatever the layout."""
        (tensor,) = self.graph.add(op, [view.tensor, *more], stem=self.stem, attributes=attributes)
        return replace(view, tensor=tensor)

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
