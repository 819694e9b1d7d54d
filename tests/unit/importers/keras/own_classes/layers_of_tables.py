"""Layers as the public examples of structured data and recommenders define them."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from tests.unit.importers.keras.own_classes.layers_of_transformers import Configured, register


@register
class Linear(Configured):
    def build(self, shape: Any) -> None:
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer="random_normal")
        self.b = self.add_weight(shape=(self.units,), initializer="random_normal")

    def call(self, inputs: Any) -> Any:
        return ops.matmul(inputs, self.w) + self.b


@register
class MLPBlock(Configured):
    def make(self, units: int) -> None:
        self.linear_1 = Linear(units=units)
        self.linear_2 = Linear(units=units)
        self.linear_3 = Linear(units=1)

    def call(self, inputs: Any) -> Any:
        x = ops.relu(self.linear_1(inputs))
        return self.linear_3(ops.relu(self.linear_2(x)))


@register
class Antirectifier(Configured):
    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1] * 2, shape[-1]), name="kernel")

    def call(self, inputs: Any) -> Any:
        inputs = inputs - ops.mean(inputs, axis=-1, keepdims=True)
        inputs = inputs / ops.sqrt(ops.maximum(ops.sum(ops.square(inputs), axis=-1, keepdims=True), 1e-12))
        return ops.matmul(ops.concatenate([ops.relu(inputs), ops.relu(-inputs)], axis=-1), self.kernel)


@register
class GatedLinearUnit(Configured):
    def make(self, units: int) -> None:
        self.linear = layers.Dense(units)
        self.sigmoid = layers.Dense(units, activation="sigmoid")

    def call(self, inputs: Any) -> Any:
        return self.linear(inputs) * self.sigmoid(inputs)


@register
class GatedResidualNetwork(Configured):
    def make(self, units: int, dropout_rate: float) -> None:
        self.elu_dense = layers.Dense(units, activation="elu")
        self.linear_dense = layers.Dense(units)
        self.dropout = layers.Dropout(dropout_rate)
        self.gated_linear_unit = GatedLinearUnit(units=units)
        self.layer_norm = layers.LayerNormalization()
        self.project = layers.Dense(units)

    def call(self, inputs: Any) -> Any:
        x = self.dropout(self.linear_dense(self.elu_dense(inputs)))
        return self.layer_norm(self.project(inputs) + self.gated_linear_unit(x))


@register
class VariableSelection(Configured):
    def make(self, num_features: int, units: int, dropout_rate: float) -> None:
        self.grns = [GatedResidualNetwork(units=units, dropout_rate=dropout_rate) for _ in range(num_features)]
        self.grn_concat = GatedResidualNetwork(units=units, dropout_rate=dropout_rate)
        self.softmax = layers.Dense(num_features, activation="softmax")

    def call(self, inputs: Any) -> Any:
        chosen = ops.expand_dims(self.softmax(self.grn_concat(ops.concatenate(inputs, axis=-1))), axis=-1)
        x = ops.stack([grn(value) for grn, value in zip(self.grns, inputs, strict=True)], axis=1)
        return ops.squeeze(ops.matmul(ops.transpose(chosen, (0, 2, 1)), x), axis=1)


@register
class FeatureCross(Configured):
    def build(self, shape: Any) -> None:
        self.kernel = layers.Dense(shape[0][-1])
        self.kernel.build(shape[0])

    def call(self, inputs: Any) -> Any:
        x0, x = inputs
        return x0 * self.kernel(x) + x


@register
class FactorizationMachine(Configured):
    def build(self, shape: Any) -> None:
        self.w = self.add_weight(shape=(shape[-1], 1), initializer="random_normal")
        self.v = self.add_weight(shape=(shape[-1], self.factors), initializer="random_normal")
        self.bias = self.add_weight(shape=(1,), initializer="random_normal")

    def call(self, x: Any) -> Any:
        pairs = ops.square(ops.matmul(x, self.v)) - ops.matmul(ops.square(x), ops.square(self.v))
        return self.bias + ops.matmul(x, self.w) + 0.5 * ops.sum(pairs, axis=1, keepdims=True)


@register
class RBFLayer(Configured):
    def build(self, shape: Any) -> None:
        self.centers = self.add_weight(shape=(self.units, shape[-1]), initializer="uniform")
        self.beta = self.add_weight(shape=(self.units,), initializer="ones")

    def call(self, inputs: Any) -> Any:
        apart = ops.sum(ops.square(ops.expand_dims(inputs, 1) - self.centers), axis=-1)
        return ops.exp(-self.beta * apart)


@register
class L2Normalize(Configured):
    def call(self, x: Any) -> Any:
        return ops.normalize(x, axis=-1)


@register
class GaussianFourierProjection(Configured):
    def build(self, shape: Any) -> None:
        self.w = self.add_weight(
            shape=(self.size,), initializer=keras.initializers.RandomNormal(stddev=self.scale), trainable=False
        )

    def call(self, t: Any) -> Any:
        angles = t * self.w * 2 * 3.141592653589793
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
