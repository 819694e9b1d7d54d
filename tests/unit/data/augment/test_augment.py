"""Pictures and their masks are changed alike, as Keras changes a picture; the rest of a training is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import api
from nnspec.backends.base import Order
from nnspec.backends.keras.tensorflow.backend import TENSORFLOW
from nnspec.data.augment.draw import draw
from nnspec.data.augment.resample import resample
from nnspec.jobs.dataset import load_dataset
from nnspec.pipeline import diagnose
from nnspec.training.augmenting import augment_samples
from nnspec.training.targets import as_samples
from tests.support.eager_backend import EagerBackend

SPEC = """nnspec: 1
data:
  source: {npz: a.npz}
  split: {train: 0.75, test: 0.25, by: order}
  augment: AUGMENT
  inputs: {photo: {array: photo}, age: {array: age}}
  outputs: {mask: {array: mask}, kind: {array: kind}}
inputs: {photo: {axes: {height: 9, width: 12, channel: 3}}, age: {axes: {feature: 1}}}
model:
  - Conv2D: {name: mask, from: photo, filters: 3, kernel_size: 3, padding: same, activation: softmax}
  - GlobalAveragePooling2D: {from: photo, name: mean}
  - Concatenate: [mean, age]
  - Dense: {name: kind, units: 2, activation: softmax}
