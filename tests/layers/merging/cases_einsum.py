"""Cases of products summed over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import SEQUENCES, Axes, Form

Q = {"head": 2, "query": 3, "feature": 5}
K = {"head": 2, "key": 7, "feature": 5}


def einsum(equation: str) -> Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]:
    return lambda weights, inputs: np.einsum(equation, *inputs)


def case(
    axes: list[str], inputs: list[dict[str, Any]], output: dict[str, Any], equation: str, ops: list[str] | None, id: str
) -> Case:
    return Case("einsum", {"axes": axes}, inputs, output, einsum(equation), ops, id=id)


CASES = [
    case(
        ["head", "query", "key"],
        [Q, K],
        {"head": 2, "query": 3, "key": 7},
        "bhqf,bhkf->bhqk",
        ["Transpose", "MatMul"],
        "attention",
    ),
    case(
        ["query", "head", "feature"],
        [{"head": 2, "query": 3, "key": 7}, K],
        {"query": 3, "head": 2, "feature": 5},
        "bhqk,bhkf->bqhf",
        ["MatMul", "Transpose"],
        "back",
    ),
    case(["row", "column"], [{"row": 3}, {"column": 5}], {"row": 3, "column": 5}, "br,bc->brc", None, "outer"),
    case(
        ["time", "feature"],
        [{"time": 7, "feature": 5}, {"feature": 5}],
        {"time": 7, "feature": 5},
        "btf,bf->btf",
        None,
        "scaled",
    ),
    case(
        ["time"],
        [{"time": 7, "feature": 5, "channel": 3}, {"feature": 5, "channel": 3}],
        {"time": 7},
        "btfc,bfc->bt",
        None,
        "two-summed",
    ),
    case([], [{"feature": 5}, {"feature": 5}], {}, "bf,bf->b", None, "one-number"),
    case(
        ["time"],
        [{"time": 7, "other": 2}, {"time": 7, "feature": 5}],
        {"time": 7},
        "bto,btf->bt",
        None,
        "each-summed-alone",
    ),
    case(
        ["row", "column"],
        [{"row": 3, "inner": 5}, {"inner": 5, "outer": 2}, {"outer": 2, "column": 7}],
        {"row": 3, "column": 7},
        "bri,bio,boc->brc",
        None,
        "three",
    ),
    case(
        ["time", "step"],
        [{"time": "T", "feature": 5}, {"step": "S", "feature": 5}],
        {"time": "T", "step": "S"},
        "btf,bsf->bts",
        ["Transpose", "MatMul"],
        "open",
    ),
    case(
        ["channel", "unit"],
        [{"time": "T", "channel": 3}, {"time": "T", "unit": 2}],
        {"channel": 3, "unit": 2},
        "btc,btu->bcu",
        ["Transpose", "MatMul"],
        "open-summed",
    ),
    case(
        ["one", "key"],
        [{"one": 1, "feature": 5}, {"key": 7, "feature": 5}],
        {"one": 1, "key": 7},
        "bof,bkf->bok",
        None,
        "of-one",
    ),
]


def others(body: dict[str, Any], axes: Axes) -> st.SearchStrategy[list[Axes]]:
    feature = axes["feature"]
    return st.sampled_from([[{"row": 3, "feature": feature}], [{"feature": feature}], [{"row": 2}]])


def kept(draw: Any, body: dict[str, Any], axes: Axes) -> dict[str, Any]:
    return {"axes": draw(st.sampled_from([["time"], ["feature", "time"], ["feature"]]))}


FORMS = {"einsum": Form(SEQUENCES, start=lambda draw, axes: kept(draw, {}, axes), others=others)}
