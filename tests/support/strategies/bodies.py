"""Random uses of every layer kind: what it reads, and a body from its arguments.

Most arguments come from their schema. What depends on each other or on the input is said here, a form a family of
kinds; what the checker refuses all the same is passed over, so a form need not be exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from nnspec.layers.kit.args import REQUIRED, Arg
from nnspec.layers.registry import REGISTRY
from tests.support.strategies.arguments import of_argument
from tests.support.strategies.form_parts import (
    ANY,
    ATTENTION,
    DEEP,
    FLOATS,
    HEADS,
    IMAGE,
    LENGTH,
    OPEN_IMAGE,
    RECURRENT,
    RNN_DEFAULTS,
    SPATIAL,
    STEPS,
    VECTOR,
    Axes,
    Form,
    Use,
    a_cell,
    always,
    attended,
    axis,
    borders,
    cell,
    convolution,
    einsum_body,
    few,
    image,
    low_rank,
    maybe,
    mixed_order,
    one_more,
    one_or_more_cells,
    orders,
    other_rows,
    pairs,
    pooling,
    recurrent,
    same,
    sized,
    some_axes,
    spatial,
    stacked,
    summed,
    targets,
    who_sees_what,
)
from tests.support.strategies.text_forms import TEXT_FORMS

RANKED: dict[str, Callable[[int], Form]] = {
    "Conv{}D": lambda rank: convolution(rank, is_grouped=True),
    "Conv{}DTranspose": convolution,
    "DepthwiseConv{}D": convolution,
    "SeparableConv{}D": convolution,
    "MaxPooling{}D": pooling,
    "AveragePooling{}D": pooling,
    "GlobalMaxPooling{}D": lambda rank: Form(spatial(rank), over=rank),
    "GlobalAveragePooling{}D": lambda rank: Form(spatial(rank), over=rank),
    "AdaptiveMaxPooling{}D": lambda rank: Form(spatial(rank), over=rank),
    "AdaptiveAveragePooling{}D": lambda rank: Form(spatial(rank), over=rank),
    "UpSampling{}D": lambda rank: Form(spatial(rank), over=rank),
    "ZeroPadding{}D": lambda rank: borders(rank, "padding"),
    "Cropping{}D": lambda rank: borders(rank, "cropping"),
    "SpatialDropout{}D": lambda rank: Form(spatial(rank)),
    "ConvLSTM{}D": lambda rank: Form(
        sized(
            frame=st.integers(2, 3), **{name: st.integers(3, 5) for name in SPATIAL[rank]}, channel=st.integers(1, 3)
        ),
        {**convolution(rank).given, **RECURRENT, "filters": always(st.integers(1, 3))},
        RNN_DEFAULTS,
        over=1,
    ),
}
STATISTICS = {"mean": always(st.just(0.5)), "variance": always(st.just(2.0))}
FORMS: dict[str, Form] = {
    name.format(rank): make(rank)
    for name, make in RANKED.items()
    for rank in (1, 2, 3)
    if name.format(rank) in REGISTRY
} | {
    "Dense": Form(DEEP, low_rank()),
    "EinsumDense": Form(FLOATS, low_rank()),
    "Embedding": Form(sized(token=LENGTH), {"input_dim": always(st.integers(5, 7)), **low_rank()}, dtype="int32"),
    "ReversibleEmbedding": Form(
        sized(token=LENGTH), {"input_dim": always(st.integers(5, 7))}, frozenset({"reverse"}), dtype="int32"
    ),
    "Masking": Form(STEPS, over=1),
    **{kind: recurrent(kind) for kind in ("LSTM", "GRU", "SimpleRNN")},
    "RNN": Form(STEPS, {"cell": one_or_more_cells}, over=1),
    **{kind: cell(kind) for kind in ("LSTMCell", "GRUCell", "SimpleRNNCell")},
    "StackedRNNCells": Form(
        VECTOR, {"cells": lambda axes: st.lists(a_cell(axes), min_size=1, max_size=2)}, others=stacked
    ),
    "MultiHeadAttention": Form(
        st.one_of(HEADS, sized(height=st.integers(2, 3), width=st.integers(2, 4), feature=few)),
        {"attention_axes": lambda axes: st.sampled_from([None, 1, next(iter(axes)), list(axes)[:-1]])},
        ATTENTION,
        others=lambda body, axes: attended(body, axes) if len(axes) == 2 else st.just([]),
        attention_mask=who_sees_what,
    ),
    "GroupQueryAttention": Form(
        HEADS,
        {"num_query_heads": always(st.sampled_from([2, 4])), "num_key_value_heads": always(st.sampled_from([1, 2]))},
        ATTENTION,
        others=attended,
        attention_mask=who_sees_what,
    ),
    "Attention": Form(HEADS, others=attended),
    "AdditiveAttention": Form(HEADS, others=attended),
    "Add": Form(ANY, others=same),
    "Subtract": Form(ANY, others=one_more),
    "Multiply": Form(ANY, others=same),
    "Average": Form(ANY, others=same),
    "Maximum": Form(ANY, others=same),
    "Minimum": Form(ANY, others=same),
    "Concatenate": Form(FLOATS, others=same),
    "Dot": Form(FLOATS, {"axes": summed}, others=other_rows),
    "Rescaling": Form(ANY, {"scale": always(st.sampled_from([0.5, 2])), "offset": always(st.sampled_from([0, -1.5]))}),
    # A layer with `renorm` is a layer with other weights and training alone.
    "BatchNormalization": Form(FLOATS, without=frozenset({"renorm_clipping"})),
    "GroupNormalization": Form(FLOATS, {"groups": always(st.sampled_from([1, 2, -1]))}),
    "Normalization": Form(FLOATS, {"axis": lambda axes: st.one_of(st.none(), some_axes(axes))}, frozenset(STATISTICS)),
    "Dropout": Form(ANY, without=frozenset({"noise_shape"})),
    "AlphaDropout": Form(ANY, without=frozenset({"noise_shape"})),
    "PReLU": Form(FLOATS, {"shared_axes": lambda axes: maybe(some_axes(axes))}),
    "STFTSpectrogram": Form(
        sized(time=st.one_of(st.integers(12, 20), st.just("T")), channel=st.integers(1, 3)),
        {
            "frame_length": always(st.integers(2, 8)),
            "frame_step": always(maybe(st.integers(1, 4))),
            "fft_length": always(st.sampled_from([None, 8, 16])),
        },
    ),
    "MelSpectrogram": Form(
        sized(time=st.one_of(st.integers(40, 60), st.just("T"))),
        {
            "fft_length": always(st.sampled_from([7, 16, 17])),
            "sequence_stride": always(st.sampled_from([5, 8])),
            "sequence_length": always(st.sampled_from([None, 8, 16])),
            "sampling_rate": always(st.just(800)),
            "num_mel_bins": always(st.integers(3, 6)),
            "min_freq": always(st.sampled_from([20.0, 50.0])),
            "max_freq": always(st.sampled_from([None, 350.0])),
        },
    ),
    "Discretization": Form(
        sized(feature=few),
        {"bin_boundaries": always(st.sampled_from([[0.0], [-0.5, 0.1, 0.7]]))},
        frozenset({"num_bins", "epsilon"}),  # bins that are learned from data
    ),
    **TEXT_FORMS,
    "Flatten": Form(FLOATS),
    "Reshape": Form(ANY, {"target_shape": targets}, frozenset({"to"})),
    "Permute": Form(ANY, {"dims": mixed_order}),
    "RepeatVector": Form(VECTOR),
    "permute": Form(ANY, {"order": orders}),
    "drop": Form(sized(one=st.just(1), time=LENGTH, feature=few), {"axis": always(st.just("one"))}),
    **{kind: Form(ANY) for kind in ("merge", "split", "insert", "rename")},
    **{kind: Form(ANY) for kind in ("ReLU", "LeakyReLU", "ELU", "GaussianNoise", "GaussianDropout", "Identity")},
    **{kind: Form(DEEP) for kind in ("Activation", "ActivityRegularization", "Softmax", "UnitNormalization")},
    **{kind: Form(DEEP) for kind in ("LayerNormalization", "RMSNormalization")},
    **{
        kind: image(axes, height=always(st.integers(1, 9)), width=always(st.integers(1, 9)))
        for kind, axes in (("Resizing", OPEN_IMAGE), ("CenterCrop", IMAGE), ("RandomCrop", IMAGE))
    },
    "ContrastLimitedAdaptiveHistogramEqualization": image(tile_grid_size=always(st.sampled_from([1, 2, [2, 3]]))),
    "RandomPosterization": image(factor=always(st.integers(1, 8))),
    "RandomGrayscale": image(factor=always(st.just(0.5))),
    "RandomErasing": image(scale=always(st.just([0.02, 0.33]))),
    "RandomElasticTransform": image(scale=always(st.just(0.5))),
    "RandomPerspective": image(scale=always(st.just(0.5))),
    "RandomGaussianBlur": image(kernel_size=always(st.just(3)), sigma=always(st.just(1.0))),
    **{
        kind: image()
        for kind in (
            *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear", "RandomBrightness"),
            *("RandomContrast", "RandomHue", "RandomSaturation", "RandomColorDegeneration", "RandomColorJitter"),
            *(
                "RandomInvert",
                "Solarization",
                "Equalization",
                "RandomSharpness",
                "RandAugment",
                "AugMix",
                "AutoContrast",
            ),
        )
    },
}
WRAPPED = {
    "TimeDistributed": [
        "Dense",
        "Conv1D",
        "Conv1DTranspose",
        "Conv2D",
        "LSTM",
        "RNN",
        "Bidirectional",
        "ConvLSTM1D",
        "LayerNormalization",
        "BatchNormalization",
        "MaxPooling1D",
        "GlobalAveragePooling1D",
        "Softmax",
        "MultiHeadAttention",
    ],
    "Bidirectional": ["LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D"],
    "SpectralNormalization": ["Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "Embedding", "EinsumDense"],
}
# Kinds that no form generates, and why.
BY_HAND = {
    "Hashing": "no ONNX op computes its hash, which is said (NN601)",
    "HashedCrossing": "likewise",
}


@st.composite
def uses(draw: DrawFn, kind: str) -> Use:
    """A use of the kind; it need not be legal."""
    if kind in WRAPPED:
        return _wrapping(draw, kind)
    form = FORMS[kind]
    axes = draw(form.axes)
    layer = REGISTRY[kind]
    body: dict[str, Any] = pairs(kind, draw, axes) if kind in ("merge", "split", "insert", "rename") else {}
    for name, arg in layer.args.items():
        if name in form.without or name in body:
            continue
        rare = name.endswith(("_initializer", "_regularizer", "_constraint"))
        wanted = name in form.given and not isinstance(arg.default, int | float | str | bool)
        if arg.default is not REQUIRED and not wanted and draw(st.integers(0, 7 if rare else 2)):
            continue
        body[name] = draw(_strategy(name, arg, form, axes))
    if kind == "EinsumDense":
        body = einsum_body(draw, body, axes)
    if body.get("data_format") == "channels_first" and "channel" in axes:
        axes = _channels_first(axes)
    if layer.makes is not None and draw(st.booleans()) and kind not in ("EinsumDense",):
        body["as"] = "made"
    if not layer.is_verb and not draw(st.integers(0, 7)):
        body["trainable"] = False
    if form.over is not None and draw(st.booleans()):
        body["over"] = [name for name in axes if name not in ("channel", "feature")][: form.over]
    is_masked = form.dtype == "float32" and len(axes) == 2 and kind != "Masking" and not draw(st.integers(0, 2))
    inputs = [axes, *draw(form.others(body, axes))]
    return Use(kind, body, inputs, form.dtype, is_masked, draw(form.attention_mask(body, inputs)))


def _channels_first(axes: Axes) -> Axes:
    front = [name for name in axes if name == "frame"]
    return {name: axes[name] for name in (*front, "channel", *(n for n in axes if n not in ("channel", *front)))}


def _strategy(name: str, arg: Arg, form: Form, axes: Axes) -> SearchStrategy[Any]:
    if name in form.given:
        return form.given[name](axes)
    types = arg.schema.get("type")
    if types == ["string", "integer"]:
        return axis(axes)
    if isinstance(types, list) and types[:3] == ["string", "integer", "array"]:
        return some_axes(axes)
    return of_argument(arg)


def _wrapping(draw: DrawFn, kind: str) -> Use:
    inner = draw(uses(draw(st.sampled_from(WRAPPED[kind]))))
    inner = replace(inner, inputs=inner.inputs[:1])
    body: dict[str, Any] = {"layer": {inner.kind: inner.body}}
    if kind == "TimeDistributed":
        rows = draw(st.sampled_from([2, 3, "R"]))
        return Use(kind, body, [{"row": rows, **inner.inputs[0]}], inner.dtype)
    if kind == "Bidirectional":
        inner.body.pop("over", None)
        body["merge_mode"] = draw(st.sampled_from(["sum", "mul", "concat", "ave", None]))
    else:
        body["power_iterations"] = draw(st.integers(1, 2))
    return Use(kind, body, inner.inputs, inner.dtype)


__all__: Sequence[str] = ("BY_HAND", "FORMS", "WRAPPED", "Use", "uses")
