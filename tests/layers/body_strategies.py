"""Random uses of every layer kind: what it reads, and a body from its arguments.

Most arguments come from their schema. What depends on each other or on the input is said here, a form a family of
kinds; what the checker refuses all the same is passed over, so a form need not be exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from nnspec.layers import REGISTRY
from nnspec.layers.args import REQUIRED, Arg
from tests.layers.argument_strategies import of_argument

Axes = dict[str, int | str]
Given = Callable[[Axes], SearchStrategy[Any]]  # of the first input's axes
SPATIAL = {1: ["time"], 2: ["height", "width"], 3: ["depth", "height", "width"]}


@dataclass(frozen=True)
class Use:
    """A layer at work.

    Attributes:
        inputs: the axes of each.
        dtype: of all of them; the values of integers are ids from 0 to 4.
        is_masked: whether a Masking stands before the first input.
    """

    kind: str
    body: dict[str, Any]
    inputs: list[Axes]
    dtype: str = "float32"
    is_masked: bool = False


@dataclass(frozen=True)
class Form:
    """How uses of a kind come about.

    Attributes:
        axes: of the first input.
        given: strategies of arguments that depend on the input, or on each other.
        without: arguments that are left at their defaults, with the reason beside them.
        over: how many axes it runs along, which `over` then names; None where it takes no `over`.
        others: the further inputs, from the body and the first input's axes.
    """

    axes: SearchStrategy[Axes]
    given: Mapping[str, Given] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    over: int | None = None
    others: Callable[[dict[str, Any], Axes], SearchStrategy[list[Axes]]] = lambda body, axes: st.just([])
    dtype: str = "float32"


# ------------------------------------------------------------------------------------------------ axes


def sized(**sizes: SearchStrategy[Any]) -> SearchStrategy[Axes]:
    """Axes in this order."""
    return st.tuples(*sizes.values()).map(lambda drawn: dict(zip(sizes, drawn, strict=True)))


few = st.integers(1, 5)
CHANNELS = st.sampled_from([1, 2, 3, 4, 6])
LENGTH = st.one_of(st.integers(4, 9), st.just("T"))
STEPS = sized(time=LENGTH, feature=few)
VECTOR = sized(feature=st.integers(2, 6))
IMAGE = sized(height=st.integers(4, 8), width=st.integers(4, 8), channel=st.sampled_from([1, 3]))
COLOR = sized(height=st.integers(4, 8), width=st.integers(4, 8), channel=st.just(3))
GRID = sized(height=st.integers(2, 4), width=st.integers(1, 4), channel=few)
ANY = st.one_of(VECTOR, STEPS, GRID)
FLOATS = st.one_of(VECTOR, sized(time=st.integers(2, 6), feature=few), GRID)


def spatial(rank: int) -> SearchStrategy[Axes]:
    sizes: dict[str, SearchStrategy[Any]] = {name: st.integers(3, 7) for name in SPATIAL[rank]}
    if rank == 1:
        sizes = {"time": LENGTH}
    return sized(**sizes, channel=CHANNELS)


def axis(axes: Axes) -> SearchStrategy[Any]:
    """By name, or by Keras' index from either end."""
    names = list(axes)
    return st.sampled_from([v for i, name in enumerate(names) for v in (name, i + 1, i - len(names))])


def some_axes(axes: Axes) -> SearchStrategy[Any]:
    return st.one_of(axis(axes), st.lists(st.sampled_from(list(axes)), min_size=1, unique=True))


def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


# ------------------------------------------------------------------------------------------------ families


def always(strategy: SearchStrategy[Any]) -> Given:
    return lambda axes: strategy


def sizes_of(rank: int, strategy: SearchStrategy[int]) -> SearchStrategy[Any]:
    return st.one_of(strategy, st.lists(strategy, min_size=rank, max_size=rank))


def low_rank() -> dict[str, Given]:
    return {"lora_rank": always(maybe(st.integers(1, 2)))}


