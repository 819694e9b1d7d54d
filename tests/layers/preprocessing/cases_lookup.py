"""Cases of lookups. The oracle is a dictionary of Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, always, few, sized

Oracle = Callable[..., np.ndarray]
ROW = {"word": 5}
ONE = {"word": 1}
OPEN = {"word": "T"}
GRID = {"line": 3, "word": 5}
COLORS = ["red", "green", "blue", "grey"]
NUMBERS = [7, -3, 40, 2]


def choose(values: Sequence[Any]) -> Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]:
    return lambda rng, shape: rng.choice(np.asarray(values, object), size=shape)


words = choose([*COLORS, "", "violet", "Red", "rot"])
known = choose(COLORS)
numbers = choose([*NUMBERS, 0, 5, 11, -8])
indices = choose(range(7))


def place(word: Any, vocabulary: Sequence[Any], mask: Any, oov: int, is_int: bool) -> int:
    """Where a word stands; -1 where it leaves no mark."""
    first = 1 if mask is not None and is_int else 0
    if mask is not None and word == mask:
        return 0 if is_int else -1
    if word in vocabulary:
        return first + oov + list(vocabulary).index(word)
    return first + (word % oov if oov > 1 else 0)


def hot(places: np.ndarray, mode: str, depth: int) -> np.ndarray:
    marks = np.stack([places == i for i in range(depth)], axis=-1).astype(np.float32)
    if mode == "one_hot":
        return marks.squeeze(-2) if places.shape[-1] == 1 else marks
    return marks.max(axis=1) if mode == "multi_hot" else marks.sum(axis=1)


def looked_up(vocabulary: Sequence[Any], mask: Any = None, oov: int = 1, mode: str = "int", depth: int = 0) -> Oracle:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        flat = [place(word, vocabulary, mask, oov, mode == "int") for word in x.reshape(-1).tolist()]
        places = np.asarray(flat, np.int64).reshape(x.shape)
        return places if mode == "int" else hot(places, mode, depth or oov + len(vocabulary))

    return oracle


def weighted(vector: Sequence[float]) -> Oracle:
    return lambda weights, inputs: looked_up(COLORS, mode="count")(weights, inputs) * np.asarray(vector, np.float32)


def spelled(table: dict[int, Any], other: Any) -> Oracle:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        found = [table.get(int(i), other) for i in inputs[0].reshape(-1)]
        return np.asarray(found, object if isinstance(other, str) else np.int64).reshape(inputs[0].shape)

    return oracle


def text(
    body: dict[str, Any], axes: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str], **more: Any
) -> Case:
    made = {"dtype": "string", "make": words, **more}
    return Case("StringLookup", {"vocabulary": COLORS, **body}, [axes], output, oracle, ops, **made)


def integer(
    body: dict[str, Any], axes: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str], **more: Any
) -> Case:
    made = {"dtype": "int64", "make": numbers, **more}
    return Case("IntegerLookup", {"vocabulary": NUMBERS, **body}, [axes], output, oracle, ops, **made)


ENCODER = ["LabelEncoder"]
IDF = [0.5, 1.5, 2.0, 4.0]
CASES = [
    text({}, ROW, ROW, looked_up(COLORS), ENCODER),
    text({"mask_token": ""}, OPEN, OPEN, looked_up(COLORS, ""), ENCODER, id="mask"),
    text(
        {"vocabulary": ["", "[UNK]", *COLORS], "mask_token": ""},
        GRID,
        GRID,
        looked_up(COLORS, ""),
        ENCODER,
        id="special",
    ),
    text({"num_oov_indices": 0}, ROW, ROW, looked_up(COLORS, oov=0), ENCODER, id="no-oov", make=known),
    text(
        {"output_mode": "one_hot"},
        GRID,
        {**GRID, "category": 5},
        looked_up(COLORS, mode="one_hot"),
        [*ENCODER, "OneHot"],
        id="one-hot",
    ),
    text(
        {"output_mode": "one_hot", "as": "color", "num_oov_indices": 0, "mask_token": ""},
        ONE,
        {"color": 4},
        looked_up(COLORS, "", 0, "one_hot"),
        [*ENCODER, "OneHot", "Reshape"],
        id="one-hot-of-one",
        make=choose([*COLORS, ""]),
    ),
    text(
        {"output_mode": "multi_hot", "mask_token": "grey", "vocabulary": COLORS[:3]},
        ROW,
        {"category": 4},
        looked_up(COLORS[:3], "grey", 1, "multi_hot"),
        [*ENCODER, "OneHot", "ReduceSum", "Min"],
        id="multi-hot-mask",
    ),
    text(
        {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True},
        OPEN,
        {"category": 9},
        looked_up(COLORS, mode="count", depth=9),
        [*ENCODER, "OneHot", "ReduceSum"],
        id="count-padded",
    ),
    text(
        {"output_mode": "tf_idf", "idf_weights": IDF},
        ROW,
        {"category": 5},
        weighted([2.0, *IDF]),
        [*ENCODER, "OneHot", "ReduceSum", "Mul"],
        id="tf-idf",
    ),
    text(
        {"invert": True, "mask_token": ""},
        ROW,
        ROW,
        spelled({0: "", 1: "[UNK]", **{i + 2: c for i, c in enumerate(COLORS)}}, "[UNK]"),
        ["Cast", *ENCODER],
        id="invert",
        dtype="int32",
        make=indices,
    ),
    text(
        {},
        GRID,
        {"word": 5, "line": 3},
        lambda weights, inputs: looked_up(COLORS)(weights, [inputs[0].transpose(0, 2, 1)]),
        [*ENCODER, "Transpose"],
        id="behind-a-permute",
        before=[{"permute": ["word", "line"]}],
    ),
    text(
        {"output_mode": "one_hot"},
        {"line": 3, "word": 2},
        {"line_word": 6, "category": 5},
        None,
        [*ENCODER, "OneHot", "Reshape", "Gemm"],
        id="dense",
        before=["Flatten"],
        after=["Flatten", {"Dense": {"units": 3}}],
    ),
    text(
        {"mask_token": ""},
        ROW,
        ROW,
        None,
        [*ENCODER, "Gather", "Reshape", "Gemm"],
        id="embedding",
        after=[{"Embedding": {"input_dim": 6, "output_dim": 3}}, "Flatten", {"Dense": {"units": 2}}],
        moves=False,  # rows of words that the batch lacks stay
    ),
    integer({}, ROW, ROW, looked_up(NUMBERS), ENCODER),
    integer({"mask_token": 0}, OPEN, OPEN, looked_up(NUMBERS, 0), ["Cast", *ENCODER], id="mask", dtype="int32"),
    integer(
        {"num_oov_indices": 3},
        GRID,
        GRID,
        looked_up(NUMBERS, oov=3),
        [*ENCODER, "Mod", "Equal", "Where"],
        id="floormod",
    ),
    integer(
        {"num_oov_indices": 2, "mask_token": 11},
        ROW,
        ROW,
        looked_up(NUMBERS, 11, 2),
        [*ENCODER, "Mod", "Add", "Equal", "Where"],
        id="floormod-mask",
    ),
    integer(
        {"output_mode": "multi_hot", "num_oov_indices": 2, "mask_token": 11},
        ROW,
        {"category": 6},
        looked_up(NUMBERS, 11, 2, "multi_hot"),
        [*ENCODER, "Mod", "Equal", "Where", "OneHot", "ReduceSum", "Min"],
        id="multi-hot",
    ),
    integer(
        {"invert": True},
        ROW,
        ROW,
        spelled({i + 1: n for i, n in enumerate(NUMBERS)}, -1),
        ENCODER,
        id="invert",
        make=indices,
    ),
]
LOOKUP = {
    "num_oov_indices": always(st.just(1)),  # several hash, and with none every word must be known
    "mask_token": always(st.sampled_from(["", "blue", None])),
    "max_tokens": always(st.sampled_from([None, 6, 9])),
}
WEIGHTS = always(st.sampled_from([None, [0.5, 1.5, 4.0]]))
# `invert` reads integers, and several arguments speak of hashes, which are not exported.
HASHED = frozenset({"salt", "oov_method", "encoding", "vocabulary_dtype"})
FORMS = {
    "StringLookup": Form(
        st.one_of(sized(word=few), sized(line=few, word=st.integers(1, 3))),
        {"vocabulary": always(st.permutations(["red", "green", "é"])), "idf_weights": WEIGHTS, **LOOKUP},
        HASHED | {"invert"},
        dtype="string",
    ),
    "IntegerLookup": Form(
        sized(word=few),
        {
            "vocabulary": always(st.sampled_from([[1, 3, 0], [4, 2, 1]])),
            "idf_weights": WEIGHTS,
            **LOOKUP,
            "num_oov_indices": always(st.integers(1, 2)),
            "mask_token": always(st.sampled_from([None, 5, 0])),
        },
        HASHED | {"invert"},
        dtype="int64",
    ),
}
