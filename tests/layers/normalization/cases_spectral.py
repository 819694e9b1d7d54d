"""Cases of SpectralNormalization."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.layers.linear.cases_einsum_dense import dense
from tests.layers.linear.cases_embedding import ids, rows
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Use, Wrapping

X = {"time": 7, "channel": 5}


def correlate(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    size = len(w["kernel"])
    taps = [x[0][:, i : x[0].shape[1] - size + 1 + i] @ w["kernel"][i] for i in range(size)]
    return sum(taps) + w["bias"]


CASES = [
    Case("SpectralNormalization", {"layer": {"Dense": {"units": 3}}}, [{"feature": 5}], {"unit": 3}, dense, ["Gemm"]),
    Case(
        "SpectralNormalization",
        {"layer": {"Conv1D": {"filters": 4, "kernel_size": 3, "over": "time"}}, "power_iterations": 3},
        [X],
        {"time": 5, "filter": 4},
        correlate,
        ["Transpose", "Reshape", "Conv", "Transpose", "Reshape"],
        id="conv",
    ),
    Case(
        "SpectralNormalization",
        {"layer": {"Embedding": {"input_dim": 11, "output_dim": 3}}},
        [{"token": "T"}],
        {"token": "T", "embedding": 3},
        rows,
        ["Gather"],
        id="embedding",
        make=ids,
        dtype="int32",
    ),
    Case(
        "SpectralNormalization",
        {"layer": {"EinsumDense": {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}}},
        [{"time": "T", "feature": 5}],
        {"time": "T", "unit": 3},
        dense,
        ["MatMul", "Add"],
        id="einsum",
    ),
]


def normalized(draw: DrawFn, inner: Use) -> Use:
    body = {"layer": {inner.kind: inner.body}, "power_iterations": draw(st.integers(1, 2))}
    return Use("SpectralNormalization", body, inner.inputs, inner.dtype)


FORMS = {
    "SpectralNormalization": Wrapping(
        ("Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "Embedding", "EinsumDense"), normalized
    )
}
