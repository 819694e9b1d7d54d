"""Operations between tensors, each said by layers and equal to Keras in ONNX Runtime, on hostile inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from nnspec.diagnostics import SpecError
from nnspec.importers.keras.importer import import_model
from tests.support.imported_models import compare_deployed, import_randomized

Function = Callable[[Any], Any]

REDUCTIONS: dict[str, Function] = {
    "mean": lambda x: ops.mean(x, axis=1),
    "mean from the end": lambda x: ops.mean(x, axis=-2),
    "mean kept": lambda x: x - ops.mean(x, axis=1, keepdims=True),
    "max of all": lambda x: ops.max(x, axis=(1, 2)),
    "max of all kept": lambda x: ops.max(x, axis=(-1, -2), keepdims=True),
    "amax": lambda x: ops.amax(x, axis=-1) - ops.amin(x, axis=2) + ops.min(x, axis=2),
    "sum": lambda x: ops.sum(x, axis=-1, keepdims=True),
    "prod": lambda x: ops.prod(x, axis=-1),
    "std": lambda x: ops.std(x, axis=1) + ops.var(x, axis=[1]),
    "logsumexp": lambda x: ops.logsumexp(x, axis=1, keepdims=True),
    "norm": lambda x: ops.norm(x, axis=-1) + ops.norm(x, ord=1, axis=-1) + ops.norm(x, ord=2, axis=2),
    "cumsum": lambda x: ops.cumsum(x, axis=1) - ops.cumsum(x, axis=-1),
    "norm of matrices": lambda x: ops.norm(x, axis=(1, 2)),
}
PARTS: dict[str, Function] = {
    "last step": lambda x: x[:, -1],
    "first feature": lambda x: x[..., 0],
    "slice": lambda x: x[:, 1:-2, :3],
    "slice of a vector": lambda x: x[:, 2][:, 1:],
    "one that stays": lambda x: x[:, 2:3],
    "strides": lambda x: x[:, ::2],
    "strides of both": lambda x: x[:, 1::2, ::3],
    "turned round": lambda x: x[:, ::-1],
    "turned round in strides": lambda x: x[..., ::-2],
    "new axes": lambda x: x[:, None, :, -1],
    "every pair": lambda x: x[:, :, None] - x[:, None],
    "take": lambda x: ops.take(x, [0, 2, -1], axis=1),
    "take one": lambda x: ops.take(x, 2, axis=-1),
    "take by an array": lambda x: ops.take(x, np.asarray([1, 1, 0]), axis=-1),
    "split": lambda x: ops.split(x, 2, axis=-1)[1],
    "split at": lambda x: ops.add(*ops.split(x, [2], axis=-1)),
    "unstack": lambda x: ops.add(*ops.unstack(x, axis=2)[1:3]),
    "diagonal": lambda x: ops.diagonal(ops.matmul(x, ops.transpose(x, (0, 2, 1))), axis1=1, axis2=2),
    "diagonal beside": lambda x: ops.diagonal(x, offset=-2, axis1=1, axis2=-1),
    "diagonal of the first axes": lambda x: ops.diagonal(x[:, :, None, :], offset=1, axis1=3, axis2=1),
}
MOVES: dict[str, Function] = {
    "expand": lambda x: ops.expand_dims(x, 1),
    "expand from the end": lambda x: ops.expand_dims(x, -1),
    "expand both": lambda x: ops.expand_dims(x, (1, -1)),
    "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 2), 2),
    "squeeze from the end": lambda x: ops.squeeze(ops.mean(x, axis=2, keepdims=True), -1),
    "swap": lambda x: ops.swapaxes(x, 1, 2),
    "swap from the end": lambda x: ops.swapaxes(x, -1, -2),
    "move": lambda x: ops.moveaxis(x, -1, 1),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "flip": lambda x: ops.flip(x, 1),
    "flip both": lambda x: ops.flip(x, (1, -1)),
    "roll": lambda x: ops.roll(x, 2, axis=1) + x,
    "roll both": lambda x: ops.roll(x, (1, -1), axis=(1, 2)),
    "repeat": lambda x: ops.repeat(x, 3, axis=1),
    "repeat from the end": lambda x: ops.repeat(x, 2, axis=-1),
    "repeat each otherwise": lambda x: ops.repeat(x, [1, 0, 2, 1], axis=-1),
    "tile": lambda x: ops.tile(x, (1, 2, 3)),
    "tile the last": lambda x: ops.tile(x, (2,)),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 0))),
    "pad mirrored": lambda x: ops.pad(x, ((0, 0), (1, 2), (3, 0)), mode="reflect"),
    "pad symmetric": lambda x: ops.pad(x, ((0, 0), (1, 2), (3, 0)), mode="symmetric"),
    "pad with a number": lambda x: ops.pad(x, ((0, 0), (0, 0), (3, 0)), constant_values=-2.5),
}
JOINS: dict[str, Function] = {
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "matmul of four axes": lambda x: ops.matmul(ops.expand_dims(x, 1), ops.stack([x, -x], axis=1)[..., :4, :]),
    "einsum": lambda x: ops.einsum("bij,bkj->bik", x, x),
    "einsum over steps": lambda x: ops.einsum("bij,bik->bjk", x, x),
    "einsum of rows": lambda x: ops.einsum("...ij,...ij->...i", x, x * 2.0),
    "einsum that sums twice": lambda x: ops.einsum("...ij,...i->...j", x, x[..., 0]),
    "stack": lambda x: ops.stack([x, x * 2.0], axis=1),
    "stack at the end": lambda x: ops.stack([x, x * 2.0, -x], axis=-1),
    "concatenate": lambda x: ops.concatenate([x, x * 2.0], axis=1),
    "concatenate at the end": lambda x: ops.concatenate([x, x * 2.0], axis=-1),
    "numbers on both sides": lambda x: 3 - (-x) * 0.5,
    "minimum": lambda x: ops.minimum(x, 1.0 - x) / 2.0,
}
FUNCTIONS: dict[str, Function] = {
    "softmax": lambda x: ops.softmax(x),
    "softmax of steps": lambda x: x * ops.softmax(x, axis=1),
    "leaky": lambda x: ops.leaky_relu(x, 0.1),
    "elu": lambda x: ops.elu(x, alpha=0.5),
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "hard silu": lambda x: ops.hard_silu(x),
    "exp": lambda x: ops.exp(x),
    "log sigmoid": lambda x: ops.log_sigmoid(x),
    "clip": lambda x: ops.clip(x * 9.0, 0, 4),
    "square": lambda x: ops.square(x) + x**3,
    "normalize": lambda x: ops.normalize(x),
}
MATHS: dict[str, Function] = {
    "absolute": lambda x: abs(x),
    "logarithms": lambda x: ops.log(abs(x) + 1.0) + ops.log2(abs(x) + 1.0) - ops.log10(abs(x) + 2.0) + ops.log1p(x * x),
    "roots": lambda x: ops.sqrt(x * x + 1e-6) + ops.rsqrt(x + 3.0) + ops.reciprocal(x + 3.0),
    "no number": lambda x: ops.where(ops.isnan(ops.log(x)), x, 0.5),
    "exponentials": lambda x: ops.expm1(x) + ops.logaddexp(x, -x),
    "angles": lambda x: (
        ops.sin(x) * ops.cos(x) + ops.tan(x) + ops.arctan(x) + ops.arcsin(x * 0.5) - ops.arccos(x * 0.5)
    ),
    "hyperbolic": lambda x: ops.sinh(x) + ops.cosh(x) + ops.arcsinh(x) + ops.arctanh(x * 0.5) + ops.arccosh(x + 2.5),
    "whole numbers": lambda x: ops.floor(x * 2.3) - ops.ceil(x * 1.7) + ops.round(x * 2.7) + ops.sign(x),
    "powers": lambda x: ops.power(abs(x) + 0.5, 0.7) + 2.0**x + (x + 2.0) ** -1.5 + (-2.0) ** ops.round(x * 2.7),
    "powers of values": lambda x: (abs(x) + 0.1) ** x,
    "quotients": lambda x: x / (x * x + 1.0) + 2.0 / (x + 3.0),
    "remainders": lambda x: x // 0.37 + x % 0.29,
    "extremes": lambda x: ops.maximum(x, 0.1) + ops.minimum(-0.2, x),
    "clip": lambda x: ops.clip(x, -0.5, 0.3),
    "gelu": lambda x: ops.gelu(x) + ops.erf(x),
    "where": lambda x: ops.where(x > 0.1, x, x * 0.1),
    "where of numbers": lambda x: ops.where(x <= 0.1, 1.0, -1.0),
    "conditions": lambda x: ops.where(ops.logical_and(x > -0.5, ops.logical_not(x > 0.5)), x, -1.0),
    "either": lambda x: ops.where(ops.logical_or(x < -0.5, x >= 0.5), x, 0.0),
    "equal": lambda x: ops.where(ops.equal(x, 0.0), 5.0, x) + ops.where(ops.not_equal(x, 0.0), 0.5, x),
    "cast": lambda x: ops.cast(x >= 0.2, "float32") * x,
    "cast to integers": lambda x: ops.cast(ops.cast(x * 2.7, "int32"), "float32") * x,
    "cast to flags": lambda x: ops.where(ops.cast(ops.floor(x * 1.3), "bool"), x, 2.0),
    "any": lambda x: ops.where(ops.any(x > 0.8, axis=-1, keepdims=True), x, 0.0),
    "all": lambda x: ops.cast(ops.all(ops.greater(x, -0.5), axis=1), "float32"),
    "repeated": lambda x: x / ops.sum(x * x + 1.0, axis=-1, keepdims=True),
    "of every pair": lambda x: x[:, :, None] / (x[:, None] + 2.0),
    "activations": lambda x: ops.sigmoid(x) + ops.tanh(x) + ops.relu(x) + ops.silu(x) + ops.softplus(x) + ops.relu6(x),
}
RANDOM = np.random.default_rng(1)
TABLE = RANDOM.normal(size=(8, 4)).astype("float32")
ROW, COLUMN = TABLE[0], TABLE[:, :1]
WITH_CONSTANTS: dict[str, Function] = {
    "table": lambda x: x + TABLE,
    "table first": lambda x: ops.multiply(TABLE[None], x),
    "mean and spread": lambda x: (x - ROW) / np.abs(ROW),
    "column": lambda x: x * COLUMN - COLUMN,
    "column that is added": lambda x: x + COLUMN,
    "positions": lambda x: x + ops.cast(ops.arange(8), "float32")[:, None],
    "extremes": lambda x: ops.minimum(x, ROW),
    "extremes without bound": lambda x: ops.maximum(x, np.where(TABLE > 0, -np.inf, TABLE).astype("float32")),
    "where": lambda x: ops.where(x > ROW, 1.0, x),
    "softmax": lambda x: ops.softmax(x * ROW),
    "number in a box": lambda x: x * np.asarray([[0.3]], "float32"),
    "long table": lambda x: kl.Dense(40)(x) + RANDOM.normal(size=(1, 8, 40)).astype("float32"),
    "layer": lambda x: kl.Add()([x, ops.convert_to_tensor(TABLE[None])]),
    "matmul": lambda x: ops.matmul(x, TABLE[:4, :3]),
    "matmul of a vector": lambda x: ops.matmul(x, ROW),
    "einsum": lambda x: ops.einsum("bij,jk->bik", x, TABLE[:4, :3]),
    "einsum of all": lambda x: ops.einsum("bij,ij->bi", x, TABLE),
    "dot": lambda x: ops.dot(x, TABLE[:4, :2]),
    "tensordot": lambda x: ops.tensordot(x, TABLE[:4, :2], axes=1),
    "tensordot of two axes": lambda x: ops.tensordot(x, TABLE, axes=[[1, 2], [0, 1]]),
}
ORDER: dict[str, Function] = {
    "largest": lambda x: ops.top_k(x, 2)[0],
    "where the largest are": lambda x: ops.cast(ops.top_k(x, 3)[1], "float32"),
    "sorted": lambda x: ops.sort(x, axis=1) - ops.sort(x),
    "order": lambda x: ops.cast(ops.argsort(x, axis=-2), "float32"),
    "median": lambda x: ops.median(x, axis=1) + ops.median(x[:, :7], axis=1),
    "median that stays": lambda x: ops.median(x, axis=-1, keepdims=True),
    "along": lambda x: ops.take_along_axis(x, ops.argsort(x, axis=1), axis=1),
    "along, one each": lambda x: ops.take_along_axis(x, ops.expand_dims(ops.argmax(x, axis=-1), -1), axis=-1),
    "along, the same of all": lambda x: ops.take_along_axis(x, ops.top_k(x[..., 0], 2)[1][..., None], axis=1),
    "along, of one": lambda x: ops.take_along_axis(x[:, :1], ops.argsort(x, axis=-1), axis=2),
    "lower triangle": lambda x: ops.tril(x, k=1),
    "upper triangle": lambda x: ops.triu(x, k=-2),
}


def rounded_before(function: Function) -> Function:
    """Of values that are equal or far apart, so that no rounding decides on their order."""
    return lambda x: function(ops.round(x * 4.0))


MORE: dict[str, Function] = {
    "stopped": lambda x: x + ops.stop_gradient(ops.round(x) - x),
    "converted": lambda x: ops.convert_to_tensor(x) + ops.convert_to_tensor(ops.sign(x), dtype="int32"),
    "gated": lambda x: ops.glu(x),
    "gated along steps": lambda x: ops.glu(x[:, :6], axis=1),
    "above": lambda x: ops.threshold(x, 0.1, -2.0),
    "moments": lambda x: ops.subtract(*ops.moments(x, axes=[1])),
    "average": lambda x: ops.average(x, axis=1),
    "range": lambda x: ops.ptp(x, axis=-1, keepdims=True),
    "degrees": lambda x: ops.deg2rad(x) + ops.rad2deg(x) + ops.trunc(x * 2.9),
    "like": lambda x: ops.ones_like(x) * 2.0 - ops.zeros_like(x) + ops.cast(ops.isfinite(ops.log(x)), "float32"),
    "divided": lambda x: ops.divide_no_nan(x, ops.relu(x)),
    "pooled": lambda x: ops.max_pool(x, 3, 2, padding="same") + ops.average_pool(x, 3, 2, padding="same"),
    "bytes": lambda x: ops.cast(ops.cast(ops.clip(x * 89.5, -5, 120.0), "int8"), "float32"),
    "unsigned bytes": lambda x: ops.cast(ops.cast(ops.sigmoid(x) * 255.0, "uint8"), "float32"),
}
TABLES = {
    "reductions": REDUCTIONS,
    "parts": PARTS,
    "moves": MOVES,
    "joins": JOINS,
    "functions": FUNCTIONS,
    "maths": MATHS,
    "constants": WITH_CONSTANTS,
    "order": {name: rounded_before(function) for name, function in ORDER.items()},
    "more": MORE,
}
# The second half of the first has four steps.
NOT_OPEN = {
    *("matmul of four axes", "diagonal", "diagonal beside", "diagonal of the first axes"),
    *("median", "along, of one", "lower triangle", "upper triangle"),
}


def over(x: Any) -> Any:
    """Something with weights, so that what follows sees no constant."""
    return kl.Dense(4, activation="tanh")(x)


def hostile(model: Any, lengths: tuple[int, int] = (8, 9)) -> list[list[np.ndarray]]:
    """Ordinary values, large ones and nothing but zeros, in two batches and two lengths."""
    rng = np.random.default_rng(0)
    result = []
    for batch, length in zip((3, 1), lengths, strict=True):
        shapes = [(batch, *(size or length for size in tensor.shape[1:])) for tensor in model.inputs]
        for scale in (1.0, 30.0, 0.0):
            result.append([(rng.normal(size=shape) * scale).astype(np.float32) for shape in shapes])
    return result


def compare(functions: Mapping[str, Function], shape: tuple[int | None, ...], folder: Path, **options: Any) -> str:
    """All of them in one model, an output each; the spec's text."""
    x = keras.Input(shape)
    y = over(x)
    model = keras.Model(x, [function(y) for function in functions.values()], name="operations")
    made, text = import_randomized(model, folder)
    compare_deployed(model, made, hostile(model, **options))
    return text


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("steps", [8, None], ids=["fixed", "open"])
def test_operations_are_said_by_layers(table: str, steps: int | None, tmp_path: Path) -> None:
    functions = {name: f for name, f in TABLES[table].items() if steps is not None or name not in NOT_OPEN}
    compare(functions, (steps, 4), tmp_path, lengths=(8, 8) if table == "constants" else (8, 9))


