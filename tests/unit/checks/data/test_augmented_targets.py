"""Augmentations that move pixels are refused where each pixel has a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.layers.image.augment_geometry import LAYERS
from nnspec.pipeline import diagnose

SPEC = """nnspec: 1
data:
  source: {npz: a.npz}
  split: {train: 0.5, test: 0.5}
  inputs: {photo: {array: photo}}
  outputs: {mask: {array: mask}, kind: {array: kind}}
inputs: {photo: {axes: {height: 4, width: 6, channel: 3}}}
model:
  - BEFORE
  - Conv2D: {name: seen, filters: 2, kernel_size: 3, padding: same}
  - AFTER
  - Softmax: {name: mask}
  - GlobalAveragePooling2D: {from: seen}
  - Dense: {name: kind, units: 2, activation: softmax}
outputs: {mask: {from: mask, task: classification}, kind: {from: kind, task: classification}}
"""


def codes(folder: Path, before: str, after: str = "Identity") -> list[str]:
    rng = np.random.default_rng(0)
    photo, mask = rng.random((8, 4, 6, 3), np.float32), rng.integers(0, 2, (8, 4, 6))
    np.savez(folder / "a.npz", photo=photo, mask=mask, kind=np.arange(8) % 2)
    (folder / "a.yaml").write_text(SPEC.replace("BEFORE", before).replace("AFTER", after), encoding="utf-8")
    return [d.code for d in diagnose(folder / "a.yaml") if d.is_error]


@pytest.mark.parametrize(
    "layer",
    [
        "RandomFlip",
        "RandomRotation: 0.1",
        "RandomZoom: 0.2",
        "RandAugment",
        "AugMix",
        "RandomTranslation: {height_factor: 0.1, width_factor: 0.1}",
    ],
)
def test_what_moves_pixels_is_refused(layer: str, tmp_path: Path) -> None:
    assert codes(tmp_path, layer) == ["NN559"]


@pytest.mark.parametrize("layer", ["RandomBrightness: 0.2", "RandomErasing", "GaussianNoise: 0.1", "Identity"])
def test_what_moves_nothing_is_right(layer: str, tmp_path: Path) -> None:
    assert codes(tmp_path, layer) == []


def test_behind_the_mask_it_does_no_harm(tmp_path: Path) -> None:
    spec = SPEC.replace("{from: seen}", "{from: flipped}").replace(
        "  - GlobalAveragePooling2D", "  - RandomFlip: {name: flipped, from: seen}\n  - GlobalAveragePooling2D"
    )
    codes(tmp_path, "Identity")
    (tmp_path / "a.yaml").write_text(spec.replace("BEFORE", "Identity").replace("AFTER", "Identity"), encoding="utf-8")
    assert [d.code for d in diagnose(tmp_path / "a.yaml") if d.is_error] == []


def test_every_layer_of_the_family_says_so() -> None:
    assert len(LAYERS) >= 7
    assert all(layer.moves_pixels for layer in LAYERS)
