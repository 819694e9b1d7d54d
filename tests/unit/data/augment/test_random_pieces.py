"""Training takes a random piece of a clip, everything else its middle or the whole."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from nnspec.backends.base import Order
from nnspec.backends.keras.tensorflow.backend import TENSORFLOW
from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import SpecError
from nnspec.pipeline import check
from nnspec.training.augmenting import augment_samples
from nnspec.training.targets import as_samples
from tests.unit.data.section.test_plan import plan_of, slot

KIND = slot("kind", ("class", 2), task="classification", class_axis="class")
TEXT = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {clip: {audio: clips, fit: random_crop}}
outputs: {kind: {folder_of: clip, classes: [no, yes]}}
"""
LENGTHS = [40, 90, 300, 120]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Clips whose samples say where they are: 1, 2, 3, … of 32768."""
    for label in ("no", "yes"):
        for number, length in enumerate(LENGTHS):
            path = tmp_path / "clips" / label / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(np.arange(1, length + 1, dtype="<i2").tobytes())
    return tmp_path


def loaded(text: str, root: Path, model: Slot) -> Dataset:
    plan = plan_of(text, root)
    assert not [found for found in probe(plan, {"clip": model}, {"kind": KIND}) if found.is_error]
    return load(plan, {"clip": model}, {"kind": KIND})


def places(values: np.ndarray) -> np.ndarray:
    return np.rint(values * 32768).astype(int)


def pieces(data: Dataset, seed: int, epoch: int) -> np.ndarray:
    assert data.augmentation is not None
    train = data.splits["train"]
    inputs, targets, _ = data.augmentation.apply(train.x, train.y, None, np.arange(train.size), seed, epoch)
    np.testing.assert_array_equal(targets["kind"], train.y["kind"])
    return places(inputs["clip"])


def test_pieces_of_a_fixed_size(clips: Path) -> None:
    data = loaded(TEXT, clips, slot("clip", ("sample", 80)))
    train = data.splits["train"]
    middles = places(train.x["clip"])
    for row, length in zip(middles, LENGTHS, strict=True):
        spare = (length - 80) // 2
        wanted = np.pad(np.arange(1, length + 1), (0, max(0, 80 - length)))
        np.testing.assert_array_equal(row, wanted[spare : spare + 80] if spare > 0 else wanted[:80])
    seen = [pieces(data, 7, epoch) for epoch in range(40)]
    for number, length in enumerate(LENGTHS):
        rows = np.stack([found[number] for found in seen])
        if length <= 80:
            assert (rows == middles[number]).all()
            continue
        starts = rows[:, 0]
        np.testing.assert_array_equal(rows, starts[:, None] + np.arange(80))
        assert starts.min() >= 1
        assert starts.max() <= length - 79
        assert len(set(starts)) > min(6, (length - 80) // 2)
    np.testing.assert_array_equal(seen[3], pieces(loaded(TEXT, clips, slot("clip", ("sample", 80))), 7, 3))
    assert (seen[3] != pieces(data, 8, 3)).any()


def test_whole_clips_are_tested_on(clips: Path) -> None:
    text = TEXT.replace("fit: random_crop", "fit: random_crop, crop: 50, pad_value: 0, scale: standard")
    data = loaded(text, clips, slot("clip", ("sample", None)))
    assert data.augmentation is not None
    assert data.splits["test"].x["clip"].shape == (4, 300)
    train = data.splits["train"]
    inputs, _, _ = data.augmentation.apply(train.x, train.y, None, np.arange(4), 7, 0)
    assert inputs["clip"].shape == (4, 50)
    assert (inputs["clip"][0, 40:] == 0).all()  # padding is not scaled
    scaling = data.inputs["clip"].scaling
    assert scaling is not None
    back = places(inputs["clip"] * np.ravel(scaling.divisor) + np.ravel(scaling.offset))
    np.testing.assert_array_equal(back[0, :40], np.arange(1, 41))
    np.testing.assert_array_equal(back[2], back[2, 0] + np.arange(50))


def test_a_network_is_fed_with_pieces(clips: Path) -> None:
    (clips / "a.yaml").write_text(
        "nnspec: 1\ninputs: {clip: {axes: {sample: null}}}\n"
        "model: [{insert: {channel: 1}}, GlobalMaxPooling1D, {Dense: 2}, Softmax]\n"
        "outputs: {kind: {task: classification}}\ndata:"
        + TEXT.replace("\n", "\n  ").replace("fit: random_crop", "fit: random_crop, crop: 50"),
        encoding="utf-8",
    )
    checked = check(clips / "a.yaml")
    assert checked.data is not None
    data = loaded(TEXT.replace("fit: random_crop", "fit: random_crop, crop: 50"), clips, slot("clip", ("sample", None)))
    samples = augment_samples(checked.graph, as_samples(checked.graph, data.splits["train"]), data.augmentation, 7)
    (batch,) = TENSORFLOW.batches(samples, Order(4, 7, is_shuffled=False), 3)
    np.testing.assert_array_equal(places(np.asarray(batch[0])), pieces(data, 7, 3))


@pytest.mark.parametrize(
    ("options", "size", "code", "words"),
    [
        ("fit: random_crop", None, "NN561", "crop: 8000"),
        ("fit: random_crop, crop: 9", 80, "NN561", "leave `crop` out"),
        ("fit: crop, crop: 9", 80, "NN208", "`fit: random_crop`"),
    ],
)
def test_what_cannot_be_cut_is_an_error(clips: Path, options: str, size: int | None, code: str, words: str) -> None:
    try:
        plan = plan_of(TEXT.replace("fit: random_crop", options), clips)
        found = [d for d in probe(plan, {"clip": slot("clip", ("sample", size))}, {"kind": KIND}) if d.is_error]
    except SpecError as error:
        found = error.diagnostics
    assert [(d.code, words in d.message) for d in found] == [(code, True)]
