"""What the forms of layer kinds are made of: axes of inputs, families of dependent arguments, bodies of verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Axes = dict[str, int | str]
Given = Callable[[Axes], SearchStrategy[Any]]  # of the first input's axes
TOLERANCE = 1e-4
SPATIAL = {1: ["time"], 2: ["height", "width"], 3: ["depth", "height", "width"]}


@dataclass(frozen=True)
class Use:
    """A layer at work.

    Attributes:
        inputs: the axes of each.
        dtype: of all of them; the values of integers are ids from 0 to 4.
        is_masked: whether a Masking stands before the first input.
        attention_mask: the axes of a value of booleans by that argument, if there is one.
    """

    kind: str
    body: dict[str, Any]
    inputs: list[Axes]
    dtype: str = "float32"
    is_masked: bool = False
    attention_mask: Axes | None = None

    @property
    def is_stateful(self) -> bool:
        """Whether a batch goes on from where the one before it ended."""
        inner = self.body.get("layer")
        bodies = [self.body, *(inner.values() if isinstance(inner, dict) else ())]
        return any(body.get("stateful") is True for body in bodies)


@dataclass(frozen=True)
class Form:
    """How uses of a kind come about.

    Attributes:
        axes: of the first input.
        given: strategies of arguments that depend on the input, or on each other.
        without: arguments that are left at their defaults, with the reason beside them.
        over: how many axes it runs along, which `over` then names; None where it takes no `over`.
        others: the further inputs, from the body and the first input's axes.
        attention_mask: the axes of one, from the body and the inputs; None where it has none.
        start: what the body begins with, from the first input's axes.
        complete: the body once its arguments are drawn, where some of them belong together.
        names_axis: whether `as` may name the axis that it makes.
        may_be_masked: whether a Masking may stand before it.
        needs: ops with a body that it cannot do without in some of its uses.
        tolerance: of ONNX Runtime against Keras.
    """

    axes: SearchStrategy[Axes]
    given: Mapping[str, Given] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    over: int | None = None
    others: Callable[[dict[str, Any], Axes], SearchStrategy[list[Axes]]] = lambda body, axes: st.just([])
    dtype: str = "float32"
    attention_mask: Callable[[dict[str, Any], list[Axes]], SearchStrategy[Axes | None]] = lambda body, inputs: st.none()
    start: Callable[[DrawFn, Axes], dict[str, Any]] = lambda draw, axes: {}
    complete: Callable[[DrawFn, dict[str, Any], Axes], dict[str, Any]] = lambda draw, body, axes: body
    names_axis: bool = True
    may_be_masked: bool = True
    needs: frozenset[str] = frozenset()
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Wrapping:
    """How uses of a layer come about that wraps another.

    Attributes:
        kinds: what it wraps, for example.
        wrap: the use of it, from a use of one of them on its first input alone.
        needs, tolerance: as of `Form`.
    """

    kinds: Sequence[str]
    wrap: Callable[[DrawFn, Use], Use]
    needs: frozenset[str] = frozenset()
    tolerance: float = TOLERANCE


# ------------------------------------------------------------------------------------------------ axes


def sized(**sizes: SearchStrategy[Any]) -> SearchStrategy[Axes]:
    """Axes in this order."""
    return st.tuples(*sizes.values()).map(lambda drawn: dict(zip(sizes, drawn, strict=True)))


few = st.integers(1, 5)
CHANNELS = st.sampled_from([1, 2, 3, 4, 6])
LENGTH = st.one_of(st.integers(4, 9), st.just("T"))
SEQUENCES = sized(time=LENGTH, feature=few)
VECTORS = sized(feature=st.integers(2, 6))
SMALL_IMAGES = sized(height=st.integers(4, 8), width=st.integers(4, 8), channel=st.sampled_from([1, 3]))
IMAGES = sized(  # of any size
    height=st.one_of(st.integers(2, 8), st.just("H")),
    width=st.one_of(st.integers(2, 8), st.just("W")),
    channel=st.integers(1, 4),
)
COLOR = sized(height=st.integers(4, 8), width=st.integers(4, 8), channel=st.just(3))
GRID = sized(height=st.integers(2, 4), width=st.integers(1, 4), channel=few)
ANY = st.one_of(VECTORS, SEQUENCES, GRID)
CLIPS = sized(clip=st.integers(1, 3), frame=LENGTH, height=few, width=st.integers(1, 3), channel=st.integers(2, 4))
FLOATS = st.one_of(VECTORS, sized(time=st.integers(2, 6), feature=few), GRID)
DEEP = st.one_of(FLOATS, CLIPS)


def spatial_axes(rank: int) -> SearchStrategy[Axes]:
    sizes: dict[str, SearchStrategy[Any]] = {
        name: st.one_of(st.integers(3, 7), st.just(name[0].upper())) for name in SPATIAL[rank]
    }
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


def low_rank_argument() -> dict[str, Given]:
    return {"lora_rank": always(maybe(st.integers(1, 2)))}


def convolution_form(rank: int, *, is_grouped: bool = False) -> Form:
    given: dict[str, Given] = {
        "kernel_size": always(sizes_of(rank, st.integers(1, 5))),
        "filters": always(st.sampled_from([1, 2, 4, 6])),
        "strides": always(sizes_of(rank, st.sampled_from([1, 1, 2, 4]))),
        "dilation_rate": always(sizes_of(rank, st.sampled_from([1, 1, 2, 3]))),
    }
    if is_grouped:
        given["groups"] = lambda axes: st.sampled_from([1, int(axes["channel"]), 2, 3])
    return Form(spatial_axes(rank), given, over=rank)


def pooling_form(rank: int) -> Form:
    given: dict[str, Given] = {
        "pool_size": always(sizes_of(rank, st.integers(1, 4))),
        "strides": always(maybe(sizes_of(rank, st.integers(1, 6)))),
    }
    return Form(spatial_axes(rank), given, over=rank)


def border_form(rank: int, arg: str) -> Form:
    pair = st.lists(st.integers(0, 2), min_size=2, max_size=2)
    whole = (
        [st.integers(0, 2), pair] if rank == 1 else [st.integers(0, 1), st.lists(pair, min_size=rank, max_size=rank)]
    )
    return Form(spatial_axes(rank), {arg: always(st.one_of(*whole))}, over=rank)


GATES = st.sampled_from(["tanh", "sigmoid", "relu", "hard_sigmoid", "softsign", "elu", "linear", None])
RECURRENT: dict[str, Given] = {"activation": always(GATES), "recurrent_activation": always(GATES)}
UNITS = {"units": always(st.integers(1, 4))}
LOOPS = frozenset({"Scan"})  # an unknown number of steps, and activations that no op knows
RNN_DEFAULTS = frozenset({"use_cudnn"})  # which needs a GPU
CELLS = {
    "SimpleRNNCell": ["activation"],
    "GRUCell": ["activation", "recurrent_activation"],
    "LSTMCell": ["activation", "recurrent_activation"],
}


def states_of(kind: str, body: dict[str, Any]) -> list[Axes]:
    """The axes of what a layer or a cell hands from step to step."""
    return [{"unit": body["units"]}] * (2 if kind.startswith("LSTM") else 1)


def recurrent_form(kind: str) -> Form:
    """Starting from zeros, or from states that are read too."""

    def others(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
        given = [] if body.get("stateful") else [states_of(kind, body)]
        return st.sampled_from([[], [], *given])

    return Form(SEQUENCES, {**RECURRENT, **UNITS}, RNN_DEFAULTS, over=1, others=others, needs=LOOPS)


def cell_form(kind: str) -> Form:
    return Form(VECTORS, RECURRENT, others=lambda body, axes: st.just(states_of(kind, body)))


def a_cell(axes: Axes) -> SearchStrategy[Any]:
    def one(kind: str) -> SearchStrategy[Any]:
        gates = dict.fromkeys(CELLS[kind], GATES)
        return st.fixed_dictionaries({"units": few}, optional={**gates, "use_bias": st.booleans()}).map(
            lambda body: {kind: body}
        )

    return st.sampled_from(list(CELLS)).flatmap(one)


def one_or_more_cells(axes: Axes) -> SearchStrategy[Any]:
    return st.one_of(a_cell(axes), st.lists(a_cell(axes), min_size=1, max_size=3))


def stacked(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    pairs_of = [next(iter(one.items())) for one in body["cells"]]
    return st.just([state for kind, inner in pairs_of for state in states_of(kind, inner)])


def attended(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
    """Nothing: it attends to itself; or values, or values and keys, of another length."""
    value = {"step": 5, "feature": axes["feature"]}
    return st.sampled_from([[], [], [value], [value, value]])


def who_sees_what(body: dict[str, Any], inputs: list[Axes]) -> SearchStrategy[Axes | None]:
    """Nothing, or a mask over the steps of query and value, one for all heads or one for each."""
    query, value = inputs[0], inputs[min(1, len(inputs) - 1)]
    if len(query) != 2:
        return st.none()
    steps: Axes = {"seeing": next(iter(query.values())), "seen": next(iter(value.values()))}
    heads = body.get("num_heads", body.get("num_query_heads"))
    return st.sampled_from([None, None, steps, {"head": heads, **steps}])


ATTENTION = frozenset({"flash_attention", "attention_mask"})  # no kernel in TensorFlow; `who_sees_what`
HEAD_SEQUENCES = sized(time=st.one_of(st.integers(2, 6), st.just("T")), feature=st.integers(2, 5))


def image_form(axes: SearchStrategy[Axes] = COLOR, **given: Given) -> Form:
    return Form(axes, {**factors(), **given}, over=2)


def factors() -> dict[str, Given]:
    """Ranges of augmentations: a number, or two in order."""
    one = st.sampled_from([0.1, 0.3, 0.5])
    both = st.sampled_from([[0.1, 0.4], [0.2, 0.2]])
    names = ["factor", "height_factor", "width_factor", "x_factor", "y_factor", "brightness_factor", "contrast_factor"]
    names += ["saturation_factor", "hue_factor", "addition_factor", "threshold_factor"]
    ranges: Given = always(st.sampled_from([[0, 255], [0, 1]]))
    return {**{name: always(st.one_of(one, both)) for name in names}, "value_range": ranges}


def same_axes(body: dict[str, Any], axes: Axes) -> SearchStrategy[list[Axes]]:
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


def merged(draw: DrawFn, axes: Axes) -> dict[str, Any]:
    names = list(axes)
    start = draw(st.integers(0, max(0, len(names) - 2)))
    return {"whole": names[start : start + draw(st.integers(2, 3))]}


def split_in_two(draw: DrawFn, axes: Axes) -> dict[str, Any]:
    name = draw(st.sampled_from(list(axes)))
    size = axes[name]
    part = draw(st.sampled_from([d for d in range(1, 7) if isinstance(size, int) and size % d == 0] or [2]))
    return {name: {"slow": size // part if isinstance(size, int) else None, "fast": part}}


def renamed(draw: DrawFn, axes: Axes) -> dict[str, Any]:
    return {draw(st.sampled_from(list(axes))): "renamed"}
