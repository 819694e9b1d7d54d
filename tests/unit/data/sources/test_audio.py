"""Clips as a source: folders of labels, columns of paths, lengths, rates; what check lets pass loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_samples
from nnspec.runtime.rules.audio import AudioError, Clip, inspect
from tests.unit.data.section.test_plan import plan_of, slot

RNG = np.random.default_rng(2)
KIND = slot("kind", ("class", 2), task="classification", class_axis="class")
CLIP = slot("clip", ("sample", 1000))
FOLDER = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {clip: {audio: clips}}
outputs: {kind: {folder_of: clip}}
"""
TABLE = """
source: {csv: data/calls.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {clip: {audio: file}}
outputs: {kind: {columns: [kind]}}
"""
SUFFIXES = (".wav", ".flac", ".ogg")


def record(path: Path, samples: int = 700, rate: int = 8000, channels: int = 1) -> Path:
    """Random samples."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, RNG.uniform(-0.5, 0.5, (samples, channels)), rate)
    return path


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two labels, three clips each, of three kinds and lengths."""
    for label in ("no", "yes"):
        for number, suffix in enumerate(SUFFIXES):
            record(tmp_path / "clips" / label / f"{number}{suffix}", 700 + 100 * number)
    return tmp_path


def told(text: str, root: Path, model: Slot = CLIP, **options: Any) -> list[Diagnostic]:
    """What check says; where it says nothing, the data load."""
    try:
        plan = plan_of(text, root, **options)
    except SpecError as error:
        return error.diagnostics
    found = [d for d in probe(plan, {"clip": model}, {"kind": KIND}) if d.is_error]
    if not found:
        load(plan, {"clip": model}, {"kind": KIND})
    return found


def loaded(text: str, root: Path, model: Slot = CLIP) -> Dataset:
    return load(plan_of(text, root), {"clip": model}, {"kind": KIND})


def all_of(data: Dataset) -> np.ndarray:
    return np.concatenate([data.splits[name].raw["clip"] for name in ("train", "test")])


def metadata_of(text: str, root: Path, model: Slot) -> dict[str, Any]:
    """What a deployed model would say of its input."""
    from dataclasses import replace

    from nnspec.data.sources.wanted import Wanted

    given = plan_of(text, root).inputs["clip"]
    source = replace(given.source, wanted=Wanted(axes=model.axes, fill=given.pad_value or 0.0))
    axes = [["batch", None], *([name, size] for name, size in model.axes)]
    return {"inputs": {"clip": {"axes": axes, "dtype": model.dtype, **source.source.describe_reading(source)}}}


def test_clips_are_padded_and_subfolders_are_labels(clips: Path) -> None:
    data = loaded(FOLDER, clips)
    files = sorted((clips / "clips").rglob("*.*"))
    for values, file in zip(all_of(data), files, strict=True):
        expected, _ = soundfile.read(file, dtype="float32")
        np.testing.assert_array_equal(values[: len(expected)], expected)
        assert not values[len(expected) :].any()
    assert [label for split in data.splits.values() for label in split.target["kind"]] == ["no"] * 3 + ["yes"] * 3


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (CLIP, FOLDER),
        (slot("clip", ("sample", None)), FOLDER),
        (slot("clip", ("channel", 1), ("time", 900)), FOLDER),
        (slot("clip", ("sample", 500)), FOLDER.replace("clips}", "clips, fit: crop}")),
        (slot("clip", ("sample", 4000)), FOLDER.replace("clips}", "clips, rate: 16000}")),
        (slot("clip", ("sample", 500)), FOLDER.replace("clips}", "clips, rate: 4410}")),
        (slot("clip", ("sample", None)), FOLDER.replace("clips}", "clips, rate: 11025, pad_value: -1}")),
    ],
)
def test_a_deployed_model_reads_the_same(clips: Path, model: Slot, text: str) -> None:
    """From the folder, and from a table that names the files."""
    raw = all_of(loaded(text, clips, model))
    metadata = metadata_of(text, clips, model)
    np.testing.assert_array_equal(read_samples(clips / "clips", metadata).inputs["clip"], raw)
    first = sorted((clips / "clips").rglob("*.*"))[0]
    np.testing.assert_array_equal(read_samples(first, metadata).inputs["clip"][0], raw[0])
    files = [file.relative_to(clips).as_posix() for file in sorted((clips / "clips").rglob("*.*"))]
    (clips / "new.csv").write_text("clip\n" + "\n".join(files) + "\n")
    np.testing.assert_array_equal(read_samples(clips / "new.csv", metadata).inputs["clip"], raw)


def test_a_column_of_paths(clips: Path) -> None:
    found = sorted((clips / "clips").rglob("*.*"))
    files = [found[i] for i in (5, 0, 3, 2, 4, 1)]
    (clips / "data").mkdir()
    rows = [f"../{file.relative_to(clips).as_posix()},{file.parent.name}" for file in files]
    (clips / "data/calls.csv").write_text("file,kind\n" + "\n".join(rows) + "\n")
    data = loaded(TABLE, clips)
    np.testing.assert_array_equal(all_of(data)[0][:900], soundfile.read(files[0], dtype="float32")[0])


