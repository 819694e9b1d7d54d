"""Layers as the public examples of vision and text transformers define them."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

register = keras.saving.register_keras_serializable("example")


class Configured(layers.Layer):  # type: ignore[misc]
    """A layer whose configuration is the arguments that it was made with."""

    def __init__(self, name: str | None = None, dtype: Any = None, trainable: bool = True, **given: Any) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.given = given
        for key, value in given.items():
            setattr(self, key, value)
        self.make(**given)

    def make(self, **given: Any) -> None:
        """Makes the layers inside."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.given}


@register
class Patches(Configured):
    def call(self, images: Any) -> Any:
        patches = ops.image.extract_patches(images, size=self.patch_size)
        _, rows, columns, depth = patches.shape
        return ops.reshape(patches, (-1, rows * columns, depth))


@register
class PatchEncoder(Configured):
    def make(self, num_patches: int, projection_dim: int) -> None:
        self.projection = layers.Dense(projection_dim)
        self.position_embedding = layers.Embedding(num_patches, projection_dim)

    def call(self, patch: Any) -> Any:
        positions = ops.expand_dims(ops.arange(0, self.num_patches, 1), 0)
        return self.projection(patch) + self.position_embedding(positions)


@register
class ClassToken(Configured):
    def build(self, shape: Any) -> None:
        self.cls = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal", name="cls")

    def call(self, inputs: Any) -> Any:
        token = ops.broadcast_to(self.cls, (ops.shape(inputs)[0], 1, inputs.shape[-1]))
        return ops.concatenate([token, inputs], axis=1)


@register
class PositionEmbedding(Configured):
    def build(self, shape: Any) -> None:
        self.embeddings = self.add_weight(shape=(self.sequence_length, shape[-1]), initializer="glorot_uniform")

    def call(self, inputs: Any) -> Any:
        return inputs + self.embeddings[: inputs.shape[1]]


@register
class TokenAndPositionEmbedding(Configured):
    def make(self, maxlen: int, vocab_size: int, embed_dim: int) -> None:
        self.token_emb = layers.Embedding(vocab_size, embed_dim)
        self.pos_emb = layers.Embedding(maxlen, embed_dim)

    def call(self, x: Any) -> Any:
        return self.token_emb(x) + self.pos_emb(ops.arange(0, ops.shape(x)[-1], 1))


@register
class TransformerBlock(Configured):
    def make(self, embed_dim: int, num_heads: int, ff_dim: int, rate: float) -> None:
        self.att = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="relu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, inputs: Any, training: bool = False) -> Any:
        attended = self.dropout1(self.att(inputs, inputs), training=training)
        out = self.layernorm1(inputs + attended)
        return self.layernorm2(out + self.dropout2(self.ffn(out), training=training))


@register
class MultiHeadSelfAttention(Configured):
    def make(self, embed_dim: int, num_heads: int) -> None:
        self.query_dense = layers.Dense(embed_dim)
        self.key_dense = layers.Dense(embed_dim)
        self.value_dense = layers.Dense(embed_dim)
        self.combine_heads = layers.Dense(embed_dim)

    def separate_heads(self, x: Any) -> Any:
        x = ops.reshape(x, (ops.shape(x)[0], -1, self.num_heads, self.embed_dim // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def call(self, inputs: Any) -> Any:
        query = self.separate_heads(self.query_dense(inputs))
        key = self.separate_heads(self.key_dense(inputs))
        value = self.separate_heads(self.value_dense(inputs))
        score = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        weights = ops.softmax(score / ops.sqrt(float(self.embed_dim // self.num_heads)), axis=-1)
        attention = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return self.combine_heads(ops.reshape(attention, (ops.shape(inputs)[0], -1, self.embed_dim)))


@register
class LayerScale(Configured):
    def build(self, shape: Any) -> None:
        self.gamma = self.add_weight(
            shape=(self.projection_dim,), initializer=keras.initializers.Constant(self.init_values)
        )

    def call(self, x: Any) -> Any:
        return x * self.gamma


@register
class StochasticDepth(Configured):
    def make(self, drop_prob: float) -> None:
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        keep = 1 - self.drop_prob
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        return (x / keep) * ops.floor(keep + keras.random.uniform(shape, seed=self.seed_generator))


@register
class MlpMixerLayer(Configured):
    def make(self, num_patches: int, hidden_units: int) -> None:
        self.mlp1 = keras.Sequential([layers.Dense(num_patches, activation="gelu"), layers.Dense(num_patches)])
        self.mlp2 = keras.Sequential([layers.Dense(num_patches, activation="gelu"), layers.Dense(hidden_units)])
        self.normalize = layers.LayerNormalization(epsilon=1e-6)

    def call(self, inputs: Any) -> Any:
        channels = ops.transpose(self.normalize(inputs), (0, 2, 1))
        x = ops.transpose(self.mlp1(channels), (0, 2, 1)) + inputs
        return x + self.mlp2(self.normalize(x))
