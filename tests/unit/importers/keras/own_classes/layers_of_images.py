"""Layers as the public examples of convolutional networks define them."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from tests.unit.importers.keras.own_classes.layers_of_transformers import Configured, register


@register
class SqueezeExcite(Configured):
    def make(self, filters: int, ratio: int) -> None:
        self.pool = layers.GlobalAveragePooling2D()
        self.squeeze = layers.Dense(filters // ratio, activation="relu")
        self.excite = layers.Dense(filters, activation="sigmoid")

    def call(self, x: Any) -> Any:
        gate = self.excite(self.squeeze(self.pool(x)))
        return x * ops.reshape(gate, (-1, 1, 1, self.filters))


@register
class ChannelAttention(Configured):
    def make(self, filters: int, ratio: int) -> None:
        self.shared_one = layers.Dense(filters // ratio, activation="relu", use_bias=False)
        self.shared_two = layers.Dense(filters, use_bias=False)

    def call(self, x: Any) -> Any:
        average = self.shared_two(self.shared_one(ops.mean(x, axis=(1, 2), keepdims=True)))
        largest = self.shared_two(self.shared_one(ops.max(x, axis=(1, 2), keepdims=True)))
        return x * ops.sigmoid(average + largest)


@register
class SpatialAttention(Configured):
    def make(self, kernel_size: int) -> None:
        self.conv = layers.Conv2D(1, kernel_size, padding="same", activation="sigmoid", use_bias=False)

    def call(self, x: Any) -> Any:
        pooled = ops.concatenate([ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)], axis=-1)
        return x * self.conv(pooled)


@register
class InstanceNormalization(Configured):
    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal")
        self.offset = self.add_weight(shape=(shape[-1],), initializer="zeros")

    def call(self, x: Any) -> Any:
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        variance = ops.var(x, axis=(1, 2), keepdims=True)
        return self.scale * (x - mean) * ops.rsqrt(variance + self.epsilon) + self.offset


@register
class ReflectionPadding2D(Configured):
    def call(self, x: Any) -> Any:
        high, wide = self.padding
        return ops.pad(x, [[0, 0], [high, high], [wide, wide], [0, 0]], mode="reflect")


@register
class Squash(Configured):
    def call(self, x: Any) -> Any:
        square = ops.sum(ops.square(x), axis=-1, keepdims=True)
        return square / (1 + square) / ops.sqrt(square + 1e-7) * x


@register
class CustomScale(Configured):
    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale


@register
class TemporalBlock(Configured):
    def make(self, filters: int, kernel_size: int, dilation: int) -> None:
        options = {"padding": "causal", "dilation_rate": dilation, "activation": "relu"}
        self.convs = [layers.Conv1D(filters, kernel_size, **options) for _ in range(2)]
        self.down = layers.Conv1D(filters, 1)

    def call(self, x: Any) -> Any:
        y = x
        for conv in self.convs:
            y = conv(y)
        return ops.relu(y + self.down(x))
