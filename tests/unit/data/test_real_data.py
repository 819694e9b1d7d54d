"""The data of the specs, as they are loaded. Expected values are worked out by hand or by plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.training.baselines import score_baselines
from tests.support.data_files import run
from tests.support.paths import DATA
from tests.unit.data.section.test_plan import slot


def test_weather() -> None:
    text = """
source: {csv: data/jfk_weather_2013.csv}
order_by: time_hour
missing: forward_fill
split: {train: 0.7, validation: 0.15, test: 0.15}
window: {lookback: 10, horizon: 6}
inputs: {window: {columns: [temp, dewp, pressure, hour_sin, hour_cos], scale: standard}}
outputs: {forecast: {columns: [temp], relative_to: last, scale: standard}}
"""
    inputs, head = [slot("window", ("time", 10), ("feature", 5))], slot("forecast", ("target", 1), task="regression")
    data = run(text, DATA.parent, inputs, [head])
    assert data.splits["train"].size == int(8706 * 0.7) - 16 + 1
    table = np.genfromtxt(DATA / "jfk_weather_2013.csv", delimiter=",", names=True, usecols=("temp", "pressure"))
    test = data.splits["test"]
    np.testing.assert_allclose(test.target["forecast"][:, 0], table["temp"][test.rows + 6], rtol=1e-6)
    found = score_baselines(data, "test", {"forecast": head})["forecast"]
    assert found["name"] == "persistence"
    error = table["temp"][test.rows + 6] - table["temp"][test.rows]
    assert found["rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
    assert found["rmse"] == pytest.approx(5.46, abs=0.1)  # measured before, independently
    restored = data.outputs["forecast"].restore(test.y["forecast"], test.raw)
    np.testing.assert_allclose(restored, test.target["forecast"], atol=1e-3)


def test_temperature_changes_as_classes() -> None:
    text = """
split: {train: 0.7, validation: 0.15, test: 0.15, by: order, gap: 48}
inputs: {x: {npy: data/temperature_change_x.npy, axes: [feature, sample], scale: standard}}
outputs: {y: {npy: data/temperature_change_y.npy, axes: [output, sample], classes: {quantiles: 7}}}
"""
    head = slot("y", ("output", 16), ("class", 7), task="classification", class_axis="class")
    data = run(text, DATA.parent, [slot("x", ("feature", 32))], [head])
    train = data.splits["train"]
    raw = np.load(DATA / "temperature_change_x.npy")
    np.testing.assert_array_equal(train.raw["x"][17], raw[:, 17])
    assert train.y["y"].shape == (train.size, 16)
    assert set(np.unique(train.y["y"])) == set(range(7))
    found = score_baselines(data, "test", {"y": head})["y"]
    assert found["name"] == "majority"
    assert found["accuracy"] == pytest.approx(0.173, abs=0.005)  # 0.170 was measured before, with another gap


def test_digits() -> None:
    text = """
source: {npz: data/mnist_5000.npz}
split: {train: 0.8, test: 0.2, seed: 1}
inputs: {image: {array: images, scale: minmax}}
outputs: {digit: {array: digits}}
"""
    head = slot("digit", ("digit", 10), task="classification", class_axis="digit")
    data = run(text, DATA.parent, [slot("image", ("height", 28), ("width", 28), ("channel", 1))], [head])
    train = data.splits["train"]
    assert train.x["image"].shape == (4000, 28, 28, 1)
    assert (train.x["image"].min(), train.x["image"].max()) == (0.0, 1.0)
    assert data.outputs["digit"].classes == list(range(10))
    archive = np.load(DATA / "mnist_5000.npz")
    np.testing.assert_array_equal(train.raw["image"][..., 0], archive["images"][train.rows])
    np.testing.assert_array_equal(train.y["digit"], archive["digits"][train.rows])


def test_vowels() -> None:
    text = """
source: {npz: data/japanese_vowels.npz}
split: {train: train, validation: 0.2, test: test, by: {array: split}}
inputs: {x: {array: cepstra, axes: [cepstrum, time], lengths: lengths, scale: standard}}
outputs: {speaker: {columns: [speaker]}}
"""
    head = slot("speaker", ("class", 9), task="classification", class_axis="class")
    data = run(text, DATA.parent, [slot("x", ("time", "T"), ("cepstrum", 12))], [head])
    assert {name: split.size for name, split in data.splits.items()} == {"train": 216, "validation": 54, "test": 370}
    assert np.bincount(data.splits["validation"].y["speaker"]).tolist() == [6] * 9
    archive = np.load(DATA / "japanese_vowels.npz")
    starts = np.concatenate([[0], np.cumsum(archive["lengths"])])
    test = data.splits["test"]
    for sample in (0, 123, 369):
        row = int(test.rows[sample])
        length = int(archive["lengths"][row])
        np.testing.assert_array_equal(
            test.raw["x"][sample, :length], archive["cepstra"][:, starts[row] :][:, :length].T
        )
        assert (test.x["x"][sample, length:] == 0).all()
        assert (test.x["x"][sample, :length] != 0).all()
    scaled = data.splits["train"].x["x"]
    real = scaled[(data.splits["train"].raw["x"] != 0).any(axis=2)]
    np.testing.assert_allclose(real.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(real.std(0), 1, atol=1e-4)


def test_speech_by_clip() -> None:
    text = """
source: {npz: data/speech_frames.npz}
split: {train: 0.7, validation: 0.15, test: 0.15, by: random, group: clip}
inputs: {audio: {array: audio, scale: standard}}
outputs: {mfcc: {array: mfcc, scale: standard}}
"""
    data = run(text, DATA.parent, [slot("audio", ("time", 400))], [slot("mfcc", ("mfcc", 13), task="regression")])
    clip = np.load(DATA / "speech_frames.npz")["clip"]
    clips = {name: set(clip[split.rows].tolist()) for name, split in data.splits.items()}
    assert set.union(*clips.values()) == set(clip.tolist())
    assert sum(len(found) for found in clips.values()) == len(set(clip.tolist()))
    np.testing.assert_allclose(data.splits["train"].y["mfcc"].std(0), 1, atol=1e-3)


def test_airline_passengers_by_month() -> None:
    text = """
source: {csv: data/airline_passengers.csv}
order_by: month
split: {train: 0.67, test: 0.33, gap: 0}
window: {lookback: 3, horizon: 1}
inputs: {past: {columns: [passengers], scale: minmax}}
outputs: {next: {columns: [passengers], scale: minmax}}
"""
    head = slot("next", ("unit", 1), task="regression")
    data = run(text, DATA.parent, [slot("past", ("time", 3), ("feature", 1))], [head])
    assert data.splits["train"].raw["past"][0, :, 0].tolist() == [112.0, 118.0, 132.0]
    assert data.splits["train"].target["next"][0].tolist() == [129.0]
    assert score_baselines(data, "test", {"next": head})["next"]["name"] == "persistence"