IMAGES: dict[str, Function] = {
    "mean": lambda x: ops.mean(x, axis=(1, 2)),
    "mean of channels": lambda x: ops.mean(x, axis=(2, 3), keepdims=True),
    "slice": lambda x: x[:, 1:, :-1],
    "channels turned round": lambda x: x[..., ::-1],
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (3, 0), (0, 0))),
    "pad mirrored": lambda x: ops.pad(x, ((0, 0), (3, 3), (2, 2), (0, 0)), mode="reflect"),
    "move": lambda x: ops.moveaxis(x, (1, 2), (-1, 1)),
    "resize": lambda x: ops.image.resize(x, (9, 5)),
    "resize by the nearest": lambda x: ops.image.resize(x, (4, 12), interpolation="nearest"),
}


@pytest.mark.parametrize("shape", [(6, 7, 3), (None, None, 3)], ids=["fixed", "open"])
def test_operations_on_images(shape: tuple[int | None, ...], tmp_path: Path) -> None:
    compare(IMAGES, shape, tmp_path)


PIXELS: dict[str, Function] = {
    "patches": lambda x: ops.image.extract_patches(x, (2, 3)),
    "patches, all of it": lambda x: ops.image.extract_patches(x, 2, padding="same"),
    "patches that overlap": lambda x: ops.image.extract_patches(x, 3, strides=2),
    "patches with holes": lambda x: ops.image.extract_patches(x, 2, strides=1, dilation_rate=2, padding="same"),
    "blocks": lambda x: ops.nn.depth_to_space(x, 2),
    "channels": lambda x: ops.nn.space_to_depth(x[:, :, :6], 2),
    "gray": lambda x: ops.image.rgb_to_grayscale(x[..., :3]),
}


