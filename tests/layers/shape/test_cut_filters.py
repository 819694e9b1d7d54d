"""Heads of several boxes: the filters of each place are cut, and every box keeps its place and its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnspec.api import load

HEIGHT, WIDTH, BOXES = 3, 5, 2


def test_each_box_is_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"nnspec: 1\ninputs: {{image: {{axes: {{height: {HEIGHT}, width: {WIDTH}, channel: 7}}}}}}\n"
        f"model:\n  - Conv2D: {{filters: {4 * BOXES}, kernel_size: 1, name: head}}\n  - Reshape: [-1, 4]\n"
        "outputs: {head: {task: regression, from: head}, boxes: {task: regression}}\n",
        encoding="utf-8",
    )
    made = (
        load(path)
        .compile()
        .predict_on_batch(np.random.default_rng(0).normal(size=(2, HEIGHT, WIDTH, 7)).astype(np.float32))
    )
    boxes = np.asarray(made["boxes"])
    assert boxes.shape == (2, HEIGHT * WIDTH * BOXES, 4)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            for box in range(BOXES):
                there = (row * WIDTH + column) * BOXES + box
                expected = np.asarray(made["head"])[:, row, column, 4 * box : 4 * box + 4]
                np.testing.assert_array_equal(boxes[:, there], expected)
