"""Keras preprocessing layers whose state is stored in weights files, which Keras' own do not do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from nnspec.diagnostics import Fix, SpecError
from nnspec.ir.graph import Args, Node

if TYPE_CHECKING:
    from nnspec.backends.types import KerasConfig, KerasLayer, KerasShape, KerasTensor


@keras.saving.register_keras_serializable("nnspec")
class AdaptedBins(keras.layers.Layer):  # type: ignore[misc]
    """The bins of `Discretization(num_bins)`, boundaries a weight; Keras' own has a list beside the weights."""

    def __init__(self, num_bins: int, epsilon: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.num_bins = num_bins
        self.epsilon = epsilon

    def build(self, input_shape: KerasShape) -> None:
        self.boundaries = self.add_weight(shape=(self.num_bins - 1,), trainable=False, name="boundaries")
        self.boundaries.assign(np.linspace(-1, 1, self.num_bins + 1)[1:-1])

    def adapt(self, data: np.ndarray) -> None:
        """Quantiles of the data that are not masked; fewer values than bins leave the last bins empty."""
        summary = keras.layers.Discretization(num_bins=self.num_bins, epsilon=self.epsilon)
        summary.adapt(data.compressed() if isinstance(data, np.ma.MaskedArray) else np.asarray(data))
        found = np.sort(np.asarray(summary.bin_boundaries, np.float32))[: self.num_bins - 1]
        self.boundaries.assign(np.pad(found, (0, self.num_bins - 1 - len(found)), constant_values=np.inf))

    def call(self, inputs: KerasTensor) -> KerasTensor:
        is_passed = keras.ops.greater_equal(keras.ops.expand_dims(inputs, -1), self.boundaries)
        return keras.ops.sum(keras.ops.cast(is_passed, "int32"), axis=-1)

    def compute_output_spec(self, inputs: KerasTensor) -> KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self) -> KerasConfig:
        return {**super().get_config(), "num_bins": self.num_bins, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("nnspec")
class SizedMelSpectrogram(keras.layers.MelSpectrogram):  # type: ignore[misc]
    """MelSpectrogram whose number of frames is known rightly: Keras' own says another one for some lengths."""

    def compute_output_shape(self, input_shape: KerasShape) -> KerasShape:
        size = input_shape[1]
        if size is not None:
            size = 1 + (size + 2 * (self.fft_length // 2) - self.fft_length) // self.sequence_stride
        return (input_shape[0], self.num_mel_bins, size)


def learn_vocabulary(layer: KerasLayer, node: Node, read: Sequence[np.ndarray]) -> Args:
    """What Keras' `adapt` finds: the `vocabulary` without words for mask and unknown ones, and with tf_idf its weights.

    Args:
        layer: Keras' lookup or TextVectorization for the node, without words.
        read: an array for each use of the layer, a row a document; what is masked is no word of it.

    Raises:
        SpecError: NN352 where there is no word.
    """
    table, is_text = getattr(layer, "_lookup_layer", layer), hasattr(layer, "_lookup_layer")
    plain = str if table.vocabulary_dtype == "string" else int
    mode, table.output_mode = table.output_mode, "int"  # Keras counts documents one by one, which takes minutes
    documents: list[list[bytes | int]] = []
    for array in read:
        data = keras.ops.convert_to_tensor(array.compressed() if isinstance(array, np.ma.MaskedArray) else array)
        tokens = layer._preprocess(data) if is_text else data
        table.update_state(tokens)
        if mode == "tf_idf" and isinstance(array, np.ma.MaskedArray):
            documents += [row.compressed().tolist() for row in array]
        elif mode == "tf_idf":
            documents += tokens.to_list() if hasattr(tokens, "to_list") else tokens.numpy().tolist()  # ragged, or not
    special = [token for token in (table.mask_token, table.oov_token) if token is not None]
    if all(token in special for token in map(_decode, table.token_counts.export()[0].numpy().tolist())):
        raise SpecError.single(
            "NN352",
            f"`{node.kind}` finds no words in the training rows, so its vocabulary is empty",
            node.span,
            fixes=[Fix("list the words: `vocabulary: [red, green]`")],
        )
    table.output_mode = mode
    table.finalize_state()
    words = [plain(word) for word in table.get_vocabulary(include_special_tokens=False)]
    if mode != "tf_idf":
        return {"vocabulary": words}
    holding = Counter(_decode(token) for document in documents for token in set(document))
    return {"vocabulary": words, "idf_weights": [math.log1p(len(documents) / (1 + holding[word])) for word in words]}


def _decode(token: bytes | int) -> str | int:
    return token.decode("utf-8") if isinstance(token, bytes) else token