def test_pixels(tmp_path: Path) -> None:
    compare(PIXELS, (6, 7, 3), tmp_path)


def test_blocks_of_pictures_of_any_size(tmp_path: Path) -> None:
    functions = {name: PIXELS[name] for name in ("blocks", "gray")}
    text = compare(functions, (None, None, 3), tmp_path)
    assert text.count("merge") == 2


def test_operations_inside_time_distributed(tmp_path: Path) -> None:
    """Axes of the inner model are one further on."""
    a = keras.Input((6, 4))
    y = over(a)
    inner = keras.Model(a, ops.mean(y[:, ::2] - ops.max(y, axis=1, keepdims=True), axis=1) * ops.flip(y, -1)[:, 0])
    x = keras.Input((5, 6, 4))
    model = keras.Model(x, kl.TimeDistributed(inner)(x))
    made, _ = import_randomized(model, tmp_path)
    compare_deployed(model, made, hostile(model))


def test_long_constants_stand_in_a_file_beside_the_spec(tmp_path: Path) -> None:
    table = RANDOM.normal(size=(8, 4)).astype("float32")
    x = keras.Input((8, 4))
    y = over(x)
    made, text = import_randomized(keras.Model(x, (y + table) * table, name="positions"), tmp_path)
    assert made.tables == tmp_path / "positions.npz"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "positions.npz",
        "positions.weights.h5",
        "positions.yaml",
    ]
    with np.load(made.tables) as arrays:
        assert [array.shape for array in arrays.values()] == [(8, 4)] * len(arrays)
        np.testing.assert_array_equal(next(iter(arrays.values())), table)
    assert "file: positions.npz/" in text


