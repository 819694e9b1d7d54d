"""Cases of attention with heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.oracles.attention import attention
from tests.support.oracles.recurrent import masked_anywhere
from tests.support.strategies.form_parts import (
    ATTENTION,
    HEAD_SEQUENCES,
    Form,
    always,
    attended,
    few,
    sized,
    who_sees_what,
)

MHA, GQA = "MultiHeadAttention", "GroupQueryAttention"
X, OPEN, Y = {"time": 7, "feature": 5}, {"time": "T", "feature": 5}, {"step": 3, "word": 2}
BODY: dict[str, Any] = {"num_heads": 2, "key_dim": 3}
SHARED: dict[str, Any] = {"num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 3}
Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], Any]

# What every form has in common.
QKV = ["MatMul", "Add", "Reshape", "Transpose", "Split", "Transpose"]
ALONE = ["MatMul", "Add", "Reshape", "Transpose"]
CORE = ["MatMul", "Softmax", "MatMul"]
KEY = ["MatMul", "Add", "Transpose", "Reshape"]  # it stands on its side already
BACK = ["Transpose", "Reshape", "MatMul", "Add"]
POSITIONS = ["Shape", "Squeeze", "Range", "Unsqueeze"]
SHAPE = frozenset({"Shape"})  # how long a sequence is, where only the running graph knows


def by(**options: Any) -> Oracle:
    return lambda w, x: attention(w, *x, **options)


def case(kind: str, body: dict[str, Any], inputs: list[dict[str, Any]], id: str, **more: Any) -> Case:
    """A layer whose output has the query's steps; `ops`, `oracle` and the like in `more`."""
    (name, size), (_, features) = inputs[0].items()
    full = {"output": {name: size, "unit": features}, "oracle": by(), "ops": None, **more}
    return Case(kind, body, inputs, id=id, still=("key/bias",), **full)  # adds the same to a row of scores: no effect


