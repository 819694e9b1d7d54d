"""Cases of joins."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, Form, one_more, same_axes

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]
STEPS = {"time": 7, "channel": 5}
OPEN = {"time": "T", "channel": 5}
TWO = {"Add": ["Add"], "Multiply": ["Mul"], "Average": ["Mean"], "Maximum": ["Max"], "Minimum": ["Min"]}
THREE = {**TWO, "Add": ["Sum"], "Multiply": ["Mul", "Mul"]}
FUNCTIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "Add": np.add,
    "Multiply": np.multiply,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}


def elementwise(kind: str) -> Oracle:
    if kind == "Average":
        return lambda weights, inputs: sum(inputs) / len(inputs)
    return lambda weights, inputs: reduce(FUNCTIONS[kind], inputs)


def branches(join: Any, first: list[Any], second: list[Any]) -> list[Any]:
    """Items before a join with `from: [left, right]`: two branches that read the one input."""

    def named(items: list[Any], name: str) -> list[Any]:
        made = []
        for i, item in enumerate(items):
            ((kind, body),) = item.items()
            extra = {"name": name} if i == len(items) - 1 else {}
            start = {"from": "x0"} if i == 0 else {}
            made.append({kind: {**(body if isinstance(body, dict) else {"order": body}), **extra, **start}})
        return made

    return [*named(first, "left"), *named(second, "right")]


def conv(filters: int, **more: Any) -> dict[str, Any]:
    return {"Conv1D": {"filters": filters, "kernel_size": 3, "padding": "same", **more}}


def fork(
    kind: str,
    body: dict[str, Any],
    axes: dict[str, Any],
    output: dict[str, Any],
    ops: list[str] | None,
    id: str,
    first: list[Any],
    second: list[Any],
    **more: Any,
) -> Case:
    whole = {**body, "from": ["left", "right"]}
    return Case(kind, whole, [axes], output, None, ops, id=id, before=branches(kind, first, second), **more)


def masked(kind: str, ops: list[str] | None, second: dict[str, Any] | None = None, id: str = "masked") -> Case:
    """Two maskings that disagree; the mean behind the join shows which steps count."""
    first = {"Masking": {"mask_value": 0.0}}
    other = {"Masking": {"mask_value": 1.0}} if second is None else second
    steps = {"time": "T", "channel": 2}
    mean = [{"GlobalAveragePooling1D": {}}]
    return fork(kind, {}, steps, steps, ops, id, [first], [other], make=few, after=mean, tolerance=1e-4)


def few(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """0, 1 or 2 for whole steps; the first step is 2, so that some step always counts."""
    made = np.repeat(rng.integers(0, 3, size=(*shape[:2], 1)), shape[2], axis=2)
    made[:, 0] = 2
    return made


def masked_and_repeated(kind: str, second: list[Any], id: str) -> Case:
    """A value with a mask times or plus one number for each step, which has a mask too, or none."""
    steps = {"time": "T", "channel": 2}
    mean = [{"GlobalAveragePooling1D": {}}]
    first, body = [{"Masking": {"mask_value": 0.0}}], {"broadcast": "channel"}
    still = ("kernel", "bias")  # a number that is nowhere the larger one is not trained
    return fork(kind, body, steps, steps, None, id, first, second, make=few, after=mean, tolerance=1e-4, still=still)


PLAIN = {"Dropout": {"rate": 0.0}}
ONE_EACH = {"Dense": {"units": 1, "as": "channel"}}
ELEMENTWISE = [
    case
    for kind in TWO
    for case in (
        Case(kind, None, [STEPS, STEPS], STEPS, elementwise(kind), TWO[kind]),
        Case(kind, None, [OPEN, OPEN, OPEN], OPEN, elementwise(kind), THREE[kind], id="three-symbol"),
        fork(
            kind,
            {},
            STEPS,
            {"time": 7, "filter": 4},
            ["Transpose", "Reshape", "Conv", "Conv", *TWO[kind], "Transpose", "Reshape"],
            "two-convs",
            [conv(4)],
            [conv(4)],
        ),
    )
]

IMAGE = {"height": 2, "width": 3, "channel": 5}
BROADCAST = [
    *(
        Case(
            kind,
            {"broadcast": "time"},
            [STEPS, {"time": 1, "channel": 5}],
            STEPS,
            (lambda w, x: (x[0] + x[1]) / 2) if kind == "Average" else elementwise(kind),
            TWO[kind],
            id="one-position",
        )
        for kind in TWO
    ),
    Case(
        "Multiply",
        {"broadcast": ["height", "width"]},
        [IMAGE, {"channel": 5}],
        IMAGE,
        lambda w, x: x[0] * x[1][:, None, None],
        ["Reshape", "Mul"],
        id="gate-without-places",
    ),
    Case(
        "Subtract",
        {"broadcast": ["width"]},
        [{"height": 2, "channel": 5}, IMAGE],
        IMAGE,
        lambda w, x: x[0][:, :, None] - x[1],
        ["Reshape", "Sub"],
        id="the-first-lacks-an-axis",
    ),
    Case(
        "Add",
        {"broadcast": ["time"]},
        [{"channel": 5}, OPEN, {"time": 1, "channel": 5}],
        OPEN,
        lambda w, x: x[0][:, None] + x[1] + x[2],
        ["Reshape", "Sum"],
        id="three-symbol-broadcast",
    ),
    Case(
        "Multiply",
        {"broadcast": ["row", "column"]},
        [{"row": 2, "column": 1, "channel": 5}, {"row": 1, "column": 3, "channel": 5}],
        {"row": 2, "column": 3, "channel": 5},
        lambda w, x: x[0] * x[1],
        ["Mul"],
        id="neither-is-full",
    ),
    fork(
        "Multiply",
        {"broadcast": ["time"]},
        {"time": 7, "channel": 5},
        {"time": 7, "filter": 4},
        None,
        "squeeze-and-excite",
        [conv(4)],
        [{"GlobalAveragePooling1D": {}}, {"Dense": {"units": 4, "activation": "sigmoid"}}],
    ),
    fork(
        "Add",
        {"broadcast": ["time"]},
        {"time": 7, "channel": 5},
        {"channel": 5, "time": 7},
        None,
        "moved",
        [{"permute": ["channel", "time"]}],
        [{"GlobalAveragePooling1D": {}}],
        moves=False,
    ),
    fork(
        "Add",
        {"broadcast": ["part"]},
        {"time": 6, "channel": 5},
        {"part": 2, "step": 3, "channel": 5},
        None,
        "inside-a-split-axis",
        [{"split": {"time": {"part": 2, "step": 3}}}],
        [{"Cropping1D": {"cropping": [1, 2]}}, {"rename": {"time": "step"}}],
        moves=False,
    ),
]

CASES = [
    *ELEMENTWISE,
    *BROADCAST,
    Case("Subtract", None, [STEPS, STEPS], STEPS, lambda w, x: x[0] - x[1], ["Sub"]),
    Case("Subtract", None, [OPEN, OPEN], OPEN, lambda w, x: x[0] - x[1], ["Sub"], id="symbol"),
    fork(
        "Add",
        {},
        STEPS,
        {"time": 7, "unit": 5},
        ["MatMul", "Add", "Transpose", "Reshape", "Conv", "Transpose", "Reshape", "Add"],
        "dense-and-conv",
        [{"Dense": {"units": 5}}],
        [conv(5)],
    ),
    fork(
        "Add",
        {},
        STEPS,
        {"time": 7, "filter": 4},
        ["Transpose", "Reshape", "Conv", "Conv", "Add", "Transpose", "Reshape"],
        "permuted-back",
        [conv(4)],
        [conv(4), {"permute": ["filter", "time"]}, {"permute": ["time", "filter"]}],
    ),
    fork(
        "Add",
        {},
        {"time": 6, "channel": 5},
        {"time": 6, "whole": 2, "part": 2},
        ["Transpose", "Reshape", "Conv", "Conv", "Add", "Transpose", "Reshape"],
        "split-channels",
        [conv(4), {"split": {"filter": {"whole": 2, "part": 2}}}],
        [conv(4), {"split": {"filter": {"whole": 2, "part": 2}}}],
    ),
    masked("Add", None),
    masked("Add", None, PLAIN, "one-masked"),
    masked("Average", None),
    masked("Multiply", None),
    masked("Multiply", None, PLAIN, "one-masked"),
    masked("Maximum", None),
    masked("Maximum", None, PLAIN, "one-masked"),
    masked("Minimum", None),
    *(
        masked_and_repeated(kind, second, id)
        for kind in TWO
        for second, id in (
            ([ONE_EACH], "repeated-one-masked"),
            ([{"Masking": {"mask_value": 1.0}}, ONE_EACH], "repeated-both-masked"),
        )
    ),
    fork(
        "Minimum",
        {},
        {"time": "T", "channel": 2},
        {"time": "T", "channel": 2},
        None,
        "second-masked",
        [PLAIN],
        [{"Masking": {"mask_value": 1.0}}],
        make=few,
        after=[{"GlobalAveragePooling1D": {}}],
    ),
]

# One input is repeated along the axes that `broadcast` names: a gate of (1, 1, channel); each one longer somewhere.
IMAGE, GATE = {"height": 7, "width": 5, "channel": 3}, {"height": 1, "width": 1, "channel": 3}
ROW, COLUMN = {"height": 7, "width": 1, "channel": 3}, {"height": 1, "width": 5, "channel": 3}
CASES += [
    *[
        Case(
            kind,
            {"broadcast": ["height", "width"]},
            [IMAGE, GATE],
            IMAGE,
            elementwise(kind),
            TWO[kind] if kind != "Average" else ["Mean"],
            id="gate",
        )
        for kind in TWO
    ],
    Case(
        "Subtract",
        {"broadcast": ["height", "width"]},
        [GATE, IMAGE],
        IMAGE,
        lambda weights, inputs: inputs[0] - inputs[1],
        ["Sub"],
        id="gate-first",
    ),
    Case(
        "Add",
        {"broadcast": ["height", "width"]},
        [ROW, COLUMN],
        IMAGE,
        elementwise("Add"),
        ["Add"],
        id="row-and-column",
    ),
    Case(
        "Multiply",
        {"broadcast": "time"},
        [OPEN, {"time": 1, "channel": 5}],
        OPEN,
        elementwise("Multiply"),
        ["Mul"],
        id="gate-over-an-open-length",
    ),
]
FORMS = {
    **{kind: Form(ANY, others=same_axes) for kind in TWO},
    "Subtract": Form(ANY, others=one_more),
}