def test_a_square_that_keras_takes_for_a_bias(tmp_path: Path) -> None:
    """Keras on TensorFlow adds a column along the channels of a square, and so does the spec."""
    column = np.asarray([[1.0], [2.0], [3.0], [4.0]], "float32")
    text = compare({"added": lambda x: x + column, "taken off": lambda x: x - column}, (4, 4), tmp_path, lengths=(4, 4))
    assert "x + table, weights: {table: {axes: {unit: 4}" in text
    assert "x - table, weights: {table: {axes: {time: 4}" in text


def test_positions_of_extremes(tmp_path: Path) -> None:
    """On random rows alone: where values are equal but for rounding, any of them may be the largest."""
    x = keras.Input((8, 4))
    y = kl.Dense(4)(x)
    first = ops.cast(ops.argmax(y, axis=1), "float32") - ops.cast(ops.argmin(y, axis=-2), "float32")
    kept = ops.cast(ops.argmin(y, axis=-1, keepdims=True), "float32") * y
    model = keras.Model(x, [first, kept, ops.one_hot(ops.argmax(y, axis=-1), 4) * y])
    made, _ = import_randomized(model, tmp_path)
    rows = np.random.default_rng(3).normal(size=(6, 8, 4)).astype(np.float32)
    compare_deployed(model, made, [[rows], [rows[:1]]])


