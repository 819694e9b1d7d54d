"""Cases of positions that another value says."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form

FLOAT_AND_INT = ["float32", "int32"]


def a_few(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that are positions of 4 too, from either end."""
    return rng.integers(-4, 4, size=shape).astype(np.float32)


def case(id: str, axis: str, inputs: list, output: dict, oracle: object, ops: list[str], **more: object) -> Case:  # type: ignore[type-arg]
    given = {"dtypes": FLOAT_AND_INT, "make": a_few, **more}
    return Case("take_along", {"axis": axis}, inputs, output, oracle, ops, id=id, **given)  # type: ignore[arg-type]


CASES = [
    case(
        "same-axes",
        "time",
        [{"time": 4, "unit": 5}, {"time": 3, "unit": 5}],
        {"time": 3, "unit": 5},
        lambda w, x: np.take_along_axis(x[0], x[1], 1),
        ["Cast", "GatherElements"],
    ),
    case(
        "lacks-an-axis",
        "expert",
        [{"expert": 4, "unit": 5}, {"expert": 2}],
        {"expert": 2, "unit": 5},
        lambda w, x: np.take_along_axis(x[0], x[1][:, :, None], 1),
        ["Reshape", "Cast", "Expand", "GatherElements"],
    ),
    case(
        "one-each",
        "class",
        [{"time": "T", "class": 4}, {"time": "T"}],
        {"time": "T"},
        lambda w, x: np.take_along_axis(x[0], x[1][..., None], 2)[..., 0],
        ["Reshape", "Cast", "GatherElements", "Reshape"],
    ),
    case(
        "other-order",
        "time",
        [{"time": 4, "unit": 5, "head": 2}, {"head": 2, "unit": 5}],
        {"unit": 5, "head": 2},
        lambda w, x: np.take_along_axis(x[0], x[1].transpose(0, 2, 1)[:, None], 1)[:, 0],
        ["Transpose", "Reshape", "Cast", "GatherElements", "Reshape"],
    ),
    case(
        "by-floats",
        "unit",
        [{"unit": 4}, {"unit": 2}],
        {"unit": 2},
        lambda w, x: np.take_along_axis(x[0], x[1].astype(int), 1),
        ["Cast", "GatherElements"],
        dtypes=["float32", "float32"],
    ),
]

FORMS = {
    "take_along": Form(
        st.just({"time": 5, "feature": 6}),
        given={"axis": lambda axes: st.sampled_from(["time", "feature", 1, -1])},
        others=lambda body, axes: st.sampled_from([[{"time": 5, "feature": 6}]]),
        dtype="int32",
        may_be_masked=False,
    )
}
