"""Scaling, padding, relative targets, classes: each against plain NumPy, and through JSON and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from nnspec.data.prepare.transforms import InputTransform, OutputTransform, Relative, Scaling

X = (np.arange(2 * 3 * 5 * 7) ** 1.3).reshape(2, 3, 5, 7).astype(np.float32)


def through_json(thing: Any) -> Any:
    return type(thing).from_json(json.loads(json.dumps(thing.to_json())))


@pytest.mark.parametrize("along", [(), (0,), (2,), (0, 2), (0, 1, 2)])
def test_standard(along: tuple[int, ...]) -> None:
    scaling = Scaling.fit(X, "standard", along)
    assert scaling.offset.shape == tuple(size if i in along else 1 for i, size in enumerate((3, 5, 7)))
    pooled = tuple(i for i in range(4) if i - 1 not in along)
    scaled = scaling.apply(X)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(pooled), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(pooled), 1, atol=1e-5)
    np.testing.assert_allclose(scaling.invert(scaled), X, rtol=1e-4, atol=1e-2)


def test_minmax_and_json() -> None:
    scaling = Scaling.fit(X, "minmax", (2,))
    scaled = scaling.apply(X)
    np.testing.assert_allclose(scaled.min((0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.max((0, 1, 2)), 1, atol=1e-6)
    again = through_json(scaling)
    np.testing.assert_array_equal(again.apply(X), scaled)
    assert again.offset.shape == (1, 1, 7)


@pytest.mark.parametrize("value", [0.0, 0.1, 1013.2, -7e6])
@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_a_constant_column_is_divided_by_one(value: float, method: str) -> None:
    x = np.stack([np.full(11, value), np.arange(11.0)], axis=1)
    scaling = Scaling.fit(x, method, (0,))
    assert scaling.divisor[0] == 1
    assert scaling.divisor[1] != 1
    np.testing.assert_allclose(scaling.apply(x)[:, 0], 0, atol=1e-6)


def test_small_numbers_are_not_constant() -> None:
    x = np.arange(11.0)[:, None] * 1e-9
    np.testing.assert_allclose(Scaling.fit(x, "standard", (0,)).apply(x).std(), 1, rtol=1e-5)


def test_unknown_method() -> None:
    with pytest.raises(ValueError, match="quantile"):
        Scaling.fit(X, "quantile", ())


def test_padding_stays_padding() -> None:
    raw = np.arange(1.0, 25.0, dtype=np.float32).reshape(2, 4, 3)
    raw[0, 2:] = -9
    raw[1, 1, 0] = -9  # one value of a step does not make the step padding
    scaling = Scaling(np.float32([[1, 2, 3]]), np.float32([[2, 4, 8]]))
    x = InputTransform(scaling, -9.0, 1).apply(raw)
    assert (x[0, 2:] == -9).all()
    np.testing.assert_allclose(x[1, 1], (raw[1, 1] - [1, 2, 3]) / [2, 4, 8])
    turned = InputTransform(Scaling(scaling.offset.T, scaling.divisor.T), -9.0, 2).apply(raw.transpose(0, 2, 1))
    np.testing.assert_array_equal(turned, x.transpose(0, 2, 1))


def test_inputs_without_scaling() -> None:
    assert InputTransform().apply(np.arange(6, dtype=np.int32)).dtype == np.int32
    assert InputTransform().apply(np.arange(6.0)).dtype == np.float32


def test_input_transform_through_json() -> None:
    one = InputTransform(Scaling.fit(X, "standard", (1,)), 0.0, 2)
    two = through_json(one)
    assert (two.pad_value, two.step) == (0.0, 2)
    np.testing.assert_array_equal(two.apply(X), one.apply(X))
    assert through_json(InputTransform()) == InputTransform()


RAW = {"w": np.arange(2 * 5 * 3, dtype=np.float32).reshape(2, 5, 3)}  # batch time feature


def test_relative_to_last() -> None:
    relative = Relative(input="w", columns=(2, 0), axis="time", step=1, feature=2, shape=(2, 1))
    np.testing.assert_array_equal(relative.last(RAW["w"]), [[[14], [12]], [[29], [27]]])
    turned = Relative(input="w", columns=(2, 0), axis="time", step=2, feature=1, shape=(2, 1))
    np.testing.assert_array_equal(turned.last(RAW["w"].transpose(0, 2, 1)), relative.last(RAW["w"]))
    single = Relative(input="w", columns=(0,), axis="time", step=1, feature=None, shape=(1,))
    np.testing.assert_array_equal(single.last(RAW["w"][..., 1]), [[13], [28]])
    assert through_json(relative) == relative


def test_outputs_there_and_back() -> None:
    target = np.float32([[[3, 5, 7], [11, 13, 17]], [[19, 23, 29], [31, 37, 41]]])  # batch column step
    relative = Relative(input="w", columns=(2, 0), axis="time", step=1, feature=2, shape=(2, 1))
    change = target - relative.last(RAW["w"])
    output = OutputTransform(Scaling.fit(change, "standard", (0,)), relative)
    learned = output.encode(target, RAW)
    np.testing.assert_allclose(learned.mean((0, 2)), 0, atol=1e-6)
    for transform in (output, through_json(output)):
        np.testing.assert_allclose(transform.restore(learned, RAW), target, rtol=1e-5)


def test_labels_and_edges() -> None:
    labels = OutputTransform(classes=["a", "b", "c"])
    assert labels.restore(np.array([2, 0]), {}).tolist() == ["c", "a"]
    scores = np.float32([[0.2, 0.5, 0.3]])
    np.testing.assert_array_equal(labels.restore(scores, {}), scores)
    cut = through_json(OutputTransform(classes=[0, 1, 2], edges=[[1.0, 2.0], [10.0, 20.0]]))
    assert cut.cut(np.array([[0.5, 5], [1, 10], [1.5, 15], [2.5, 25]])).tolist() == [[0, 0], [0, 0], [1, 1], [2, 2]]
    with pytest.raises(ValueError, match="edges"):
        labels.cut(np.array([1.0]))
