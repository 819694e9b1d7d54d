"""A small model around each class of one's own, with layers of Keras' before and behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from tests.unit.importers.keras.own_classes import layers_of_images as of_images
from tests.unit.importers.keras.own_classes import layers_of_tables as of_tables
from tests.unit.importers.keras.own_classes import layers_of_transformers as of_transformers

IMAGE, SEQUENCE, TABLE = (12, 8, 3), (6, 8), (5,)


def after_dense(made: Any, shape: tuple[int, ...] = SEQUENCE) -> Any:
    """A Dense, the class, and a Dense behind it."""
    given = keras.Input(shape, name="given")
    x = made(layers.Dense(shape[-1], name="before")(given))
    return keras.Model(given, layers.Dense(2, name="behind")(x))


def on_input(made: Any, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    given = keras.Input(shape, name="given", dtype=dtype)
    return keras.Model(given, layers.Dense(2, name="behind")(made(given)))


def on_two(made: Any, shape: tuple[int, ...]) -> Any:
    given = keras.Input(shape, name="given")
    x = layers.Dense(shape[-1], name="before")(given)
    return keras.Model(given, layers.Dense(2, name="behind")(made([given, x])))


def twice(make: Callable[..., Any], shape: tuple[int, ...]) -> Any:
    """Two layers of the class, the second of them called twice."""
    given = keras.Input(shape, name="given")
    shared = make(name="shared")
    x = shared(shared(make(name="alone")(given)))
    return keras.Model(given, layers.Dense(2, name="behind")(x))


MODELS: dict[str, Callable[[], Any]] = {
    "Patches": lambda: on_input(of_transformers.Patches(patch_size=4), IMAGE),
    "PatchEncoder": lambda: on_input(of_transformers.PatchEncoder(num_patches=6, projection_dim=4), SEQUENCE),
    "ClassToken": lambda: after_dense(of_transformers.ClassToken()),
    "PositionEmbedding": lambda: after_dense(of_transformers.PositionEmbedding(sequence_length=9)),
    "TokenAndPositionEmbedding": lambda: on_input(
        of_transformers.TokenAndPositionEmbedding(maxlen=6, vocab_size=11, embed_dim=4), (6,), "int32"
    ),
    "TransformerBlock": lambda: after_dense(
        of_transformers.TransformerBlock(embed_dim=8, num_heads=2, ff_dim=16, rate=0.1)
    ),
    "TransformerBlocks": lambda: twice(
        lambda name: of_transformers.TransformerBlock(name=name, embed_dim=8, num_heads=2, ff_dim=5, rate=0.1), SEQUENCE
    ),
    "MultiHeadSelfAttention": lambda: after_dense(of_transformers.MultiHeadSelfAttention(embed_dim=8, num_heads=2)),
    "LayerScale": lambda: after_dense(of_transformers.LayerScale(init_values=0.1, projection_dim=8)),
    "StochasticDepth": lambda: after_dense(of_transformers.StochasticDepth(drop_prob=0.2)),
    "MlpMixerLayer": lambda: after_dense(of_transformers.MlpMixerLayer(num_patches=6, hidden_units=8)),
    "Linear": lambda: on_input(of_tables.Linear(units=4), TABLE),
    "MLPBlock": lambda: on_input(of_tables.MLPBlock(units=4), TABLE),
    "Antirectifier": lambda: after_dense(of_tables.Antirectifier(), TABLE),
    "GatedLinearUnit": lambda: on_input(of_tables.GatedLinearUnit(units=4), TABLE),
    "GatedResidualNetwork": lambda: on_input(of_tables.GatedResidualNetwork(units=4, dropout_rate=0.1), TABLE),
    "VariableSelection": lambda: on_two(of_tables.VariableSelection(num_features=2, units=4, dropout_rate=0.1), TABLE),
    "FeatureCross": lambda: on_two(of_tables.FeatureCross(), TABLE),
    "FactorizationMachine": lambda: on_input(of_tables.FactorizationMachine(factors=3), TABLE),
    "RBFLayer": lambda: on_input(of_tables.RBFLayer(units=4), TABLE),
    "L2Normalize": lambda: after_dense(of_tables.L2Normalize(), TABLE),
    "GaussianFourierProjection": lambda: on_input(of_tables.GaussianFourierProjection(size=4, scale=1.0), (1,)),
    "SqueezeExcite": lambda: on_input(of_images.SqueezeExcite(filters=3, ratio=1), IMAGE),
    "ChannelAttention": lambda: on_input(of_images.ChannelAttention(filters=3, ratio=1), IMAGE),
    "SpatialAttention": lambda: on_input(of_images.SpatialAttention(kernel_size=3), IMAGE),
    "InstanceNormalization": lambda: on_input(of_images.InstanceNormalization(epsilon=1e-5), IMAGE),
    "ReflectionPadding2D": lambda: on_input(of_images.ReflectionPadding2D(padding=[1, 2]), IMAGE),
    "Squash": lambda: after_dense(of_images.Squash()),
    "CustomScale": lambda: on_two(of_images.CustomScale(scale=0.17), SEQUENCE),
    "TemporalBlock": lambda: on_input(of_images.TemporalBlock(filters=4, kernel_size=3, dilation=2), SEQUENCE),
}
