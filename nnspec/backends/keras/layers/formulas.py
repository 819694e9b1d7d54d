"""Formulas and declared weights in Keras: its own operations, and an Embedding for each weight.

So an archive needs Keras alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np
from keras import ops

from nnspec.backends.keras.layers.addition import add
from nnspec.backends.types import KerasLayer, Tensor
from nnspec.catalogue import keras_objects
from nnspec.document.types import Plain
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name


class Weight(Protocol):
    """What is asked of a declared weight, see `OwnWeight`."""

    @property
    def name(self) -> str: ...
    @property
    def axes(self) -> Axes: ...
    @property
    def is_trainable(self) -> bool: ...
    @property
    def sizes(self) -> tuple[int, ...]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def initializer(self) -> str | Mapping[str, Plain] | None: ...
    @property
    def regularizer(self) -> str | Mapping[str, Plain] | None: ...
    @property
    def constraint(self) -> str | Mapping[str, Plain] | None: ...
    def constant(self) -> np.ndarray | None: ...


class KerasFormula:
    """What a node's formula is computed with: a layer for each of its weights, rows along the weight's first axis."""

    def __init__(self, node: Node) -> None:
        self.own = node.args["own"]
        self.holders = {weight.name: _holder(node, weight) for weight in self.own}

    @property
    def variables(self) -> list[Tensor]:
        return [layer.embeddings for layer in self.holders.values()]

    def rows(self, weight: Weight, tensor: Tensor) -> Tensor:
        """The weight's values behind one row of batch."""
        zero = _zeros(tensor, slice(0, 1), "int32")
        count = weight.shape[0]
        indices = zero if count == 1 else ops.add(zero, np.arange(count, dtype="int32")[None])
        return ops.reshape(self.holders[weight.name](indices), (1, *weight.sizes))

    def for_every_sample(self, tensor: Tensor) -> Tensor:
        """The only weight, as often as the tensor has samples."""
        (weight,) = self.own
        return _repeat_for_batch(self.rows(weight, tensor), tensor)

    def compute(
        self, node: Node, tensors: Sequence[Tensor], used: Collection[str], walk: Callable[..., Tensor]
    ) -> Tensor:
        """The formula's value of the node's inputs.

        Args:
            used: the names in the formula.
            walk: computes the formula by an algebra, given the names of values and weights.
        """
        order = node.args["order"]
        values: dict[str, Tensor] = {}
        called = node.args["named"]
        for name, tensor, value, axes in zip(node.args["values"], tensors, node.inputs, called, strict=True):
            if name in used:
                tensor = tensor if value.dtype.startswith("float") else ops.cast(tensor, "float32")
                values[name] = _spread(tensor, axes, order)
        is_constant = not values
        for weight in self.own:
            values[weight.name] = _spread(self.rows(weight, tensors[0]), ax.names(weight.axes), order)
        made = walk(_Operations(values, order), values)
        if is_constant:
            made = _repeat_for_batch(made, tensors[0])
        present = ax.names(node.outputs[0].axes)
        gone = [i + 1 for i, axis in enumerate(order) if axis not in present]
        made = ops.squeeze(made, gone) if gone else made
        dtype = node.outputs[0].dtype
        return made if dtype == "float32" else ops.not_equal(made, 0) if dtype == "bool" else ops.cast(made, dtype)


def _holder(node: Node, weight: Weight) -> KerasLayer:
    """An Embedding whose vectors are the weight's rows, with their first values."""
    name = keras_name(node.name) if weight.name == "value" else f"{keras_name(node.name)}.{weight.name}"
    constraint = keras_objects.build("constraints", weight.constraint)
    if len(weight.axes) == 1 and hasattr(constraint, "axis"):
        constraint.axis = 0  # which its only axis is in the table, whatever it is counted as
    layer = keras.layers.Embedding(
        *weight.shape,
        embeddings_initializer="zeros",
        embeddings_regularizer=keras_objects.build("regularizers", weight.regularizer),
        embeddings_constraint=constraint,
        name=name,
    )
    layer.build((None, None))
    first = weight.constant()
    if first is None and weight.initializer is not None:
        first = keras_objects.build("initializers", weight.initializer)(weight.sizes, dtype="float32")
    if first is not None:
        layer.embeddings.assign(ops.reshape(first, weight.shape))
    layer.trainable = weight.is_trainable
    return layer


def _zeros(tensor: Tensor, samples: slice, dtype: str) -> Tensor:
    """(batch, 1) zeros for these samples of a tensor, whatever it holds."""
    first = tensor[(samples, *[slice(0, 1)] * (len(tensor.shape) - 1))]
    return ops.zeros_like(ops.reshape(first, (-1, 1)), dtype=dtype)


def _repeat_for_batch(row: Tensor, tensor: Tensor) -> Tensor:
    """A row of batch once for every sample of a tensor."""
    zeros = _zeros(tensor, slice(None), "float32")
    return add(row, ops.reshape(zeros, (-1, *[1] * (len(row.shape) - 1))))


def _spread(tensor: Tensor, names: Sequence[str], order: Sequence[str]) -> Tensor:
    """The tensor with all axes of the formula in their order, of size 1 where it has none."""
    places = [names.index(axis) for axis in order if axis in names]
    if places != sorted(places):
        tensor = ops.transpose(tensor, (0, *(place + 1 for place in places)))
    for i, axis in enumerate(order):
        if axis not in names:
            tensor = ops.expand_dims(tensor, i + 1)
    return tensor


_OTHERWISE_CALLED = {
    "abs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atanh": "arctanh",
}


def _operation(function: str) -> Callable[..., Tensor]:
    found: Callable[..., Tensor] = getattr(ops, _OTHERWISE_CALLED.get(function, function))
    return found


@dataclass
class _Operations:
    """The algebra of Keras' operations, over tensors of all the formula's axes."""

    values: Mapping[str, Tensor]
    order: Sequence[str]

    def number(self, value: float) -> Tensor:
        return value

    def name(self, name: str) -> Tensor:
        return self.values[name]

    def unary(self, function: str, value: Tensor) -> Tensor:
        return _operation(function)(value)

    def binary(self, function: str, left: Tensor, right: Tensor) -> Tensor:
        return add(left, right) if function == "add" else _operation(function)(left, right)

    def compare(self, function: str, left: Tensor, right: Tensor) -> Tensor:
        return _operation(function)(left, right)

    def where(self, flag: Tensor, value: Tensor, other: Tensor) -> Tensor:
        return ops.where(flag, value, other)

    def accumulate(self, value: Tensor, axis: str) -> Tensor:
        return ops.cumsum(value, axis=self.order.index(axis) + 1)

    def reduce(self, function: str, value: Tensor, axes: Sequence[str]) -> Tensor:
        if function in ("argmax", "argmin"):
            place = self.order.index(axes[0]) + 1
            return ops.cast(_operation(function)(value, axis=place, keepdims=True), "float32")
        return _operation(function)(value, axis=tuple(self.order.index(axis) + 1 for axis in axes), keepdims=True)
