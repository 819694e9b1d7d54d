"""Keras' attention layers, with corrected masks and shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras.src.backend import get_keras_mask, set_keras_mask

from nnspec.backends.keras.layers.axes import MOST_AXES, DeepSoftmax, PlacedEinsumDense

if TYPE_CHECKING:
    from nnspec.backends.types import KerasLayer, KerasShape, KerasTensor


class _Careful:
    """Leaves its inputs' masks to whoever reads them next, which Keras' MultiHeadAttention takes away; gives the scores
    their true shape, where Keras takes the value for as long as the query; adds biases where their axes are; and
    attends along one axis among any number."""

    def build(
        self: KerasLayer, query_shape: KerasShape, value_shape: KerasShape, key_shape: KerasShape | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)  # type: ignore[misc]
        for name in ("_query_dense", "_key_dense", "_value_dense", "_gate_dense", "_output_dense"):
            if hasattr(self, name):  # Keras makes these itself
                getattr(self, name).__class__ = PlacedEinsumDense
        attended = getattr(self, "attention_axes", None) or (1,)
        if len(query_shape) + 1 > MOST_AXES and len(attended) == 1:
            self._softmax.__class__ = DeepSoftmax

    def call(
        self: KerasLayer,
        query: KerasTensor,
        value: KerasTensor,
        key: KerasTensor | None = None,
        query_mask: KerasTensor | None = None,
        value_mask: KerasTensor | None = None,
        key_mask: KerasTensor | None = None,
        attention_mask: KerasTensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> KerasTensor | tuple[KerasTensor, KerasTensor]:
        read = [tensor for tensor in (query, value, key) if tensor is not None]
        masks = [get_keras_mask(tensor) for tensor in read]
        if query_mask is not None:  # Keras' own looks at the tensor alone
            set_keras_mask(query, query_mask)
        made = super().call(  # type: ignore[misc]
            query,
            value,
            key=key,
            query_mask=query_mask,
            value_mask=value_mask,
            key_mask=key_mask,
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
        )
        for tensor, mask in zip(read, masks, strict=True):
            set_keras_mask(tensor, mask)
        if return_attention_scores:  # they carry what hides them, which a loss would take for a mask of its targets
            set_keras_mask(made[1], None)
        return made

    def _compute_attention(
        self: KerasLayer, query: KerasTensor, key: KerasTensor, value: KerasTensor, *args: object, **others: object
    ) -> tuple[KerasTensor, KerasTensor | None]:
        """Keras' own; JAX's kernel takes no values of another width than keys have, so zeros make them as wide."""
        widths = query.shape[-1], value.shape[-1]
        if widths[0] == widths[1] or not needs_even_widths():
            return super()._compute_attention(query, key, value, *args, **others)  # type: ignore[misc, no-any-return]
        query, key, value = (_pad_last_axis(tensor, max(widths)) for tensor in (query, key, value))
        made, scores = super()._compute_attention(query, key, value, *args, **others)  # type: ignore[misc]
        return made[..., : widths[1]], scores

    def compute_output_spec(
        self: KerasLayer,
        query: KerasTensor,
        value: KerasTensor,
        key: KerasTensor | None = None,
        return_attention_scores: bool = False,
        **others: object,
    ) -> KerasTensor | tuple[KerasTensor, KerasTensor]:
        made = super().compute_output_spec(query, value, key)  # type: ignore[misc]
        if not return_attention_scores:
            return made
        rank = len(query.shape)
        places = getattr(self, "attention_axes", None) or range(1, rank - 1)
        lead = [query.shape[i] for i in range(rank - 1) if i not in places]
        heads = self.num_heads if hasattr(self, "num_heads") else self.num_query_heads
        steps = [tensor.shape[i] for tensor in (query, value) for i in places]
        return made, keras.KerasTensor((*lead, heads, *steps), dtype=self.compute_dtype)


def needs_even_widths() -> bool:
    """Whether the engine attends only with values as wide as keys."""
    return bool(keras.backend.backend() == "jax")


def _pad_last_axis(tensor: KerasTensor, width: int) -> KerasTensor:
    """The last axis with zeros behind it."""
    rest = width - tensor.shape[-1]
    return keras.ops.pad(tensor, [*[(0, 0)] * (len(tensor.shape) - 1), (0, rest)]) if rest else tensor


@keras.saving.register_keras_serializable("nnspec")
class CarefulMultiHeadAttention(_Careful, keras.layers.MultiHeadAttention):  # type: ignore[misc]
    """MultiHeadAttention whose inputs keep their masks and whose scores have their true shape."""


@keras.saving.register_keras_serializable("nnspec")
class CarefulGroupQueryAttention(_Careful, keras.layers.GroupQueryAttention):  # type: ignore[misc]
    """GroupQueryAttention whose scores have their true shape."""


@keras.saving.register_keras_serializable("nnspec")
class MaskingReversibleEmbedding(keras.layers.ReversibleEmbedding):  # type: ignore[misc]
    """ReversibleEmbedding that says already while a model is made that it masks id 0."""

    def compute_mask(self, inputs: KerasTensor, mask: KerasTensor | None = None) -> KerasTensor:
        return None if keras.backend.is_float_dtype(inputs.dtype) else keras.ops.not_equal(inputs, 0)


@keras.saving.register_keras_serializable("nnspec")
class FloatSpectralNormalization(keras.layers.SpectralNormalization):  # type: ignore[misc]
    """SpectralNormalization of a layer that reads ids: Keras' own makes ids of what it gives."""

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        if training:
            super().call(inputs, training=True)
        return self.layer(inputs)