def test_computing_with_integers(tmp_path: Path) -> None:
    """As floats, which hold whole numbers exactly."""
    ids = keras.Input((7,), dtype="int32")
    half = ops.cast(ids // 2, "float32") + ops.cast(ops.not_equal(ids % 3, 0), "float32")
    flags = ops.cast(ops.logical_and(ids > 2, ids < 9), "float32")
    one_hot = kl.Dense(3)(ops.one_hot(ids, 6))
    model = keras.Model(ids, [half + ops.cast(ids, "float32") * 0.5, kl.Dense(3)(flags), one_hot])
    made, _ = import_randomized(model, tmp_path)
    rows = np.random.default_rng(3).integers(-9, 12, (5, 7)).astype(np.int32)
    compare_deployed(model, made, [[rows], [rows[:1]]])


# What the batch axis does, in every rule that counts axes.
ACROSS_SAMPLES: dict[str, Function] = {
    "mean": lambda x: ops.mean(x, axis=0),
    "mean of all": lambda x: ops.mean(x),
    "max": lambda x: ops.max(x, axis=(0, 1)),
    "flip": lambda x: ops.flip(x),
    "transpose": lambda x: ops.transpose(x, (1, 0, 2)),
    "concatenate": lambda x: ops.concatenate([x, x], axis=0),
    "stack": lambda x: ops.stack([x, x], axis=0),
    "einsum": lambda x: ops.einsum("bij,cij->bc", x, x),
    "softmax": lambda x: ops.softmax(x, axis=0),
    "pad": lambda x: ops.pad(x, [[1, 1], [0, 0], [0, 0]]),
    "take": lambda x: ops.take(x, [0], axis=0),
    "roll": lambda x: ops.roll(x, 1),
    "tile": lambda x: ops.tile(x, (2, 1, 1)),
    "repeat": lambda x: ops.repeat(x, 2),
    "expand": lambda x: ops.expand_dims(x, 0),
}


def test_what_joins_samples_is_refused_with_the_reason(tmp_path: Path) -> None:
    """All at once, each by the name that it has in the model."""
    x = keras.Input((6, 4))
    y = over(x)
    made = [kl.Identity(name=f"out_{i}")(function(y)) for i, function in enumerate(ACROSS_SAMPLES.values())]
    model = keras.Model(x, made)
    with pytest.raises(SpecError) as caught:
        import_model(model, tmp_path)
    messages = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert len(messages) == len(ACROSS_SAMPLES)
    assert all("axis 0, the batch: the result of one sample depends on the others" in said for said in messages)
    names = {layer.name for layer in model.operations}
    assert all(said.split("`")[3] in names for said in messages)


REFUSED: dict[str, tuple[Function, str]] = {
    "product so far": (lambda x: ops.cumprod(x, axis=1), "`Cumprod`"),
    "diagonal": (lambda x: ops.einsum("bii->bi", ops.matmul(x, ops.transpose(x, (0, 2, 1)))), "diagonal"),
    "constant with samples": (lambda x: x + np.ones((3, 6, 4), "float32"), "a separate batch"),
    "bytes": (lambda x: ops.cast(x, "uint8"), "may be outside 0 … 255"),
    "small bytes": (lambda x: ops.cast(ops.relu6(x) * 99.0, "int8"), "may be outside -128 … 127"),
    "other ranks": (lambda x: x + x[:, 0], "3 and 2 axes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    function, said = REFUSED[name]
    x = keras.Input((6, 4))
    with pytest.raises(SpecError) as caught:
        import_model(keras.Model(x, function(over(x))), tmp_path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "NN607"
    assert said in diagnostic.message
    assert not list(tmp_path.iterdir())
