"""Random layers and axis operations for a value of a given shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnspec.catalogue import keras_objects
from nnspec.layers.registry import REGISTRY

Rng = np.random.Generator
Item = dict[str, Any]
Shape = list[tuple[str, int | str]]

ACTIVATIONS = keras_objects.names("activations")
GATES = ["tanh", "sigmoid", "relu", "hard_sigmoid", "softsign", "elu", "linear", None]


def one_of(rng: Rng, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def flag(rng: Rng, probability: float = 0.5) -> bool:
    return bool(rng.random() < probability)


def count(rng: Rng, low: int, high: int) -> int:
    """From `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


def some(rng: Rng, body: Item, **choices: Sequence[Any]) -> Item:
    """The body with about half of the arguments, each by one of its values."""
    return {**body, **{name: one_of(rng, values) for name, values in choices.items() if flag(rng)}}


def axis_of(rng: Rng, shape: Shape) -> Any:
    """An axis by name or by Keras' index, counted from either end."""
    i = int(rng.integers(len(shape)))
    return one_of(rng, [shape[i][0], i + 1, i - len(shape)])


def axes_of(rng: Rng, shape: Shape) -> Any:
    if flag(rng):
        return axis_of(rng, shape)
    places = sorted(rng.permutation(len(shape))[: count(rng, 1, len(shape))].tolist())
    return [one_of(rng, [shape[i][0], i + 1]) for i in places]


def activation(rng: Rng) -> Any:
    return None if flag(rng, 0.4) else one_of(rng, ACTIVATIONS)


def each(rng: Rng, rank: int, low: int, high: int) -> Any:
    """A number, or one for each axis that the layer runs along."""
    return count(rng, low, high) if flag(rng) else [count(rng, low, high) for _ in range(rank)]


def convolution(rng: Rng, kind: str, shape: Shape, rank: int) -> Item:
    body: Item = {"kernel_size": each(rng, rank, 1, 3)}
    if flag(rng, 0.3):
        body["strides"] = count(rng, 1, 3)
    elif flag(rng, 0.4):
        body["dilation_rate"] = each(rng, rank, 1, 3)
    paddings = ["valid", "same", "same", *(["causal"] if kind == "Conv1D" else [])]
    some_body = some(rng, body, padding=paddings, use_bias=[True, False])
    body = {**some_body, "activation": activation(rng)}
    body |= data_format(rng)
    if kind.endswith("Transpose"):
        return some(rng, {**body, "filters": count(rng, 1, 6)}, output_padding=[0, 1, None])
    if not kind.startswith("Depthwise"):
        body["filters"] = count(rng, 1, 6)
    if kind.startswith(("Depthwise", "Separable")):
        body |= some(rng, {}, depth_multiplier=[1, 2, 3])
    elif flag(rng, 0.3):
        channels = shape[0 if body.get("data_format") == "channels_first" else -1][1]
        if isinstance(channels, int):
            body["groups"] = one_of(rng, [g for g in range(1, channels + 1) if channels % g == 0])
            body["filters"] = body["groups"] * count(rng, 1, 3)
    return body


def data_format(rng: Rng) -> Item:
    return {"data_format": "channels_first"} if flag(rng, 0.25) else some(rng, {}, data_format=["channels_last", None])


def recurrent(rng: Rng, kind: str) -> Item:
    body = some(
        rng,
        {"units": count(rng, 1, 5)},
        activation=GATES,
        use_bias=[True, False],
        return_sequences=[True, True, False],
        go_backwards=[True, False],
        unroll=[False],
    )
    if kind != "SimpleRNN" and flag(rng, 0.3):
        body["recurrent_activation"] = one_of(rng, ["sigmoid", "hard_sigmoid", "tanh", "relu"])
    if kind == "GRU":
        body |= some(rng, {}, reset_after=[True, False])
    return body


def over(rng: Rng, shape: Shape, body: Item, rank: int) -> Item:
    """Says which axes the layer runs along, most of the time."""
    if not flag(rng, 0.85):
        return body
    first = 1 if body.get("data_format") == "channels_first" else 0
    names = [name for name, _ in shape[first : first + rank]] or ["none"]
    return {**body, "over": names[0] if rank == 1 else names}


def rank_of(kind: str) -> int | None:
    found = re.search(r"(\d)D(Transpose)?$", kind)
    return int(found.group(1)) if found else None


def item(rng: Rng, kind: str, shape: Shape) -> Item:
    """A body for the layer that reads one tensor of this shape; it need not be legal."""
    shape = shape or [("none", 1)]
    rank = rank_of(kind) or 1
    if "Conv" in kind:
        return over(rng, shape, convolution(rng, kind, shape, rank), rank)
    if kind.startswith("Global"):
        return over(rng, shape, some(rng, data_format(rng), keepdims=[True, False]), rank)
    if kind.startswith("Adaptive"):
        return over(rng, shape, {"output_size": each(rng, rank, 1, 5)} | data_format(rng), rank)
    if "Pooling" in kind:
        body = some(rng, {"pool_size": each(rng, rank, 1, 3)}, strides=[1, 2, 3, None], padding=["valid", "same"])
        return over(rng, shape, body | data_format(rng), rank)
    if kind.startswith(("ZeroPadding", "Cropping")):
        pair = [count(rng, 0, 2), count(rng, 0, 2)]
        value: Any = one_of(rng, [1, pair]) if rank == 1 else one_of(rng, [1, pair, [pair, [0, 1]]])
        return {kind[:-2].removeprefix("Zero").lower(): value} | (data_format(rng) if rank > 1 else {})
    if kind.startswith("UpSampling"):
        body = {"size": count(rng, 1, 3) if rank == 1 else each(rng, rank, 1, 3)}
        methods = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
        body |= data_format(rng) if rank > 1 else {}
        return over(rng, shape, some(rng, body, interpolation=methods) if rank == 2 else body, rank)
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        return over(rng, shape, recurrent(rng, kind), 1)
    if kind == "Bidirectional":
        inner = one_of(rng, ["LSTM", "GRU", "SimpleRNN"])
        body = {"layer": {inner: recurrent(rng, inner)}}
        if flag(rng, 0.15):
            other = one_of(rng, ["LSTM", "GRU", "SimpleRNN"])
            same = {k: v for k, v in body["layer"][inner].items() if k in ("units", "return_sequences")}
            body["backward_layer"] = {other: {**recurrent(rng, other), **same, "go_backwards": True}}
            body["layer"][inner]["go_backwards"] = False
        return over(rng, shape, some(rng, body, merge_mode=["sum", "mul", "concat", "ave"]), 1)
    if kind == "TimeDistributed":
        fitting = [k for k in REGISTRY if (rank_of(k) or 1) < len(shape) - (rank_of(k) is not None)]
        inner = one_of(rng, [k for k in fitting if REGISTRY[k].arity[0] == 1] or ["Dense"])
        return over(rng, shape, {"layer": {inner: item(rng, inner, shape[1:])}}, 1)
    if kind == "Masking":
        return over(rng, shape, some(rng, {}, mask_value=[0.0, 1.0]), 1)
    if kind == "Dense":
        return some(rng, {"units": count(rng, 1, 6), "activation": activation(rng)}, use_bias=[True, False])
    if kind == "BatchNormalization":
        return some(rng, {"axis": axis_of(rng, shape)}, center=[True, False], scale=[True, False])
    if kind == "GroupNormalization":
        body = some(rng, {"groups": one_of(rng, [1, 1, 2, 3, -1])}, center=[True, False], scale=[True, False])
        return body | ({"axis": axis_of(rng, shape)} if flag(rng) else {})
    if kind == "Normalization":
        if flag(rng):
            return {"axis": None, "mean": 0.5, "variance": 2.0, "invert": flag(rng)}
        return some(rng, {"axis": axes_of(rng, shape)}, invert=[True, False])
    if kind.endswith("Normalization") or kind == "Softmax":
        return {"axis": axes_of(rng, shape)} if flag(rng, 0.7) else {}
    if kind == "PReLU":
        return {"shared_axes": axes_of(rng, shape)} if flag(rng, 0.7) else {}
    if kind == "Activation":
        return {"activation": one_of(rng, ACTIVATIONS)}
    if kind == "ReLU":
        return some(rng, {}, max_value=[None, 1.5], negative_slope=[0.0, 0.2], threshold=[0.0, 0.3])
    if kind in ("LeakyReLU", "ELU"):
        return some(rng, {}, **{"negative_slope" if kind == "LeakyReLU" else "alpha": [0.1, 0.7, 1.0]})
    if "Dropout" in kind:
        return {"rate": 0.3}
    if kind == "GaussianNoise":
        return {"stddev": 0.2}
    if kind == "Embedding":
        return some(rng, {"input_dim": 12, "output_dim": count(rng, 1, 5)}, mask_zero=[True, False])
    if kind == "STFTSpectrogram":
        body = {"frame_length": count(rng, 2, 5), "mode": one_of(rng, ["magnitude", "psd", "real", "imag", "stft"])}
        return some(rng, body, frame_step=[1, 2, None], padding=["valid", "same"], expand_dims=[True, False])
    if kind == "MelSpectrogram":  # its defaults need over a thousand samples
        return some(rng, {"fft_length": 8, "sequence_stride": 4, "num_mel_bins": 3}, power_to_db=[True, False])
    if kind == "RepeatVector":
        return {"n": count(rng, 1, 4)}
    if kind == "Flatten":
        return data_format(rng)
    if kind == "Reshape":
        return {"target_shape": reshaped(rng, shape)}
    return verb(rng, kind, shape)


def reshaped(rng: Rng, shape: Shape) -> list[int]:
    """Sizes of neighbours multiplied, sizes divided, and unit sizes put in."""
    sizes = [size if isinstance(size, int) else -1 for _, size in shape]
    if len(sizes) > 1 and flag(rng) and -1 not in sizes:
        i = count(rng, 0, len(sizes) - 2)
        sizes[i : i + 2] = [sizes[i] * sizes[i + 1]]
    i = int(rng.integers(len(sizes)))
    parts = [d for d in range(1, max(sizes[i], 1) + 1) if sizes[i] % d == 0]
    if sizes[i] > 0:
        part = one_of(rng, parts)
        sizes[i : i + 1] = [part, sizes[i] // part]
    return sizes


def verb(rng: Rng, kind: str, shape: Shape) -> Item:
    names = [name for name, _ in shape]
    shuffled = [names[i] for i in rng.permutation(len(names))]
    fresh = f"axis{count(rng, 0, 99)}"
    if kind == "permute":
        return {"order": shuffled}
    if kind == "Permute":
        return {"dims": [one_of(rng, [name, names.index(name) + 1]) for name in shuffled]}
    if kind == "merge":
        start = count(rng, 0, max(0, len(names) - 2))
        return {fresh: names[start : start + count(rng, 2, 3)]}
    if kind == "split":
        name, size = one_of(rng, shape)
        parts = [d for d in range(1, size + 1) if size % d == 0] if isinstance(size, int) else [1, 2]
        part = one_of(rng, parts)
        return {name: {f"{fresh}a": size // part if isinstance(size, int) else None, f"{fresh}b": part}}
    if kind == "insert":
        return {fresh: 1}
    if kind == "drop":
        return {"axis": one_of(rng, [name for name, size in shape if size == 1] or names)}
    if kind == "rename":
        return {one_of(rng, names): fresh}
    return {}