outputs: {mask: {from: mask, task: classification}, kind: {from: kind, task: classification}}
"""
ALL = "[RandomFlip, {RandomRotation: 0.2}, {RandomZoom: 0.3}, {RandomCrop: {height: 6, width: 9}}]"
# A picture as large as an odd number of pixels and one of an even number: centres are at pixels and between them.
SIZES = [(7, 10), (8, 11)]


def written(folder: Path, augment: str, **extra: Any) -> Path:
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, (40, 9, 12))
    shades = np.stack([mask * 10 + 5] * 3, axis=-1).astype(np.float32)  # says which class a pixel has
    arrays = {"photo": shades, "mask": mask, "age": np.arange(40.0)[:, None], "kind": np.arange(40) % 2, **extra}
    np.savez(folder / "a.npz", **arrays)
    path = folder / "a.yaml"
    path.write_text(SPEC.replace("AUGMENT", augment), encoding="utf-8")
    return path


def batches(path: Path, epoch: int, *, backend: Any = TENSORFLOW) -> list[tuple[Any, Any]]:
    checked = api.load(path).checked
    dataset = load_dataset(checked)
    samples = as_samples(checked.graph, dataset.splits["train"])
    order = Order(8, 7)
    found = backend.batches(augment_samples(checked.graph, samples, dataset.augmentation, 7), order, epoch)
    return [(dict(batch[0]), dict(batch[1])) for batch in found]


@pytest.mark.parametrize("backend", [TENSORFLOW, EagerBackend()], ids=lambda backend: backend.name)
def test_a_mask_goes_through_what_its_picture_does(backend: Any, tmp_path: Path) -> None:
    augment = ALL.replace("0.2", "{factor: 0.2, interpolation: nearest}").replace(
        "RandomZoom: 0.3", "RandomZoom: {height_factor: 0.3, interpolation: nearest}"
    )
    path = written(tmp_path, augment.replace("width: 9", "width: 9, interpolation: nearest"))
    plain = np.load(tmp_path / "a.npz")
    seen = 0
    for inputs, targets in batches(path, 0, backend=backend):
        photo, mask = np.asarray(inputs["photo"]), np.asarray(targets["mask"])
        np.testing.assert_array_equal(photo, np.stack([mask * 10 + 5] * 3, axis=-1))
        sample = np.asarray(inputs["age"])[:, 0].astype(int)
        np.testing.assert_array_equal(targets["kind"], sample % 2)
        assert (photo != plain["photo"][sample]).any(axis=(1, 2, 3)).mean() > 0.9
        seen += len(sample)
    assert seen == 30


def test_a_change_depends_on_seed_epoch_and_sample_alone(tmp_path: Path) -> None:
    path = written(tmp_path, ALL)

    def pictures(epoch: int, backend: Any) -> np.ndarray:
        found = batches(path, epoch, backend=backend)
        order = np.concatenate([np.asarray(inputs["age"])[:, 0] for inputs, _ in found]).argsort()
        return np.concatenate([np.asarray(inputs["photo"]) for inputs, _ in found])[order]

    first = pictures(0, TENSORFLOW)
    np.testing.assert_array_equal(first, pictures(0, EagerBackend()))
    assert (first != pictures(1, EagerBackend())).any(axis=(1, 2, 3)).mean() > 0.9
    assert len({picture.tobytes() for picture in first}) == 30


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize("is_nearest", [False, True])
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("RandomRotation", {"factor": [0.13, 0.13]}),
        ("RandomTranslation", {"height_factor": [0.22, 0.22], "width_factor": [-0.31, -0.31]}),
        ("RandomZoom", {"height_factor": [0.3, 0.3], "width_factor": [-0.2, -0.2]}),
    ],
)
def test_pixels_are_keras_pixels(kind: str, arguments: dict[str, Any], is_nearest: bool, fill_mode: str) -> None:
    import keras

    interpolation = "nearest" if is_nearest else "bilinear"
    for size in SIZES:
        pictures = np.random.default_rng(1).random((2, *size, 3), np.float32)
        layer = getattr(keras.layers, kind)(
            **arguments, fill_mode=fill_mode, fill_value=0.5, interpolation=interpolation
        )
        wanted = np.asarray(layer(pictures, training=True))
        matrix = draw(kind, arguments, size, np.random.default_rng(0))
        got = resample(pictures, np.stack([matrix, matrix]), is_nearest=is_nearest, fill_mode=fill_mode, fill_value=0.5)
        np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_flips_and_crops_are_slices() -> None:
    picture = np.arange(4 * 6 * 2, dtype=np.float32).reshape(1, 4, 6, 2)
    seen = set()
    for seed in range(30):
        matrix = draw("RandomFlip", {"mode": "horizontal"}, (4, 6), np.random.default_rng(seed))
        got = resample(picture, matrix[None], is_nearest=False, fill_mode="nearest", fill_value=0)
        is_flipped = not np.array_equal(got, picture)
        np.testing.assert_array_equal(got, picture[:, :, ::-1] if is_flipped else picture)
        seen.add(is_flipped)
        matrix = draw("RandomCrop", {"height": 2, "width": 3}, (4, 6), np.random.default_rng(seed))
        got = resample(picture, matrix[None], is_nearest=True, fill_mode="nearest", fill_value=0)[0]
        pieces = [picture[0, y : y + 2, x : x + 3] for y in range(3) for x in range(4)]
        assert any(np.array_equal(got, piece.repeat(2, 0).repeat(2, 1)) for piece in pieces)
    assert seen == {False, True}


def test_what_wraps_goes_round() -> None:
    picture = np.arange(5 * 7, dtype=np.float32).reshape(1, 5, 7, 1)
    matrix = draw(
        "RandomTranslation",
        {"height_factor": [0.4] * 2, "width_factor": [-3 / 7] * 2},
        (5, 7),
        np.random.default_rng(0),
    )
    got = resample(picture, matrix[None], is_nearest=False, fill_mode="wrap", fill_value=0)
    np.testing.assert_allclose(got, np.roll(picture, (2, -3), (1, 2)), atol=1e-4)


def test_pixels_from_beyond_do_not_count_where_some_need_not(tmp_path: Path) -> None:
    path = written(tmp_path, "[{RandomTranslation: {height_factor: [0.5, 0.5], width_factor: 0, fill_mode: constant}}]")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("mask: {array: mask}", "mask: {array: mask, ignore: 2}").replace("filters: 3", "filters: 2"),
        encoding="utf-8",
    )
    checked = api.load(path).checked
    dataset = load_dataset(checked)
    samples = augment_samples(
        checked.graph, as_samples(checked.graph, dataset.splits["train"]), dataset.augmentation, 7
    )
    assert samples.change is not None
    _, targets, weights = samples.change((samples.inputs, samples.targets, samples.weights), np.arange(30), 0)  # type: ignore[arg-type]
    assert (targets["mask"][:, :4] == -1).all()
    np.testing.assert_array_equal(targets["mask"][:, 4:], samples.targets["mask"][:, :5])  # half a pixel is rounded up
    assert (weights["mask"][:, :4] == 0).all()  # type: ignore[index]


def codes(path: Path) -> list[str]:
    return [found.code for found in diagnose(path) if found.is_error]


def test_what_does_not_lie_on_the_picture_is_an_error(tmp_path: Path) -> None:
    assert codes(written(tmp_path, ALL)) == []
    assert codes(written(tmp_path, "[{RandomCrop: {height: 10, width: 9}}]")) == ["NN543"]
    path = written(tmp_path, ALL, mask=np.zeros((40, 5, 6), int))
    text = path.read_text(encoding="utf-8")
    smaller = text.replace("{name: mask, from: photo, ", "{name: mask, from: photo, strides: 2, ")
    path.write_text(smaller, encoding="utf-8")
    assert codes(path) == ["NN543"]
    path.write_text(text.replace("height: 9, width: 12", "time: 9, mel: 12"), encoding="utf-8")
    assert "NN543" in codes(path)


def test_a_model_that_is_deployed_has_none(tmp_path: Path) -> None:
    """Evaluation sees the pictures as they are."""
    dataset = load_dataset(api.load(written(tmp_path, ALL)).checked)
    plain = np.load(tmp_path / "a.npz")
    for split in dataset.splits.values():
        np.testing.assert_array_equal(split.x["photo"], plain["photo"][split.rows])
        np.testing.assert_array_equal(split.y["mask"], plain["mask"][split.rows])
