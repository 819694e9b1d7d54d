"""Cases of depthwise and separable convolutions."""

from __future__ import annotations

from tests.layers.convolution.cases_plain import CONV1D, CONV2D, IMAGE, ONE, SERIES, TWO, bias, case, dead_tap
from tests.support.strategies.form_parts import convolution_form

CASES = [
    dead_tap("DepthwiseConv1D", {}),
    bias("DepthwiseConv1D", {"kernel_size": 3}, {"channel": 5, "time": 5}, "square"),
    bias("DepthwiseConv2D", {"kernel_size": 3}, {"channel": 4, "height": 3, "width": 4}, "square"),
    bias("SeparableConv1D", {"filters": 5, "kernel_size": 3}, {"channel": 5, "time": 5}, "square"),
    bias("SeparableConv2D", {"filters": 4, "kernel_size": 3}, {"channel": 4, "height": 3, "width": 4}, "square"),
    case("DepthwiseConv1D", {"kernel_size": 3}, SERIES, {"time": 9, "filter": 5}, "", ops=ONE),
    case(
        "DepthwiseConv1D",
        {"kernel_size": 3, "depth_multiplier": 2, "padding": "same", "strides": 2},
        SERIES,
        {"time": 6, "filter": 10},
        "multiplier",
        ops=ONE,
    ),
    case(
        "DepthwiseConv1D",
        {"kernel_size": 3, "dilation_rate": 2, "padding": "same", "use_bias": False},
        SERIES,
        {"time": 11, "filter": 5},
        "dilation",
        ops=ONE,
    ),
    case("DepthwiseConv2D", {"kernel_size": [3, 5]}, IMAGE, {"height": 9, "width": 3, "filter": 3}, "", ops=TWO),
    case(
        "DepthwiseConv2D",
        {"kernel_size": 3, "depth_multiplier": 2, "padding": "same", "activation": "relu"},
        IMAGE,
        {"height": 11, "width": 7, "filter": 6},
        "multiplier",
        ops=["Transpose", "Conv", "Relu", "Transpose"],
    ),
    case(
        "DepthwiseConv2D",
        {"kernel_size": 3, "strides": 2, "use_bias": False, "as": "channel"},
        IMAGE,
        {"height": 5, "width": 3, "channel": 3},
        "strides",
        ops=TWO,
    ),
    case(
        "DepthwiseConv2D",
        {"kernel_size": [3, 2], "strides": 2, "dilation_rate": [3, 2], "depth_multiplier": 2, "padding": "same"},
        IMAGE,
        {"height": 6, "width": 4, "filter": 6},
        "strides-and-dilation",
        ops=TWO,
    ),
    case(
        "DepthwiseConv2D",
        {"kernel_size": 3, "strides": [2, 1], "data_format": "channels_first"},
        {"channel": 3, "height": 11, "width": 7},
        {"filter": 3, "height": 5, "width": 5},
        "unequal-strides",
        ops=["Conv"],
    ),
    case(
        "DepthwiseConv2D",
        {"kernel_size": [2, 3], "strides": [3, 1], "dilation_rate": [2, 4], "padding": "same"},
        {"height": "H", "width": 2, "channel": 3},
        {"height": "ceil(H/3)", "width": 2, "filter": 3},
        "strides-and-dilation-symbol",
        ops=TWO,
    ),
    case(
        "SeparableConv1D",
        {**CONV1D, "strides": 3, "dilation_rate": 2, "padding": "same"},
        {"time": "T", "channel": 5},
        {"time": "ceil(T/3)", "filter": 3},
        "strides-and-dilation-symbol",
        ops=[*ONE[:3], "Conv", *ONE[3:]],
    ),
    case(
        "SeparableConv2D",
        {**CONV2D, "strides": [1, 2], "dilation_rate": [2, 1]},
        IMAGE,
        {"height": 7, "width": 2, "filter": 2},
        "strides-and-dilation",
        ops=["Transpose", "Conv", "Conv", "Transpose"],
    ),
    case("SeparableConv1D", CONV1D, SERIES, {"time": 9, "filter": 3}, "", ops=[*ONE[:3], "Conv", *ONE[3:]]),
    case(
        "SeparableConv1D",
        {**CONV1D, "depth_multiplier": 2, "padding": "same", "dilation_rate": 2, "activation": "elu"},
        SERIES,
        {"time": 11, "filter": 3},
        "dilation",
        ops=[*ONE[:3], "Conv", "Elu", *ONE[3:]],
    ),
    case(
        "SeparableConv2D",
        CONV2D,
        IMAGE,
        {"height": 9, "width": 3, "filter": 2},
        "",
        ops=["Transpose", "Conv", "Conv", "Transpose"],
    ),
    case(
        "SeparableConv2D",
        {**CONV2D, "strides": 2, "padding": "same", "depth_multiplier": 3, "use_bias": False},
        IMAGE,
        {"height": 6, "width": 4, "filter": 2},
        "strides-same",
        ops=["Transpose", "Conv", "Conv", "Transpose"],
    ),
]
FORMS = {f"{name}Conv{rank}D": convolution_form(rank) for name in ("Depthwise", "Separable") for rank in (1, 2)}
