"""Resizing: what needs known sizes or a newer operator set, and RandomCrop at work."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec.backends.keras.model import build_model
from nnspec.backends.onnx.export import export_graph
from nnspec.backends.resampling import matrix, nearest_indices, window
from nnspec.diagnostics import SpecError
from tests.layers.image.cases_resizing import IMAGE, OPEN, size
from tests.support.layer_cases import Case, checked


def graph_of(kind: str, body: Any, axes: dict[str, int | str], folder: Path) -> Any:
    return checked(Case(kind, body, [axes], {}, None, None), folder).graph


@pytest.mark.parametrize(
    ("kind", "body", "axes", "code", "words"),
    [
        ("Resizing", size(5, 4, antialias=True), OPEN, "NN313", "needs to know how long `height` is"),
        ("Resizing", size(5, 4, interpolation="bicubic"), OPEN, "NN313", "needs to know how long `height` is"),
        ("CenterCrop", size(5, 4), OPEN, "NN313", "needs to know how long `height` is"),
        (
            "Resizing",
            size(5, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            IMAGE,
            "NN208",
            "either `crop_to_aspect_ratio` or `pad_to_aspect_ratio`",
        ),
        ("Resizing", size(0, 4), IMAGE, "NN206", "at least 1"),
        ("Resizing", size(4, 5, data_format="channels_first"), IMAGE, "NN308", "which has no order"),
        ("Resizing", {"height": 4}, IMAGE, "NN203", "requires `width`"),
    ],
)
def test_refused(kind: str, body: Any, axes: Any, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        graph_of(kind, body, axes, tmp_path)
    assert code in {d.code for d in caught.value.diagnostics}
    assert words in caught.value.diagnostics[0].message


@pytest.mark.parametrize("new", [1, 2, 3, 9, 10, 29, 31, 57, 97, 224])
@pytest.mark.parametrize("old", [1, 3, 7, 49, 93, 161])
def test_the_scale_makes_the_size(old: int, new: int, tmp_path: Path) -> None:
    graph = graph_of("Resizing", size(new, 4), {"height": old, "width": 7, "channel": 1}, tmp_path)
    model = export_graph(graph, {}, opset=17).builder.to_model({}, "test")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [d.dim_value for d in inferred.graph.output[0].type.tensor_type.shape.dim][1:] == [new, 4, 1]
    assert session.run(None, {"x0": np.ones((2, old, 7, 1), np.float32)})[0].shape == (2, new, 4, 1)


def test_random_crop_takes_other_parts_in_training(tmp_path: Path) -> None:
    model = build_model(graph_of("RandomCrop", size(5, 6), IMAGE, tmp_path)).model
    images = np.arange(2 * 7 * 11 * 3, dtype=np.float32).reshape(2, 7, 11, 3)
    parts = [np.asarray(model(images, training=True)) for _ in range(8)]
    corners = {tuple(np.argwhere(images[0, :, :, 0] == p[0, 0, 0, 0])[0]) for p in parts}
    for row, column in corners:
        assert any(np.array_equal(p, images[:, row : row + 5, column : column + 6]) for p in parts)
    assert len(corners) > 1


@pytest.mark.parametrize("how", ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("old", "new"), [(1, 5), (5, 1), (9, 6), (6, 9), (31, 64), (64, 31), (7, 14), (14, 7)])
def test_a_position_sees_what_has_weight(how: str, antialias: bool, old: int, new: int) -> None:
    chosen = np.eye(old)[nearest_indices(old, new)]
    weights = chosen if how == "nearest" else matrix(how, old, new, antialias=antialias)
    seen = window(how, old, new, antialias=antialias)
    assert seen.span is not None
    assert seen.ahead is not None
    for i, row in enumerate(weights):
        places = np.flatnonzero(row)
        last = math.floor(seen.stride * i + seen.ahead)
        first = math.ceil(seen.stride * i + seen.ahead - seen.span + 1)
        assert first <= places.min()
        assert places.max() <= last
    assert seen.span <= 2 + max(2, 10 * (max(old / new, 1) if antialias else 1) + 1, old / new)


@pytest.mark.parametrize("how", ["bilinear", "bicubic", "lanczos3", "lanczos5", "area"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("old", "new"), [(1, 5), (5, 1), (224, 97), (31, 64), (7, 7)])
def test_weights_are_a_mean(how: str, antialias: bool, old: int, new: int) -> None:
    weights = matrix(how, old, new, antialias=antialias)
    assert weights.shape == (new, old)
    assert np.isfinite(weights).all()
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
