"""Keras layers for what plain Keras layers cannot do: reshapes with several sizes that only the running model knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def _known(shape: Any) -> tuple[int | None, ...]:
    return tuple(None if size is None else int(size) for size in shape)


@keras.saving.register_keras_serializable("nnspec")
class SymbolicReshape(keras.layers.Layer):  # type: ignore[misc]
    """A reshape whose unknown output sizes are sizes of the input.

    Args:
        before: the input's sizes as text, for the reader.
        recipe: an output axis each (batch left out): a number; `{"axis": i}` for the size of input axis i (batch is 0),
            divided by `over` where that is given; or -1, once, for what is left.
    """

    def __init__(self, before: Sequence[str], recipe: Sequence[int | dict[str, int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.before = list(before)
        self.recipe = list(recipe)

    def _sizes(self, shape: Any) -> list[Any]:
        return [r if isinstance(r, int) else shape[r["axis"]] // r.get("over", 1) for r in self.recipe]

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs)
        return ops.reshape(inputs, (shape[0], *self._sizes(shape)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        sizes: list[int | None] = []
        for rule in self.recipe:
            if isinstance(rule, int):
                sizes.append(None if rule == -1 else rule)
            else:
                size = input_shape[rule["axis"]]
                sizes.append(None if size is None else size // rule.get("over", 1))
        return (input_shape[0], *sizes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "before": self.before, "recipe": self.recipe}


@keras.saving.register_keras_serializable("nnspec")
class FoldIntoBatch(keras.layers.Layer):  # type: ignore[misc]
    """Makes the first axis part of batch: (batch, step, …) to (batch · step, …)."""

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs)
        return ops.reshape(inputs, (shape[0] * shape[1], *shape[2:]))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        batch, step, *rest = _known(input_shape)
        return (None if batch is None or step is None else batch * step, *rest)


@keras.saving.register_keras_serializable("nnspec")
class UnfoldFromBatch(keras.layers.Layer):  # type: ignore[misc]
    """Takes the axis that `FoldIntoBatch` folded out of batch again: reads what was made of it, and what it folded."""

    def call(self, inputs: Any) -> Any:
        made, whole = inputs
        sizes = ops.shape(whole)
        return ops.reshape(made, (sizes[0], sizes[1], *ops.shape(made)[1:]))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        made, whole = (_known(shape) for shape in input_shape)
        return (whole[0], whole[1], *made[1:])