def convolution(rank: int, *, is_grouped: bool = False) -> Form:
    given: dict[str, Given] = {
        "kernel_size": always(sizes_of(rank, st.integers(1, 3))),
        "filters": always(st.sampled_from([1, 2, 4, 6])),
        "strides": always(st.sampled_from([1, 1, 2])),
        "dilation_rate": always(sizes_of(rank, st.sampled_from([1, 1, 2]))),
    }
    if is_grouped:
        given["groups"] = lambda axes: st.sampled_from([1, int(axes["channel"]), 2])
    return Form(spatial(rank), given, over=rank)


def pooling(rank: int) -> Form:
    return Form(spatial(rank), {"pool_size": always(sizes_of(rank, st.integers(1, 3)))}, over=rank)


def borders(rank: int, arg: str) -> Form:
    pair = st.lists(st.integers(0, 2), min_size=2, max_size=2)
    whole = (
        [st.integers(0, 2), pair] if rank == 1 else [st.integers(0, 1), st.lists(pair, min_size=rank, max_size=rank)]
    )
    return Form(spatial(rank), {arg: always(st.one_of(*whole))}, over=rank)


GATES = st.sampled_from(["tanh", "sigmoid", "relu", "hard_sigmoid", "softsign", "elu", "linear", None])
# A batch that stays the same goes with the whole model, and dropout makes masks of its own in training alone.
RECURRENT: dict[str, Given] = {"activation": always(GATES), "recurrent_activation": always(GATES)}
RNN_DEFAULTS = frozenset({"stateful", "unroll", "use_cudnn"})


def recurrent() -> Form:
    return Form(STEPS, RECURRENT, RNN_DEFAULTS, over=1)