def grid(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    """All positions of a grid attend to all."""
    flat = x[0].reshape(len(x[0]), -1, x[0].shape[-1])
    return attention(w, flat)[0].reshape(x[0].shape)


def rows(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    """Every row of a grid attends to itself alone."""
    return np.stack([attention(w, x[0][:, i])[0] for i in range(x[0].shape[1])], axis=1)


def columns(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    return np.stack([attention(w, x[0][:, :, i], causal=True)[0] for i in range(x[0].shape[2])], axis=2)


def some_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """As booleans, a mask with rows that see nothing."""
    made = rng.normal(size=shape) * (rng.random(shape) < 0.6)
    made[:, 1] = 0
    return made


def masked(**options: Any) -> Oracle:
    """Padding in a sequence that attends to itself: masked steps see nothing, and nothing sees them."""

    def oracle(w: dict[str, np.ndarray], x: list[np.ndarray]) -> Any:
        held = np.any(x[0] != 0, axis=-1)
        return attention(w, x[0], mask=held[:, :, None] & held[:, None, :], **options)

    return oracle


def given(w: dict[str, np.ndarray], x: list[np.ndarray]) -> Any:
    return attention(w, *x[:-1], mask=x[-1].astype(bool))


MASKING = {"before": ["Masking"], "make": masked_anywhere()}
MASK_OPS = ["Abs", "ReduceSum", "Cast"]


def seldom_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """As booleans, a mask; where it is the same for all queries, some samples see nothing."""
    return rng.normal(size=shape) * (rng.random(shape) < 0.6)


FOR_ALL = {"dtypes": ["float32", "bool"], "oracle": given, "make": seldom_zero}
GIVEN = {"dtypes": ["float32", "bool"], "oracle": given, "make": some_zero}

CASES = [
    case(MHA, BODY, [X], "self", ops=[*QKV, *CORE, *BACK]),
    case(MHA, BODY, [OPEN], "symbol", ops=[*QKV, *CORE, *BACK]),
    case(MHA, {**BODY, "use_bias": False}, [X], "no-bias", ops=[op for op in [*QKV, *CORE, *BACK] if op != "Add"]),
    case(MHA, BODY, [X, Y], "two", ops=[*ALONE, *QKV, *CORE, *BACK]),
    case(MHA, BODY, [OPEN, {"step": "S", "word": 2}], "two-symbols", ops=[*ALONE, *QKV, *CORE, *BACK]),
    case(MHA, BODY, [X, Y, {"step": 3, "sound": 4}], "three", ops=[*ALONE, *KEY, *ALONE, *CORE, *BACK]),
    case(
        MHA,
        {**BODY, "use_causal_mask": True},
        [X],
        "causal",
        oracle=by(causal=True),
        ops=[*QKV, "MatMul", "Add", "Softmax", "MatMul", *BACK],
    ),
    case(
        MHA,
        {**BODY, "use_causal_mask": True},
        [OPEN],
        "causal-symbol",
        oracle=by(causal=True),
        ops=[*QKV, *POSITIONS, "GreaterOrEqual", "MatMul", "Where", "Softmax", "MatMul", *BACK],
        needs=SHAPE,
    ),
    case(
        MHA,
        {**BODY, "sliding_window": 2},
        [X],
        "window",
        oracle=by(window=2),
        ops=[*QKV, "MatMul", "Add", "Softmax", "MatMul", *BACK],
    ),
    case(
        MHA,
        {**BODY, "sliding_window": 3, "use_causal_mask": True},
        [OPEN],
        "causal-window-symbol",
        oracle=by(causal=True, window=3),
        needs=SHAPE,
    ),
    case(MHA, {**BODY, "sliding_window": 3}, [OPEN], "window-symbol", oracle=by(window=3), needs=SHAPE),
    case(MHA, {**BODY, "sliding_window": 7}, [X], "window-of-all", ops=[*QKV, *CORE, *BACK]),
    case(MHA, {**BODY, "sliding_window": 2}, [X, Y], "window-beyond", oracle=by(window=2)),
    case(
        MHA,
        {**BODY, "sliding_window": 2, "dropout": 0.5, "seed": 3},
        [X, Y],
        "window-beyond-dropout",
        oracle=by(window=2, zeroes=True),
        ops=[*ALONE, *QKV, "MatMul", "Where", "Softmax", "Where", "MatMul", *BACK],
        moves=False,  # what dropout drops does not move
    ),
    case(
        MHA,
        {**BODY, "value_dim": 4, "output_shape": 6},
        [X],
        "value-dim",
        output={"time": 7, "unit": 6},
        ops=["MatMul", "Add", "Split", *ALONE[2:], *KEY[2:], *ALONE[2:], *CORE, *BACK],
    ),
    case(
        MHA,
        {**BODY, "output_shape": [2, 3], "as": ["high", "low"]},
        [X],
        "output-axes",
        output={"time": 7, "high": 2, "low": 3},
    ),
    case(MHA, {**BODY, "use_gate": True}, [X], "gate", ops=[*QKV, *CORE, "Sigmoid", "Mul", *BACK]),
    case(MHA, {**BODY, "use_gate": True, "value_dim": 4}, [X, Y], "gate-value-dim"),
    Case(
        MHA,
        {"num_heads": 1, "key_dim": 1},
        [{"time": 1, "feature": 1}],
        {"time": 1, "unit": 1},
        by(),
        None,
        id="ones",
        moves=False,  # one position has all the weight whatever its score
    ),
    Case(
        MHA,
        BODY,
        [{"height": 3, "width": 4, "feature": 5}],
        {"height": 3, "width": 4, "unit": 5},
        grid,
        [*QKV, *CORE, *BACK, "Reshape"],
        id="grid",
        still=("key/bias",),
    ),
    Case(
        MHA,
        {**BODY, "attention_axes": "width"},
        [{"height": 3, "width": 4, "feature": 5}],
        {"height": 3, "width": 4, "unit": 5},
        rows,
        [*QKV, *CORE, *BACK],
        id="rows",
        still=("key/bias",),
    ),
    Case(
        MHA,
        {**BODY, "attention_axes": "width"},
        [{"frame": "T", "height": 3, "width": 4, "feature": 5}],
        {"frame": "T", "height": 3, "width": 4, "unit": 5},
        lambda weights, x: np.stack([rows(weights, [frame]) for frame in x[0]]),
        [*QKV, *CORE, *BACK],
        id="rows-of-frames",  # the scores have more axes than TensorFlow's softmax takes
        still=("key/bias",),
    ),
    Case(
        MHA,
        {**BODY, "attention_axes": [-3], "use_causal_mask": True},
        [{"time": "T", "width": 4, "feature": 5}],
        {"time": "T", "width": 4, "unit": 5},
        columns,
        None,
        id="causal-columns",
        needs=SHAPE,
        still=("key/bias",),
    ),
    case(
        MHA,
        BODY,
        [X],
        "masked",
        oracle=masked(),
        ops=[*MASK_OPS, *QKV, "Reshape", "Reshape", "MatMul", "And", "Where", *CORE[1:], *BACK],
        **MASKING,
    ),
    case(MHA, {**BODY, "dropout": 0.25}, [OPEN], "masked-zeroes", oracle=masked(zeroes=True), moves=False, **MASKING),
    case(MHA, {**BODY, "use_causal_mask": True}, [X], "masked-causal", oracle=masked(causal=True), **MASKING),
    case(
        MHA,
        {**BODY, "from": "x0", "attention_mask": "x1"},
        [X, {"time": 7, "other": 7}],
        "given",
        ops=[*QKV, "Reshape", "MatMul", "Where", *CORE[1:], *BACK],
        **GIVEN,
    ),
    case(
        MHA,
        {**BODY, "from": "x0", "attention_mask": "x1"},
        [OPEN, {"head": 2, "time": "T", "other": "T"}],
        "given-heads",
        **GIVEN,
    ),
    case(MHA, {**BODY, "from": "x0", "attention_mask": "x1"}, [X, {"all": 1, "other": 7}], "given-all", **FOR_ALL),
    case(
        MHA,
        {**BODY, "from": "x0", "attention_mask": "x1"},
        [OPEN, {"heads": 1, "all": 1, "other": "T"}],
        "given-all-heads",
        **FOR_ALL,
    ),
    case(
        MHA,
        {**BODY, "from": ["x0", "x1"], "attention_mask": "x2"},
        [X, Y, {"time": 7, "step": 3}],
        "given-two",
        **{**GIVEN, "dtypes": ["float32", "float32", "int32"], "make": lambda rng, shape: some_zero(rng, shape) * 3},
        tolerance=1e-4,
    ),
    *(
        case(
            kind,
            {**body, "use_causal_mask": is_causal},
            [OPEN] if is_causal else [X, {"step": "S", "word": 5}],
            f"op-{'causal' if is_causal else 'two'}",
            oracle=by(causal=is_causal),
            ops=["MatMul", "Add", *([] if is_causal else ["MatMul", "Add"]), "Split", "Attention", "MatMul", "Add"],
            opset=23,
        )
        for kind, body in ((MHA, {**BODY, "value_dim": 4}), (GQA, SHARED))
        for is_causal in (False, True)
    ),
    case(GQA, SHARED, [X], "self", ops=[*QKV, "Reshape", *CORE, "Reshape", *BACK]),
    case(GQA, {**SHARED, "num_key_value_heads": 4}, [OPEN], "all", ops=[*QKV, *CORE, *BACK]),
    case(GQA, {**SHARED, "num_key_value_heads": 1}, [X, {"step": "S", "word": 5}], "one"),
    case(
        GQA,
        {**SHARED, "use_gate": True, "use_causal_mask": True, "sliding_window": 3},
        [OPEN],
        "gate-causal",
        oracle=by(causal=True, window=3),
        needs=SHAPE,
    ),
    case(GQA, SHARED, [OPEN], "masked", oracle=masked(), **MASKING),
    case(GQA, {**SHARED, "dropout": 0.25}, [X], "masked-zeroes", oracle=masked(zeroes=True), moves=False, **MASKING),
    case(
        MHA,
        {"num_heads": 3, "key_dim": 1, "output_shape": [3, 1]},
        [{"time": 3, "feature": 5}],
        "as-many-heads-as-steps",
        output={"time": 3, "unit_1": 3, "unit_2": 1},
    ),
]
FORMS = {
    "MultiHeadAttention": Form(
        st.one_of(HEAD_SEQUENCES, sized(height=st.integers(2, 3), width=st.integers(2, 4), feature=few)),
        {"attention_axes": lambda axes: st.sampled_from([None, 1, next(iter(axes)), list(axes)[:-1]])},
        ATTENTION,
        others=lambda body, axes: attended(body, axes) if len(axes) == 2 else st.just([]),
        attention_mask=who_sees_what,
    ),
    "GroupQueryAttention": Form(
        HEAD_SEQUENCES,
        {"num_query_heads": always(st.sampled_from([2, 4])), "num_key_value_heads": always(st.sampled_from([1, 2]))},
        ATTENTION,
        others=attended,
        attention_mask=who_sees_what,
    ),
}
