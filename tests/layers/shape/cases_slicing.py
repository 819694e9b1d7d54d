"""Cases of slices and of positions taken in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, FLOATS, Axes, Form

STEPS = {"time": 7, "feature": 5}
OPEN = {"time": "T", "feature": 5}


def indexed(*key: Any) -> Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]:
    """NumPy's own index, batch left out."""
    return lambda weights, inputs: inputs[0][(slice(None), *key)]


def case(body: Any, inputs: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str], id: str) -> Case:
    return Case("slice", body, [inputs], output, oracle, ops, id=id)


CASES = [
    case({"time": -1}, STEPS, {"feature": 5}, indexed(-1), ["Slice", "Reshape"], "last"),
    case({"feature": 2}, STEPS, {"time": 7}, indexed(slice(None), 2), ["Slice", "Reshape"], "of-the-last-axis"),
    case({"time": 0, "feature": -2}, STEPS, {}, indexed(0, -2), ["Slice", "Reshape"], "one-number"),
    case({"time": {"start": 2}}, STEPS, {"time": 5, "feature": 5}, indexed(slice(2, None)), ["Slice"], "from"),
    case({"time": {"stop": -2}}, STEPS, {"time": 5, "feature": 5}, indexed(slice(None, -2)), ["Slice"], "up-to"),
    case({"time": {"step": 2}}, STEPS, {"time": 4, "feature": 5}, indexed(slice(None, None, 2)), ["Slice"], "strided"),
    case({"time": {"step": -1}}, STEPS, {"time": 7, "feature": 5}, indexed(slice(None, None, -1)), ["Slice"], "turned"),
    case(
        {"time": {"start": 5, "stop": 0, "step": -2}, "feature": {"start": 1, "stop": 4}},
        STEPS,
        {"time": 3, "feature": 3},
        indexed(slice(5, 0, -2), slice(1, 4)),
        ["Slice"],
        "both",
    ),
    case({"time": {"start": 0}}, STEPS, STEPS, indexed(), ["Identity"], "everything"),
    case({"one": 0}, {"one": 1, "feature": 5}, {"feature": 5}, indexed(0), ["Slice", "Reshape"], "of-one"),
    case({"time": -1}, OPEN, {"feature": 5}, indexed(-1), ["Slice", "Reshape"], "open-last"),
    case(
        {"time": {"start": 1, "stop": -2}},
        OPEN,
        {"time": "(T - 3)", "feature": 5},
        indexed(slice(1, -2)),
        ["Slice"],
        "open-ends",
    ),
    case({"time": {"start": -3}}, OPEN, {"time": 3, "feature": 5}, indexed(slice(-3, None)), ["Slice"], "open-end"),
    case(
        {"time": {"start": 1, "stop": 4, "step": 2}},
        OPEN,
        {"time": 2, "feature": 5},
        indexed(slice(1, 4, 2)),
        ["Slice"],
        "open-middle",
    ),
    case(
        {"time": {"start": 1, "step": 2}},
        OPEN,
        {"time": "ceil((T - 1)/2)", "feature": 5},
        indexed(slice(1, None, 2)),
        ["Slice"],
        "open-strided",
    ),
    case(
        {"time": {"step": -2}},
        OPEN,
        {"time": "ceil(T/2)", "feature": 5},
        indexed(slice(None, None, -2)),
        ["Slice"],
        "open-turned",
    ),
    Case(
        "slice",
        {"time": {"step": 2}},
        [STEPS],
        {"time": 4, "feature": 5},
        indexed(slice(None, None, 2)),
        ["Slice"],
        id="ids",
        dtype="int32",
    ),
    Case(
        "slice",
        {"height": {"start": 1}, "filter": {"stop": 2}},
        [{"height": 5, "width": 6, "channel": 3}],
        {"height": 4, "width": 6, "filter": 2},
        None,
        ["Transpose", "Conv", "Slice", "Transpose"],
        id="after-conv",
        before=[{"Conv2D": {"filters": 4, "kernel_size": 3, "padding": "same"}}],
    ),
    Case(
        "take",
        {"feature": [4, 0, 0, -2]},
        [STEPS],
        {"time": 7, "feature": 4},
        indexed(slice(None), [4, 0, 0, 3]),
        ["Gather"],
    ),
    Case(
        "take",
        {"time": [6, 1], "feature": [3]},
        [STEPS],
        {"time": 2, "feature": 1},
        lambda w, x: x[0][:, [6, 1]][..., [3]],
        ["Gather", "Gather"],
        id="both",
    ),
    Case(
        "take",
        {"feature": [1, 2]},
        [OPEN],
        {"time": "T", "feature": 2},
        indexed(slice(None), [1, 2]),
        ["Gather"],
        id="open",
    ),
    Case(
        "take",
        {"one": [0, 0]},
        [{"one": 1, "feature": 5}],
        {"one": 2, "feature": 5},
        indexed([0, 0]),
        ["Gather"],
        id="of-one",
    ),
]


def a_part(axes: Axes) -> st.SearchStrategy[dict[str, Any]]:
    """A part of one axis, or one of its positions."""
    name = next(iter(axes))
    bounds = st.fixed_dictionaries(
        {},
        optional={"start": st.integers(-1, 1), "stop": st.sampled_from([2, -1]), "step": st.sampled_from([1, 2, -1])},
    )
    return st.one_of(st.just({name: -1}), bounds.map(lambda part: {name: part}))


def a_few(axes: Axes) -> st.SearchStrategy[dict[str, Any]]:
    name = list(axes)[-1]
    size = int(axes[name])
    return st.lists(st.integers(-size, size - 1), min_size=1, max_size=4).map(lambda taken: {name: taken})


FORMS = {
    "slice": Form(ANY, start=lambda draw, axes: draw(a_part(axes))),
    "take": Form(FLOATS, start=lambda draw, axes: draw(a_few(axes))),
}
