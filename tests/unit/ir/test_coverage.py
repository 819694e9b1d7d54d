"""Positions that a network skips, against the gradients of the Keras model that it becomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec import api, pipeline
from nnspec.ir.coverage import SeenPositions, _ones, _slid, find_holes
from nnspec.ir.graph import Window
from nnspec.show import to_text

LENGTH = 24
HEAD = """nnspec: 1
inputs: {x: {axes: {time: 24, feature: 2}}}
model:
"""
KEPT = "outputs: {y: {task: regression}}\n"
JOINED = "  - GlobalAveragePooling1D\n  - Dense: {units: 1, as: target}\n" + KEPT


def convolution(kernel: int, dilation: int = 1, stride: int = 1, padding: str = "causal") -> str:
    return (
        f"  - Conv1D: {{filters: 2, kernel_size: {kernel}, dilation_rate: {dilation}, strides: {stride}, "
        f"padding: {padding}}}\n"
    )


def written(folder: Path, *layers: str, tail: str = JOINED) -> Path:
    path = folder / "spec.yaml"
    path.write_text(HEAD + "".join(layers) + tail, encoding="utf-8")
    return path


def skipped(path: Path) -> list[int]:
    graph = pipeline.check(path).graph
    return find_holes(graph, graph.outputs["y"].value, "time")


def untouched(path: Path) -> list[int]:
    """The same by gradients: of all outputs of the position that sees farthest."""
    import tensorflow as tf

    model = api.load(path).compile()
    for weight in model.weights:
        weight.assign(np.random.default_rng(1).uniform(0.5, 1.0, weight.shape))
    x = tf.constant(np.random.default_rng(2).uniform(0.5, 1.0, (1, LENGTH, 2)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        made = model(x)
        steps = [made[:, i] for i in range(made.shape[1])] if len(made.shape) == 3 else [made]
    seen = [np.flatnonzero(np.abs(tape.gradient(step, x)[0]).sum(axis=1)) for step in steps]
    widest = max(seen, key=lambda at: at[-1] - at[0] if len(at) else -1)
    return sorted(set(range(widest[0], widest[-1] + 1)) - set(widest.tolist()))


STACKS = [
    [convolution(2, 2), convolution(2, 4)],
    [convolution(3, 2), convolution(2, 1)],
    [convolution(2, 1), convolution(2, 2), convolution(2, 4), convolution(2, 8)],  # WaveNet: whole
    [convolution(2, 1), convolution(2, 4)],
    [convolution(1, 1, 2, "valid"), convolution(3, 1, 1, "same")],
    [convolution(3, 1, 5, "same")],
    [convolution(2, 1, 4, "valid"), convolution(2, 1, 2, "valid")],
    [convolution(3, 3, 1, "same"), "  - AveragePooling1D: {pool_size: 3, strides: 3}\n"],
    [convolution(3, 3, 1, "same"), "  - AveragePooling1D: {pool_size: 2, strides: 4}\n"],
    ["  - slice: {time: {start: 1, step: 2}}\n", convolution(2, 2)],
    ["  - UpSampling1D: {size: 2}\n", convolution(2, 4, 1, "valid")],
]


LAST = "  - slice: {time: -1}\n  - Dense: {units: 1, as: target}\n" + KEPT


@pytest.mark.parametrize("tail", [JOINED, KEPT, LAST], ids=["joined", "kept", "last"])
@pytest.mark.parametrize("stack", STACKS, ids=range(len(STACKS)))
def test_sets_are_those_of_gradients(stack: list[str], tail: str, tmp_path: Path) -> None:
    path = written(tmp_path, *stack, tail=tail)
    assert skipped(path) == untouched(path)


def test_branches_see_what_either_sees(tmp_path: Path) -> None:
    branches = """  - Conv1D: {name: even, from: x, filters: 2, kernel_size: 2, dilation_rate: 2, padding: causal}
  - Conv1D: {name: third, from: x, filters: 2, kernel_size: 2, dilation_rate: 3, padding: causal}
  - Add: [even, third]
"""
    path = written(tmp_path, branches, tail=KEPT)
    assert skipped(path) == untouched(path)
    assert len(skipped(path)) == 1  # of four, the first, the second and the last are seen


def test_right_networks_are_not_warned_of(tmp_path: Path) -> None:
    right = [
        [convolution(2, dilation) for dilation in (1, 2, 4, 8)],
        [convolution(3, dilation) for dilation in (1, 3, 9)],
        [convolution(3, 1, 2, "same"), "  - MaxPooling1D: {pool_size: 2}\n", convolution(3, 1, 2, "same")],
        ["  - LSTM: {units: 3, return_sequences: true, over: time}\n", convolution(2, 4)],
        ["  - MultiHeadAttention: {num_heads: 1, key_dim: 2}\n", convolution(2, 4)],
    ]
    for stack in right:
        found = pipeline.check(written(tmp_path, *stack)).warnings
        assert "NN364" not in {warning.code for warning in found}, stack


def test_show_and_why_tell_of_holes(tmp_path: Path) -> None:
    path = written(tmp_path, convolution(2, 1, 4, "valid"))
    checked = pipeline.check(path)
    assert [w.code for w in checked.warnings] == ["NN364"]
    assert "output `y` never sees 10 of the 24 positions of `time`: 2, 3, 6, 7," in to_text(checked.graph)


def test_a_field_that_padding_makes_longer_than_the_axis_spans_it(tmp_path: Path) -> None:
    path = written(tmp_path, convolution(2, 4), convolution(2, 1, 4, "valid"))
    (warning,) = pipeline.check(path).warnings
    assert "`time`, although its receptive field spans the axis: " in warning.message


@pytest.mark.parametrize("seed", range(40))
def test_windows_of_any_reach_see_what_their_taps_do(seed: int) -> None:
    """Also kernels wider than the axis, of which some taps see padding alone."""
    draw = np.random.default_rng(seed)
    count, size, stride, dilation = (int(n) for n in draw.integers(1, [9, 9, 4, 4]))
    taps = int(draw.integers(2, 14))
    span = (taps - 1) * dilation + 1
    ahead = int(draw.integers(0, span))
    cover = SeenPositions(0, count, _ones(count, count + 1), count)
    found = _slid(cover, Window(span, stride=stride, ahead=ahead, dilation=dilation), size).sets
    for position in range(size):
        newest = stride * position + ahead
        seen = {newest - dilation * tap for tap in range(taps)} & set(range(count))
        assert found[position] == sum(1 << at for at in seen)