def test_rates_are_converted(tmp_path: Path) -> None:
    """As soxr does, to the length that the rates tell."""
    for number, rate in enumerate((8000, 16000, 44100, 8000)):
        record(tmp_path / "clips" / "ab"[number % 2] / f"{number}.wav", rate // 10, rate)
    (fault,) = told(FOLDER, tmp_path, slot("clip", ("sample", None)))
    assert (fault.code, "`rate: 8000` converts them" in fault.message) == ("NN561", True)
    raw = all_of(loaded(FOLDER.replace("clips}", "clips, rate: 16000}"), tmp_path, slot("clip", ("sample", None))))
    assert raw.shape == (4, 1600)
    samples, _ = soundfile.read(tmp_path / "clips/a/2.wav", dtype="float32")
    np.testing.assert_allclose(raw[1], soxr.resample(samples, 44100, 16000)[:1600], atol=1e-7)


def test_channels(tmp_path: Path) -> None:
    for number in range(4):
        record(tmp_path / "clips" / "ab"[number % 2] / f"{number}.flac", 600, channels=2)
    samples, _ = soundfile.read(tmp_path / "clips/a/0.flac", dtype="float32")
    np.testing.assert_allclose(all_of(loaded(FOLDER, tmp_path))[0][:600], samples.mean(axis=1), atol=1e-7)
    both = all_of(loaded(FOLDER, tmp_path, slot("clip", ("channel", 2), ("sample", 600))))
    np.testing.assert_array_equal(both[0], samples.T)
    record(tmp_path / "clips/a/0.flac", 600)
    (fault,) = told(FOLDER, tmp_path, slot("clip", ("channel", 2), ("sample", 600)))
    assert fault.code == "NN561"
    assert "it has 1 channel, but the input takes 2" in fault.message


@pytest.mark.parametrize(
    ("model", "text", "words"),
    [
        (slot("clip", ("sample", 800)), FOLDER, "`clips/no/2.ogg`: it has 900 samples, but the input takes 800"),
        (slot("clip", ("sample", 800)), FOLDER, "(2 such clips); the longest clip has 900: `fit: crop` cuts them"),
        (slot("clip", ("row", 10), ("sample", 80)), FOLDER, "has axes (row 10, sample 80)"),
        (slot("clip", ("sample", None)), FOLDER.replace("clips}", "clips, fit: crop}"), "nothing that `fit: crop`"),
    ],
)
def test_clips_that_do_not_fit(clips: Path, model: Slot, text: str, words: str) -> None:
    (fault,) = told(text, clips, model)
    assert (fault.code, words in fault.message) == ("NN561", True), fault.message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.wav", b"", "empty"),
        ("a.flac", b"fLaC\x00\x00\x00\x22", "damaged FLAC"),
        ("a.ogg", b"ID3\x03", "an MP3"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVE", "`clips/no/a.wav`"),
        ("a.mp3", b"ID3\x03", "not supported"),
    ],
)
def test_files_that_are_no_clips(clips: Path, name: str, content: bytes, words: str) -> None:
    (clips / "clips/no" / name).write_bytes(content)
    (fault,) = told(FOLDER, clips)
    assert (fault.code, words in fault.message) == ("NN555", True), fault.message


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_clips_are_told_by_check(clips: Path, suffix: str, share: float) -> None:
    file = record(clips / "clips/no" / f"cut{suffix}", 20_000)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    (fault,) = told(FOLDER.replace("clips}", "clips, fit: crop}"), clips)
    assert fault.code == "NN555"
    with pytest.raises(AudioError):
        inspect(file)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_headers(tmp_path: Path, subtype: str, channels: int) -> None:
    for suffix in SUFFIXES:
        file = tmp_path / f"a{suffix}"
        kind = "VORBIS" if suffix == ".ogg" else subtype
        soundfile.write(file, RNG.uniform(-1, 1, (12_345, channels)), 22_050, subtype=kind)
        assert inspect(file) == Clip(22_050, channels, 12_345)


def test_a_deployed_model_says_what_it_cannot_read(clips: Path) -> None:
    metadata = metadata_of(FOLDER, clips, CLIP)
    for samples, words in ((1200, "it has 1200 samples, but the input takes 1000"), (None, "an MP3")):
        file = record(clips / "new.wav", samples or 10)
        if samples is None:
            file.write_bytes(b"ID3")
        with pytest.raises(InputError, match=words):
            read_inputs(file, metadata)


def test_open_axes_take_longer_clips_than_training(clips: Path) -> None:
    model = slot("clip", ("sample", None))
    metadata = metadata_of(FOLDER, clips, model)
    record(clips / "more/a.wav", 1200)
    record(clips / "more/b.wav", 100)
    found = read_samples(clips / "more", metadata).inputs["clip"]
    assert found.shape == (2, 1200)
    assert not found[1, 100:].any()
    assert read_samples(clips / "more/b.wav", metadata).inputs["clip"].shape == (1, 900), "as the longest of training"


def test_padding_is_masked(clips: Path) -> None:
    """With `pad_value` the network's own padding is told apart from samples that are scaled."""
    text = FOLDER.replace("clips}", "clips, pad_value: 0, scale: standard}")
    data = loaded(text, clips, slot("clip", ("time", None), ("channel", 1)))
    x = data.splits["train"].x["clip"]
    assert not x[0, 700:].any()
    assert abs(float(x[0, :700].mean())) < 0.1
