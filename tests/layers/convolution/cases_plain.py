"""Cases of convolutions: every kind of padding, strides, dilation, groups, layouts, unknown lengths, dead taps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import convolution_form

Weights = dict[str, np.ndarray]
Oracle = Callable[[Weights, list[np.ndarray]], np.ndarray]


def correlate(
    x: np.ndarray, kernel: np.ndarray, strides: Sequence[int], dilation: Sequence[int], padding: str, groups: int = 1
) -> np.ndarray:
    """`sum over taps of x[position · stride + tap · dilation − before] · kernel[tap]`, positions outside being zero.

    `x` is (batch, …spatial, channel), `kernel` (…taps, channel / groups, filter).
    """
    rank = kernel.ndim - 2
    lengths, taps = x.shape[1:-1], kernel.shape[:rank]
    spans = [1 + (k - 1) * d for k, d in zip(taps, dilation, strict=True)]
    if padding == "valid":
        counts = [(n - span) // s + 1 for n, span, s in zip(lengths, spans, strides, strict=True)]
        before = [0] * rank
    else:
        counts = [-(-n // s) for n, s in zip(lengths, strides, strict=True)]
        needed = [(c - 1) * s + span - n for c, s, span, n in zip(counts, strides, spans, lengths, strict=True)]
        before = [max(total, 0) // 2 for total in needed]
    if padding == "causal":
        before = [spans[0] - 1]
    channels, filters = x.shape[-1], kernel.shape[-1]
    result = np.zeros((x.shape[0], *counts, filters))
    for position in np.ndindex(*counts):
        for tap in np.ndindex(*taps):
            at = [p * s + t * d - b for p, s, t, d, b in zip(position, strides, tap, dilation, before, strict=True)]
            if any(not 0 <= a < n for a, n in zip(at, lengths, strict=True)):
                continue
            seen = x[(slice(None), *at)]
            for group in range(groups):
                inside = slice(group * channels // groups, (group + 1) * channels // groups)
                made = slice(group * filters // groups, (group + 1) * filters // groups)
                result[(slice(None), *position, made)] += seen[:, inside] @ kernel[(*tap, slice(None), made)]
    return result


def per_channel(kernel: np.ndarray) -> np.ndarray:
    """A depthwise kernel (…, channel, multiplier) as one of as many groups as channels."""
    return kernel.reshape((*kernel.shape[:-2], 1, kernel.shape[-2] * kernel.shape[-1]))


def convolution(
    rank: int,
    *,
    strides: Sequence[int] | int = 1,
    dilation: Sequence[int] | int = 1,
    padding: str = "valid",
    groups: int = 1,
    first: bool = False,
    then: Callable[[np.ndarray], np.ndarray] = lambda x: x,
) -> Oracle:
    """What Conv, DepthwiseConv and SeparableConv compute, told apart by their weights."""

    def each(value: Sequence[int] | int) -> list[int]:
        return [value] * rank if isinstance(value, int) else list(value)

    def oracle(weights: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        x = np.moveaxis(x, 1, -1) if first else x
        kernel = weights.get("kernel", weights.get("depthwise_kernel"))
        assert kernel is not None
        is_grouped = "pointwise_kernel" in weights or (kernel.shape[-2] == x.shape[-1] and groups == 0)
        if is_grouped:
            result = correlate(x, per_channel(kernel), each(strides), each(dilation), padding, x.shape[-1])
        else:
            result = correlate(x, kernel, each(strides), each(dilation), padding, groups)
        if "pointwise_kernel" in weights:
            result = result @ weights["pointwise_kernel"].reshape(weights["pointwise_kernel"].shape[-2:])
        result = then(result + weights.get("bias", 0.0))
        return np.moveaxis(result, -1, 1) if first else result

    return oracle


def behind_zeros(oracle: Oracle) -> Oracle:
    """Two zeros above, one on the left and three on the right."""
    return lambda weights, inputs: oracle(weights, [np.pad(inputs[0], ((0, 0), (2, 0), (1, 3), (0, 0)))])


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


ONE = ["Transpose", "Reshape", "Conv", "Transpose", "Reshape"]
TWO = ["Transpose", "Conv", "Transpose"]


def case(kind: str, body: dict[str, Any], inputs: dict[str, Any], output: dict[str, Any], id: str, **more: Any) -> Case:
    rank = int(kind[-2])
    first = body.get("data_format") == "channels_first"
    groups = 0 if kind.startswith("Depthwise") else body.get("groups", 1)
    then = {None: lambda x: x, "relu": relu, "elu": elu}[body.get("activation")]
    oracle = convolution(
        rank,
        strides=body.get("strides", 1),
        dilation=body.get("dilation_rate", 1),
        padding=body.get("padding", "valid"),
        groups=groups,
        first=first,
        then=then,
    )
    return Case(kind, body, [inputs], output, oracle, more.pop("ops"), id=id, **more)


SERIES = {"time": 11, "channel": 5}
IMAGE = {"height": 11, "width": 7, "channel": 3}
CONV1D = {"filters": 3, "kernel_size": 3}
CONV2D = {"filters": 2, "kernel_size": [3, 5]}
VOLUME = {"depth": 5, "height": 7, "width": 6, "channel": 4}
CONV3D = {"filters": 2, "kernel_size": [2, 3, 1]}


def dead_tap(kind: str, body: dict[str, Any]) -> Case:
    """A tap that sees nothing, but whose position is not all padding."""
    return case(
        kind,
        {**body, "kernel_size": 2, "dilation_rate": 3, "padding": "same"},
        {"time": 2, "channel": 5},
        {"time": 2, "filter": 5},
        "dead-tap",
        ops=ONE,
    )


def bias(kind: str, body: dict[str, Any], inputs: dict[str, Any], id: str) -> Case:
    """Filters as many as the last axis is long: the bias belongs to the filters."""
    return case(
        kind,
        {**body, "data_format": "channels_first", "padding": "same", "activation": "relu"},
        inputs,
        {("filter" if name == "channel" else name): size for name, size in inputs.items()},
        f"bias-{id}",
        ops=None,
    )


CASES = [
    dead_tap("Conv1D", {"filters": 5}),
    bias("Conv1D", {"filters": 5, "kernel_size": 1}, {"channel": 5, "time": 5}, "square"),
    bias("Conv1D", {"filters": 6, "kernel_size": 3}, {"channel": 6, "time": "T"}, "symbol"),
    bias("Conv2D", {"filters": 4, "kernel_size": 1}, {"channel": 4, "height": 3, "width": 4}, "square"),
    case("Conv1D", CONV1D, SERIES, {"time": 9, "filter": 3}, "", ops=ONE),
    case("Conv1D", {**CONV1D, "padding": "same"}, SERIES, {"time": 11, "filter": 3}, "same", ops=ONE),
    case(
        "Conv1D",
        {**CONV1D, "kernel_size": 4, "padding": "same"},
        SERIES,
        {"time": 11, "filter": 3},
        "same-even",
        ops=ONE,
    ),
    case("Conv1D", {**CONV1D, "padding": "causal"}, SERIES, {"time": 11, "filter": 3}, "causal", ops=ONE),
    case("Conv1D", {**CONV1D, "strides": 2}, SERIES, {"time": 5, "filter": 3}, "strides", ops=ONE),
    case(
        "Conv1D", {**CONV1D, "strides": 2, "padding": "same"}, SERIES, {"time": 6, "filter": 3}, "strides-same", ops=ONE
    ),
    case(
        "Conv1D",
        {**CONV1D, "strides": 3, "padding": "causal"},
        SERIES,
        {"time": 4, "filter": 3},
        "strides-causal",
        ops=ONE,
    ),
    case("Conv1D", {**CONV1D, "dilation_rate": 2}, SERIES, {"time": 7, "filter": 3}, "dilation", ops=ONE),
    case(
        "Conv1D",
        {**CONV1D, "dilation_rate": 2, "padding": "causal", "activation": "elu"},
        SERIES,
        {"time": 11, "filter": 3},
        "dilated-causal-elu",
        ops=[*ONE[:3], "Elu", *ONE[3:]],
    ),
    case(
        "Conv1D",
        {"filters": 4, "kernel_size": 3, "groups": 2},
        {"time": 11, "channel": 6},
        {"time": 9, "filter": 4},
        "groups",
        ops=ONE,
    ),
    case(
        "Conv1D", {**CONV1D, "use_bias": False, "as": "feature"}, SERIES, {"time": 9, "feature": 3}, "no-bias", ops=ONE
    ),
    case(
        "Conv1D",
        {**CONV1D, "data_format": "channels_first", "padding": "same"},
        {"channel": 5, "time": 11},
        {"filter": 3, "time": 11},
        "channels-first",
        ops=["Reshape", "Conv", "Reshape"],
    ),
    case(
        "Conv1D",
        {**CONV1D, "padding": "same"},
        {"time": "T", "channel": 5},
        {"time": "T", "filter": 3},
        "symbol-same",
        ops=ONE,
    ),
    case(
        "Conv1D",
        {**CONV1D, "padding": "causal"},
        {"time": "T", "channel": 5},
        {"time": "T", "filter": 3},
        "symbol-causal",
        ops=ONE,
    ),
    case("Conv1D", CONV1D, {"time": "T", "channel": 5}, {"time": "(T - 2)", "filter": 3}, "symbol-valid", ops=ONE),
    case(
        "Conv1D",
        {**CONV1D, "strides": 2, "padding": "same"},
        {"time": "T", "channel": 5},
        {"time": "ceil(T/2)", "filter": 3},
        "symbol-strides-same",
        ops=ONE,
    ),
    case(
        "Conv1D",
        {"filters": 3, "kernel_size": 5, "dilation_rate": 4, "padding": "causal"},
        SERIES,
        {"time": 11, "filter": 3},
        "dead-taps-causal",
        ops=ONE,
    ),
    case(
        "Conv1D",
        {"filters": 3, "kernel_size": 7, "dilation_rate": 4, "padding": "same"},
        {"time": 7, "channel": 5},
        {"time": 7, "filter": 3},
        "dead-taps-same",
        ops=ONE,
    ),
    case("Conv1D", {"filters": 3, "kernel_size": 1}, SERIES, {"time": 11, "filter": 3}, "pointwise", ops=ONE),
    case(
        "Conv1D",
        {**CONV1D, "over": "frequency"},
        {"frequency": 11, "time": 5},
        {"frequency": 9, "filter": 3},
        "over",
        ops=ONE,
    ),
    case("Conv2D", CONV2D, IMAGE, {"height": 9, "width": 3, "filter": 2}, "", ops=TWO),
    case("Conv2D", {**CONV2D, "padding": "same"}, IMAGE, {"height": 11, "width": 7, "filter": 2}, "same", ops=TWO),
    case(
        "Conv2D",
        {**CONV2D, "strides": [3, 2], "padding": "same", "activation": "relu"},
        IMAGE,
        {"height": 4, "width": 4, "filter": 2},
        "strides-same-relu",
        ops=["Transpose", "Conv", "Relu", "Transpose"],
    ),
    case("Conv2D", {**CONV2D, "strides": 2}, IMAGE, {"height": 5, "width": 2, "filter": 2}, "strides", ops=TWO),
    case(
        "Conv2D",
        {"filters": 2, "kernel_size": 3, "dilation_rate": [3, 2]},
        IMAGE,
        {"height": 5, "width": 3, "filter": 2},
        "dilation",
        ops=TWO,
    ),
    case(
        "Conv2D",
        {**CONV2D, "data_format": "channels_first"},
        {"channel": 3, "height": 11, "width": 7},
        {"filter": 2, "height": 9, "width": 3},
        "channels-first",
        ops=["Conv"],
    ),
    case(
        "Conv2D",
        {"filters": 6, "kernel_size": 3, "groups": 3, "use_bias": False},
        IMAGE,
        {"height": 9, "width": 5, "filter": 6},
        "groups",
        ops=TWO,
    ),
    case(
        "Conv2D",
        {**CONV2D, "padding": "same"},
        {"height": "H", "width": "W", "channel": 3},
        {"height": "H", "width": "W", "filter": 2},
        "symbols",
        ops=TWO,
    ),
    case("Conv3D", CONV3D, VOLUME, {"depth": 4, "height": 5, "width": 6, "filter": 2}, "", ops=TWO),
    case(
        "Conv3D",
        {"filters": 3, "kernel_size": [3, 2, 4], "strides": [2, 1, 3], "padding": "same", "activation": "relu"},
        VOLUME,
        {"depth": 3, "height": 7, "width": 2, "filter": 3},
        "strides-same-relu",
        ops=["Transpose", "Conv", "Relu", "Transpose"],
    ),
    case(
        "Conv3D",
        {"filters": 6, "kernel_size": 2, "dilation_rate": [2, 3, 1], "groups": 2, "use_bias": False},
        VOLUME,
        {"depth": 3, "height": 4, "width": 5, "filter": 6},
        "dilation-groups",
        ops=TWO,
    ),
    case(
        "Conv3D",
        {"filters": 6, "kernel_size": 3, "padding": "same", "data_format": "channels_first"},
        {"channel": 4, "depth": 3, "height": 5, "width": 6},
        {"filter": 6, "depth": 3, "height": 5, "width": 6},
        "channels-first-bias",
        ops=["Conv"],
    ),
    case(
        "Conv3D",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"depth": "D", "height": 7, "width": "W", "channel": 4},
        {"depth": "ceil(D/2)", "height": 4, "width": "ceil(W/2)", "filter": 2},
        "symbols-strides-same",
        ops=TWO,
    ),
    case(
        "Conv3D",
        {"filters": 3, "kernel_size": [3, 1, 1], "dilation_rate": [6, 1, 1], "padding": "same"},
        VOLUME,
        {"depth": 5, "height": 7, "width": 6, "filter": 3},
        "dead-taps",
        ops=TWO,
    ),
    # the rows of the Dense kernel move to the convolution's layout, the data stay: no Transpose behind the Conv
    *(
        Case(
            "Conv2D",
            {"filters": 2, "kernel_size": [3, 2], "strides": strides, "padding": padding},
            [{"height": 5, "width": 7, "channel": 3}],
            {"height": height, "width": width, "filter": 2},
            behind_zeros(convolution(2, strides=strides, padding=padding)),
            TWO,
            id=f"behind-zeros-{padding}",
            before=[{"ZeroPadding2D": {"padding": [[2, 0], [1, 3]]}}],
        )
        for strides, padding, height, width in ((2, "valid", 3, 5), (1, "same", 7, 11))
    ),
]
FORMS = {f"Conv{rank}D": convolution_form(rank, is_grouped=True) for rank in (1, 2, 3)}
