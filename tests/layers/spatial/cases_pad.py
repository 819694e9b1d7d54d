"""Cases of axes that are made longer at their ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import SEQUENCES, Axes, Form, always

IMAGE = {"height": 5, "width": 7, "channel": 3}
Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]


def padded(*sides: tuple[int, int], mode: str = "constant", value: float = 0.0) -> Oracle:
    """By NumPy; a pair for every axis after batch."""
    more = {"constant_values": value} if mode == "constant" else {}
    return lambda weights, inputs: np.pad(inputs[0], [(0, 0), *sides], mode=mode, **more)  # type: ignore[call-overload,no-any-return]


CASES = [
    Case(
        "pad",
        {"axes": {"height": 1, "width": [2, 0]}},
        [IMAGE],
        {"height": 7, "width": 9, "channel": 3},
        padded((1, 1), (2, 0), (0, 0)),
        ["Pad"],
    ),
    Case(
        "pad",
        {"axes": {"channel": [0, 2]}, "value": -1.5},
        [IMAGE],
        {"height": 5, "width": 7, "channel": 5},
        padded((0, 0), (0, 0), (0, 2), value=-1.5),
        ["Pad"],
        id="constant",
    ),
    Case(
        "pad",
        {"axes": {"height": [1, 4], "width": 6}, "mode": "reflect"},
        [IMAGE],
        {"height": 10, "width": 19, "channel": 3},
        padded((1, 4), (6, 6), (0, 0), mode="reflect"),
        ["Pad"],
        id="reflect",
    ),
    Case(
        "pad",
        {"axes": {"height": [5, 1], "width": [0, 2]}, "mode": "symmetric"},
        [IMAGE],
        {"height": 11, "width": 9, "channel": 3},
        padded((5, 1), (0, 2), (0, 0), mode="symmetric"),
        ["Slice", "Slice", "Concat", "Slice", "Concat"],
        id="symmetric",
    ),
    Case(
        "pad",
        {"axes": {"time": [3, 1]}, "mode": "reflect"},
        [{"time": "T", "channel": 3}],
        {"time": "(T + 4)", "channel": 3},
        padded((3, 1), (0, 0), mode="reflect"),
        ["Pad"],
        id="reflect-open",
    ),
    Case(
        "pad",
        {"axes": {"time": [1, 2]}, "mode": "symmetric"},
        [{"time": "T", "channel": 3}],
        {"time": "(T + 3)", "channel": 3},
        padded((1, 2), (0, 0), mode="symmetric"),
        ["Slice", "Slice", "Concat"],
        id="symmetric-open",
    ),
    Case("pad", {"axes": {"height": 0}}, [IMAGE], IMAGE, padded((0, 0), (0, 0), (0, 0)), ["Identity"], id="nothing"),
]


def ends(axes: Axes) -> st.SearchStrategy[dict[str, list[int]]]:
    return st.lists(st.integers(0, 2), min_size=2, max_size=2).map(lambda pair: {"time": pair})


FORMS = {"pad": Form(SEQUENCES, {"axes": ends, "value": always(st.sampled_from([0.0, 1.5]))})}