def cell(states: int) -> Form:
    def others(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
        return st.just([{"unit": body["units"]}] * states)

    return Form(VECTOR, RECURRENT, others=others)


CELLS = ["SimpleRNNCell", "GRUCell", "LSTMCell"]


def a_cell(axes: Axes) -> SearchStrategy[Any]:
    return st.builds(lambda kind, units: {kind: {"units": units}}, st.sampled_from(CELLS), few)


def stacked(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    found: list[Axes] = []
    for one in body["cells"]:
        ((kind, inner),) = one.items()
        found += [{"unit": inner["units"]}] * (2 if kind == "LSTMCell" else 1)
    return st.just(found)


def attended(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    """Nothing: it attends to itself; or values, or values and keys, of another length."""
    value = {"step": 5, "feature": axes["feature"]}
    return st.sampled_from([[], [], [value], [value, value]])


ATTENTION = frozenset({"flash_attention", "attention_mask"})  # no kernel in TensorFlow; a value of its own by name
HEADS = sized(time=st.one_of(st.integers(2, 6), st.just("T")), feature=st.integers(2, 5))


def image(axes: SearchStrategy[Axes] = COLOR, **given: Given) -> Form:
    return Form(axes, {**factors(), **given}, over=2)


def factors() -> dict[str, Given]:
    """Ranges of augmentations: a number, or two in order."""
    one = st.sampled_from([0.1, 0.3, 0.5])
    both = st.sampled_from([[0.1, 0.4], [0.2, 0.2]])
    names = ["factor", "height_factor", "width_factor", "x_factor", "y_factor", "brightness_factor", "contrast_factor"]
    names += ["saturation_factor", "hue_factor", "addition_factor", "threshold_factor"]
    ranges: Given = always(st.sampled_from([[0, 255], [0, 1]]))
    return {**{name: always(st.one_of(one, both)) for name in names}, "value_range": ranges}


def same(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    return st.integers(1, 2).map(lambda count: [dict(axes)] * count)


def one_more(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    return st.just([dict(axes)])


def summed(axes: Axes) -> SearchStrategy[Any]:
    return st.just(list(axes)[-1])


def other_rows(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    *_, last = axes
    return st.just([{"row": 3, last: axes[last]}])


# ------------------------------------------------------------------------------------------------ verbs


def orders(axes: Axes) -> SearchStrategy[Any]:
    return st.permutations(list(axes))


def mixed_order(axes: Axes) -> SearchStrategy[Any]:
    names = list(axes)
    return orders(axes).map(lambda order: [n if i % 2 else names.index(n) + 1 for i, n in enumerate(order)])


def targets(axes: Axes) -> SearchStrategy[Any]:
    """Neighbours together, unit sizes put in."""
    sizes = [size if isinstance(size, int) else -1 for size in axes.values()]
    joined = [[*sizes[:-2], sizes[-2] * sizes[-1]]] if len(sizes) > 1 and min(sizes) > 0 else []
    return st.sampled_from([sizes, [*sizes, 1], [1, *sizes], *joined])


# An equation in letters for an input of so many axes, with an output shape that leaves open what stays.
EQUATIONS: dict[int, list[tuple[str, list[int | None], str]]] = {
    1: [
        ("ab,bc->ac", [3], "c"),
        ("ab,bcd->acd", [2, 3], "cd"),
        ("ab,c->abc", [None, 2], "c"),
        ("ab,b->ab", [None], "b"),
    ],
    2: [
        ("abc,cd->abd", [None, 3], "d"),
        ("abc,cd->ad", [3], "d"),
        ("...x,xy->...y", [4], "y"),
        ("abc,c->abc", [None, None], "c"),
    ],
    3: [
        ("abcd,de->abce", [None, None, 2], "e"),
        ("ab...,be->ae...", [3], "e"),
        ("abcd,dce->aeb", [2, None], "eb"),
        ("abcd,bde->abce", [None, None, 3], "be"),
    ],
}


def einsum_body(draw: DrawFn, body: dict[str, Any], axes: Axes) -> dict[str, Any]:
    equation, shape, letters = draw(st.sampled_from(EQUATIONS[len(axes)]))
    made: dict[str, Any] = {**body, "equation": equation, "output_shape": shape}
    if draw(st.booleans()):
        made["bias_axes"] = letters
    return made


def pairs(kind: str, draw: DrawFn, axes: Axes) -> dict[str, Any]:
    """The bodies of verbs that name axes."""
    names = list(axes)
    if kind == "merge":
        start = draw(st.integers(0, max(0, len(names) - 2)))
        return {"whole": names[start : start + draw(st.integers(2, 3))]}
    if kind == "split":
        name = draw(st.sampled_from(names))
        size = axes[name]
        part = draw(st.sampled_from([d for d in range(1, 7) if isinstance(size, int) and size % d == 0] or [2]))
        return {name: {"slow": size // part if isinstance(size, int) else None, "fast": part}}
    if kind == "insert":
        return {"unit": 1}
    return {draw(st.sampled_from(names)): "renamed"}


# ------------------------------------------------------------------------------------------------ forms


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
    "Dense": Form(FLOATS, low_rank()),
    "EinsumDense": Form(FLOATS, low_rank()),
    "Embedding": Form(sized(token=LENGTH), {"input_dim": always(st.integers(5, 7)), **low_rank()}, dtype="int32"),
    "ReversibleEmbedding": Form(
        sized(token=LENGTH), {"input_dim": always(st.integers(5, 7))}, frozenset({"reverse"}), dtype="int32"
    ),
    "Masking": Form(STEPS, over=1),
    "LSTM": recurrent(),
    "GRU": recurrent(),
    "SimpleRNN": recurrent(),
    "RNN": Form(STEPS, {"cell": a_cell}, RNN_DEFAULTS, over=1),
    "LSTMCell": cell(2),
    "GRUCell": cell(1),
    "SimpleRNNCell": cell(1),
    "StackedRNNCells": Form(
        VECTOR, {"cells": lambda axes: st.lists(a_cell(axes), min_size=1, max_size=2)}, others=stacked
    ),
    "MultiHeadAttention": Form(
        st.one_of(HEADS, sized(height=st.integers(2, 3), width=st.integers(2, 4), feature=few)),
        {"attention_axes": lambda axes: st.sampled_from([None, 1, next(iter(axes)), list(axes)[:-1]])},
        ATTENTION,
        others=lambda body, axes: attended(body, axes) if len(axes) == 2 else st.just([]),
    ),
    "GroupQueryAttention": Form(
        HEADS,
        {"num_query_heads": always(st.sampled_from([2, 4])), "num_key_value_heads": always(st.sampled_from([1, 2]))},
        ATTENTION,
        others=attended,
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
        st.one_of(sized(time=st.integers(12, 20)), sized(time=st.integers(12, 20), channel=st.integers(1, 3))),
        {"frame_length": always(st.integers(4, 6)), "fft_length": always(st.sampled_from([None, 8]))},
    ),
    "MelSpectrogram": Form(
        sized(time=st.integers(40, 60)),
        {
            "fft_length": always(st.sampled_from([16, 32])),
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
    "CategoryEncoding": Form(sized(word=few), {"num_tokens": always(st.integers(5, 7))}, dtype="int32"),
    "IntegerLookup": Form(
        sized(word=few),
        {"vocabulary": always(st.sampled_from([[1, 3], [4, 2, 1]])), "num_oov_indices": always(st.integers(1, 2))},
        frozenset({"idf_weights", "max_tokens", "mask_token", "oov_token", "salt", "oov_method", "pad_to_max_tokens"}),
        dtype="int64",
    ),
    "Flatten": Form(FLOATS),
    "Reshape": Form(ANY, {"target_shape": targets}, frozenset({"to"})),
    "Permute": Form(ANY, {"dims": mixed_order}),
    "RepeatVector": Form(VECTOR),
    "permute": Form(ANY, {"order": orders}),
    "drop": Form(sized(one=st.just(1), time=LENGTH, feature=few), {"axis": always(st.just("one"))}),
    **{kind: Form(ANY) for kind in ("merge", "split", "insert", "rename")},
    **{kind: Form(ANY) for kind in ("ReLU", "LeakyReLU", "ELU", "GaussianNoise", "GaussianDropout", "Identity")},
    **{kind: Form(FLOATS) for kind in ("Activation", "ActivityRegularization", "Softmax", "UnitNormalization")},
    **{kind: Form(FLOATS) for kind in ("LayerNormalization", "RMSNormalization")},
    **{
        kind: image(IMAGE, height=always(st.integers(2, 9)), width=always(st.integers(2, 9)))
        for kind in ("Resizing", "CenterCrop", "RandomCrop")
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
        "LSTM",
        "LayerNormalization",
        "MaxPooling1D",
        "Softmax",
        "MultiHeadAttention",
    ],
    "Bidirectional": ["LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D"],
    "SpectralNormalization": ["Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "Embedding", "EinsumDense"],
}
# Kinds that no form generates, and why.
BY_HAND = {
    "TextVectorization": "its words must come from the text; cases_text.py has them",
    "Hashing": "no ONNX op computes its hash, which is said (NN601)",
    "HashedCrossing": "likewise",
    "StringLookup": "its words and the text must come from one vocabulary; test_lookup.py walks its arguments",
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
    if form.over is not None and draw(st.booleans()):
        body["over"] = [name for name in axes if name not in ("channel", "feature")][: form.over]
    is_masked = form.dtype == "float32" and len(axes) == 2 and kind != "Masking" and not draw(st.integers(0, 2))
    return Use(kind, body, [axes, *draw(form.others(body, axes))], form.dtype, is_masked)


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
    inner = replace(
        inner, body={k: v for k, v in inner.body.items() if k not in ("stateful",)}, inputs=inner.inputs[:1]
    )
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
