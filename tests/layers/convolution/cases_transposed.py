"""Cases of transposed convolutions: every kind of padding, strides, dilation, layouts, unknown lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import convolution_form

Weights = dict[str, np.ndarray]


def scattered(
    x: np.ndarray, kernel: np.ndarray, strides: list[int], dilation: list[int], padding: str, more: list[int] | None
) -> np.ndarray:
    """Each position adds `kernel`, times its value, from `position · stride` on; then the ends that are not kept go.

    `x` is (batch, …spatial, channel), `kernel` (…taps, filter, channel).
    """
    rank = kernel.ndim - 2
    lengths, taps = x.shape[1:-1], kernel.shape[:rank]
    spans = [1 + (k - 1) * d for k, d in zip(taps, dilation, strict=True)]
    room = [(n - 1) * s + span + s for n, s, span in zip(lengths, strides, spans, strict=True)]
    result = np.zeros((len(x), *room, kernel.shape[-2]))
    for position in np.ndindex(*lengths):
        for tap in np.ndindex(*taps):
            at = tuple(p * s + t * d for p, s, t, d in zip(position, strides, tap, dilation, strict=True))
            result[(slice(None), *at)] += x[(slice(None), *position)] @ kernel[tap].T
    kept = []
    for i, (n, s, span) in enumerate(zip(lengths, strides, spans, strict=True)):
        if padding == "valid":
            first, count = 0, (n - 1) * s + (max(span, s) if more is None else span + more[i])
        else:
            count = n * s if more is None else (n - 1) * s + span % 2 + more[i]
            first = max((n - 1) * s + span - count, 0) // 2
        kept.append(slice(first, first + count))
    return result[(slice(None), *kept)]


def cut_off(kernel: int, stride: int, dilation: int, more: int | None, padding: str) -> tuple[int, int]:
    """How many of the positions that a kernel writes to are not kept, at either end."""
    if padding == "valid":
        return 0, 0
    whole = 8 * stride + 1 + (kernel - 1) * dilation  # of nine positions
    count = 9 * stride if more is None else 8 * stride + (1 + (kernel - 1) * dilation) % 2 + more
    before = max(whole - count, 0) // 2
    return before, max(whole - before - count, 0)


def case(
    kind: str, body: dict[str, Any], inputs: dict[str, Any], output: dict[str, Any], id: str = "", **extra: Any
) -> Case:
    rank = int(kind[4])
    first = body.get("data_format") == "channels_first"

    def each(name: str, default: int) -> list[int]:
        value = body.get(name, default)
        return [value] * rank if isinstance(value, int) else list(value)

    def oracle(weights: Weights, arrays: list[np.ndarray]) -> np.ndarray:
        x = arrays[0].astype(np.float64)
        x = np.moveaxis(x, 1, -1) if first else x
        more = each("output_padding", 0) if body.get("output_padding") is not None else None
        padding = body.get("padding", "valid")
        y = scattered(x, weights["kernel"], each("strides", 1), each("dilation_rate", 1), padding, more)
        y = y + weights.get("bias", 0.0)
        y = np.maximum(y, 0) if body.get("activation") == "relu" else y
        return np.moveaxis(y, -1, 1) if first else y

    more = each("output_padding", 0) if body.get("output_padding") is not None else [None] * rank
    sizes = (each("kernel_size", 1), each("strides", 1), each("dilation_rate", 1), more)
    ends = [cut_off(*given, body.get("padding", "valid")) for given in zip(*sizes, strict=True)]
    is_cut = any(after > before for before, after in ends)
    middle = ["ConvTranspose", *(["Slice"] if is_cut else []), *(["Relu"] if body.get("activation") else [])]
    around = (["Transpose", "Reshape"], ["Transpose", "Reshape"]) if rank == 1 else (["Transpose"], ["Transpose"])
    if first:
        around = (["Reshape"], ["Reshape"]) if rank == 1 else ([], [])
    ops = extra.pop("ops", [*around[0], *middle, *around[1]])
    return Case(kind, body, [inputs], output, oracle, ops, id=id, **extra)


SERIES = {"time": 7, "channel": 5}
IMAGE = {"height": 5, "width": 7, "channel": 3}
VOLUME = {"depth": 3, "height": 5, "width": 2, "channel": 4}
ONE = {"filters": 3, "kernel_size": 4}
SAME = {"padding": "same"}

LINES = [  # strides, kernel, dilation, padding, output padding, time
    (1, 4, 1, "valid", None, 10),
    (2, 4, 1, "valid", None, 16),
    (3, 2, 1, "valid", None, 21),
    (3, 4, 1, "valid", 2, 24),
    (3, 2, 1, "valid", 0, 20),
    (1, 4, 1, "same", None, 7),
    (2, 3, 1, "same", None, 14),
    (2, 4, 1, "same", None, 14),
    (4, 3, 1, "same", None, 28),
    (5, 1, 1, "same", None, 35),
    (2, 5, 1, "same", 0, 13),
    (3, 4, 1, "same", 1, 19),
    (3, 5, 1, "same", 2, 21),
    (4, 2, 1, "same", 3, 27),
    (1, 3, 1, "same", 0, 7),
    (1, 3, 2, "valid", None, 11),
    (1, 2, 3, "same", None, 7),
    (1, 3, 4, "same", None, 7),
    (1, 3, 2, "same", 0, 7),
]

CASES = [
    *[
        case(
            "Conv1DTranspose",
            {
                "filters": 3,
                "kernel_size": kernel,
                "strides": stride,
                "dilation_rate": dilation,
                "padding": padding,
                "output_padding": more,
            },
            SERIES,
            {"time": time, "filter": 3},
            f"s{stride}-k{kernel}-d{dilation}-{padding}-{more}",
        )
        for stride, kernel, dilation, padding, more, time in LINES
    ],
    case(
        "Conv1DTranspose",
        ONE,
        {"time": 1, "channel": 5},
        {"time": 4, "filter": 3},
        "one-step",
        ops=["Reshape", "ConvTranspose", "Transpose", "Reshape"],
    ),
    *[  # filters as many as the last axis is long: the bias belongs to the filters
        case(
            kind,
            {"filters": 6, "kernel_size": 2, "strides": 2, "data_format": "channels_first", "activation": "relu"},
            inputs,
            {"filter": 6, **{name: 2 * size for name, size in inputs.items() if name != "channel"}},
            "channels-first-bias",
        )
        for kind, inputs in [
            ("Conv1DTranspose", {"channel": 5, "time": 3}),
            ("Conv2DTranspose", {"channel": 5, "height": 2, "width": 3}),
            ("Conv3DTranspose", {"channel": 5, "depth": 4, "height": 2, "width": 3}),
        ]
    ],
    case(
        "Conv1DTranspose",
        {**ONE, "strides": 3, **SAME, "activation": "relu", "as": "sound"},
        {"time": "T", "channel": 5},
        {"time": "3·T", "sound": 3},
        "symbol-same-relu",
    ),
    case(
        "Conv1DTranspose",
        {**ONE, "strides": 3, "use_bias": False},
        {"time": "T", "channel": 5},
        {"time": "(3·T + 1)", "filter": 3},
        "symbol-valid",
    ),
    case(
        "Conv1DTranspose",
        {"filters": 3, "kernel_size": 5, "strides": 2, "output_padding": 0, **SAME},
        {"time": "T", "channel": 5},
        {"time": "(2·T - 1)", "filter": 3},
        "symbol-shorter",
    ),
    case(
        "Conv1DTranspose",
        {"filters": 5, "kernel_size": 3, "strides": 2, "data_format": "channels_first", **SAME},
        {"channel": 5, "time": 5},
        {"filter": 5, "time": 10},
        "channels-first",
    ),
    case(
        "Conv1DTranspose",
        {**ONE, "over": "frequency"},
        {"frequency": 7, "time": 5},
        {"frequency": 10, "filter": 3},
        "over",
    ),
    case(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": [3, 2], "strides": [2, 3]},
        IMAGE,
        {"height": 11, "width": 21, "filter": 2},
    ),
    case(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": [3, 4], "strides": [2, 3], **SAME, "activation": "relu"},
        IMAGE,
        {"height": 10, "width": 21, "filter": 2},
        "same-relu",
    ),
    case(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": [2, 3], "output_padding": [0, 2], **SAME},
        IMAGE,
        {"height": 9, "width": 21, "filter": 2},
        "output-padding",
    ),
    case(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": [3, 2], "dilation_rate": [1, 4]},
        IMAGE,
        {"height": 7, "width": 11, "filter": 2},
        "dilation",
    ),
    case(
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, "data_format": "channels_first", **SAME},
        {"channel": 3, "height": "H", "width": "W"},
        {"filter": 3, "height": "2·H", "width": "2·W"},
        "channels-first-symbols",
    ),
    case(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": [2, 3, 1], "strides": [1, 2, 3]},
        VOLUME,
        {"depth": 4, "height": 11, "width": 6, "filter": 2},
    ),
    case(
        "Conv3DTranspose",
        {"filters": 5, "kernel_size": 3, "strides": [2, 1, 2], "output_padding": [1, 0, 0], **SAME},
        VOLUME,
        {"depth": 6, "height": 5, "width": 3, "filter": 5},
        "output-padding",
    ),
    case(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": 2, "dilation_rate": [3, 1, 2], "use_bias": False},
        VOLUME,
        {"depth": 6, "height": 6, "width": 4, "filter": 2},
        "dilation",
    ),
    case(
        "Conv3DTranspose",
        {"filters": 4, "kernel_size": 2, "strides": 2, "data_format": "channels_first"},
        {"channel": 4, "depth": "D", "height": 3, "width": 2},
        {"filter": 4, "depth": "2·D", "height": 6, "width": 4},
        "channels-first-symbol",
    ),
]
FORMS = {f"Conv{rank}DTranspose": convolution_form(rank) for rank in (1, 2, 3)}
