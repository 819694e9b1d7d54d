"""Cases of EinsumDense."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import FLOATS, Form, einsum_body, low_rank_argument

X, OPEN = {"time": 7, "feature": 5}, {"time": "T", "feature": 5}
GRID = {"height": 2, "width": 3, "channel": 5}


def dense(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    """Over the last axis, by tensordot."""
    return np.tensordot(x[0], w["kernel"], (-1, 0)) + w.get("bias", 0.0)


def along(axes: tuple[int, ...], rows: tuple[int, ...], order: tuple[int, ...] | None = None) -> Any:
    """A contraction of input axes with kernel axes, new axes last, then an order."""

    def oracle(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
        made = np.tensordot(x[0], w["kernel"], (axes, rows))
        return (made if order is None else made.transpose(order)) + w.get("bias", 0.0)

    return oracle


def each_step(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    """Every step has a kernel of its own."""
    return np.stack([x[0][:, i] @ w["kernel"][i] for i in range(x[0].shape[1])], axis=1) + w.get("bias", 0.0)


def low_rank(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    return np.tensordot(x[0], w["kernel"] + 1.5 * w["lora_kernel_a"] @ w["lora_kernel_b"], (-1, 0))


def case(body: Any, axes: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str], id: str) -> Case:
    return Case("EinsumDense", body, [axes], output, oracle, ops, id=id)


CASES = [
    case(
        {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c"}, {"feature": 5}, {"unit": 3}, dense, ["Gemm"], ""
    ),
    case(
        {"equation": "abc,cd->abd", "output_shape": [None, 3], "bias_axes": "d", "activation": "relu"},
        OPEN,
        {"time": "T", "unit": 3},
        lambda w, x: np.maximum(dense(w, x), 0),
        ["MatMul", "Add", "Relu"],
        "steps",
    ),
    case(
        {"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y", "as": "part"},
        GRID,
        {"height": 2, "width": 3, "part": 4},
        dense,
        ["MatMul", "Add"],
        "ellipsis",
    ),
    case(
        {"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"},
        GRID,
        {"unit": 4, "width": 3, "channel": 5},
        along((1,), (0,), (0, 3, 1, 2)),
        ["Transpose", "MatMul", "Add", "Transpose"],
        "ellipsis-right",
    ),
    case(
        {"equation": "abc,cde->abde", "output_shape": [7, 2, 3], "bias_axes": "de", "as": ["head", "size"]},
        X,
        {"time": 7, "head": 2, "size": 3},
        dense,
        ["MatMul", "Add", "Reshape"],
        "two-new",
    ),
    case(
        {"equation": "abcd,cdf->abf", "output_shape": [None, 4]},
        GRID,
        {"height": 2, "unit": 4},
        along((2, 3), (0, 1)),
        ["Reshape", "MatMul"],
        "two-gone",
    ),
    case(
        {"equation": "abcd,dbf->acf", "output_shape": [3, 4], "bias_axes": "f"},
        GRID,
        {"width": 3, "unit": 4},
        along((3, 1), (0, 1)),
        ["Transpose", "Reshape", "MatMul", "Add"],
        "apart",
    ),
    case(
        {"equation": "abc,bcd->abd", "output_shape": [7, 3], "bias_axes": "bd"},
        X,
        {"time": 7, "unit": 3},
        each_step,
        ["Reshape", "MatMul", "Add", "Reshape"],
        "kernel-each",
    ),
    case(
        {"equation": "abc,bc->abc", "output_shape": [7, 5], "bias_axes": "b"},
        X,
        X,
        lambda w, x: x[0] * w["kernel"] + w["bias"],
        ["Mul", "Add"],
        "elementwise",
    ),
    case(
        {"equation": "abc,cd->ad", "output_shape": 3, "bias_axes": "d"},
        OPEN,
        {"unit": 3},
        lambda w, x: x[0].sum(1) @ w["kernel"] + w["bias"],
        ["ReduceSum", "Gemm"],
        "summed",
    ),
    case(
        {"equation": "ab,c->abc", "output_shape": [5, 3]},
        {"feature": 5},
        {"feature": 5, "unit": 3},
        lambda w, x: x[0][..., None] * w["kernel"],
        ["Reshape", "MatMul"],
        "outer",
    ),
    case(
        {"equation": "abc,cd->abd", "output_shape": [None, 3], "lora_rank": 2, "lora_alpha": 3},
        X,
        {"time": 7, "unit": 3},
        low_rank,
        ["MatMul"],
        "low-rank",
    ),
    case(
        {"equation": "abcd,de->abce", "output_shape": [3, None, 3], "bias_axes": "b"},
        {"height": 3, "width": 4, "channel": 5},
        {"height": 3, "width": 4, "unit": 3},
        dense,
        ["MatMul", "Add"],
        "bias-as-long-as-another-axis",
    ),
]
FORMS = {"EinsumDense": Form(FLOATS, low_rank_argument(), complete=einsum_body, names_axis=False)}
