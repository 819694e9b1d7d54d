"""Samples that are gathered are those that would be written out, whatever is done to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec import jobs, pipeline
from nnspec.checks.context import output_slots
from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered, each_chunk, weighted_chunks
from nnspec.data.arrays.summary import summarize
from nnspec.data.overview.describe import describe
from nnspec.data.overview.duplicates import find_duplicates
from nnspec.data.prepare.streamed_fit import fit_chunks
from nnspec.data.prepare.transforms import Scaling
from nnspec.data.samples import Dataset, Split
from tests.support.paths import SPECS

ROWS = np.arange(60.0).reshape(20, 3)


def test_windows_are_gathered_by_index() -> None:
    ends = np.array([9, 4, 19, 4])
    found = Gathered(ROWS, ends, steps=range(-4, 1), finish=lambda values: values[..., :2] * 10)
    wanted = np.stack([ROWS[end - 4 : end + 1, :2] * 10 for end in ends])
    assert (found.shape, found.dtype, len(found)) == (wanted.shape, wanted.dtype, 4)
    for index in (np.array([2, 0]), slice(1, 3), [3], found.at < 10):
        np.testing.assert_array_equal(found[index], wanted[index])
    np.testing.assert_array_equal(found[1], wanted[1])
    np.testing.assert_array_equal(np.asarray(found), wanted)
    np.testing.assert_array_equal(np.asarray(found.head(2)), wanted[:2])
    np.testing.assert_array_equal(np.asarray(found.step(-1)), wanted[:, -1:])
    with pytest.raises(TypeError, match="first axis alone"):
        found[..., 0]  # type: ignore[index]


def test_rows_count_as_often_as_samples_have_them() -> None:
    rng = np.random.default_rng(1)
    ends = rng.integers(6, 20, 50)
    rows = np.where(rng.random(ROWS.shape) < 0.2, np.nan, rng.normal(size=ROWS.shape))
    found = Gathered(rows, ends, steps=range(-6, 1))
    whole = np.asarray(found)
    summary = summarize(found)
    assert (summary.known, summary.missing) == ((~np.isnan(whole)).sum(), np.isnan(whole).sum())
    expected = [np.nanmean(whole), np.nanstd(whole), np.nanmin(whole), np.nanmax(whole)]
    np.testing.assert_allclose([summary.mean, summary.deviation, summary.low, summary.high], expected)
    assert sum(int(counts.sum()) for _, counts in weighted_chunks(found) if counts is not None) == whole[..., 0].size


@pytest.mark.parametrize("along", [(), (1,), (0, 1)])
@pytest.mark.parametrize("method", ["standard", "minmax", "robust"])
def test_statistics_in_chunks(method: str, along: tuple[int, ...]) -> None:
    values = np.random.default_rng(2).normal(3, 2, (101, 4, 3))
    values[::7, 1] = np.nan
    wanted = Scaling.fit(values, method, along)
    found = fit_chunks(lambda: iter(np.array_split(values, 7)), method, along)
    np.testing.assert_allclose(found.offset, wanted.offset, rtol=1e-6)
    np.testing.assert_allclose(found.divisor, wanted.divisor, rtol=1e-6)


def test_chunks_give_what_all_samples_give(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Gathered(ROWS, np.arange(5, 20), steps=range(-3, 1))
    monkeypatch.setattr("nnspec.data.arrays.gathered.CHUNK", 200)
    np.testing.assert_array_equal(each_chunk(lambda v, w: v + w, found, found), 2 * np.asarray(found))


def test_equal_windows_have_equal_hashes() -> None:
    rows = np.random.default_rng(3).normal(size=(400, 2))
    rows[300:330] = rows[100:130]  # windows of 5 of them: 26 are there twice

    def split(ends: np.ndarray) -> Split:
        raw, target = Gathered(rows, ends, steps=range(-4, 1)), rows[ends][:, :1]
        given = {"raw": {"x": raw}, "x": {"x": raw}, "y": {"y": target}, "target": {"y": target}, "last": {"y": None}}
        return Split(**given, size=len(ends), rows=ends)  # type: ignore[arg-type]

    splits = {"train": split(np.arange(4, 250)), "test": split(np.arange(254, 400))}
    found = find_duplicates(Dataset(splits))
    assert [(each.count, each.different) for each in found] == [(26, 0)]
    assert found[0].rows[0] == (105, 305)


@pytest.mark.parametrize("name", ["causal_cnn", "m1_panel", "titanic", "spectrogram_lstm", "multi_output_classifier"])
def test_large_inputs_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that are gathered, bit for bit, and what is told of them."""
    checked = pipeline.check(SPECS / f"{name}.yaml")
    plain = jobs.load_dataset(checked)
    monkeypatch.setattr(mapped, "LARGE", 0)
    found = jobs.load_dataset(checked)
    assert any(isinstance(values, Gathered) for values in found.splits["train"].x.values())
    assert checked.data is not None
    slots = output_slots(checked.graph)
    assert describe(checked.data, found, slots).body == describe(checked.data, plain, slots).body
    for split, wanted in plain.splits.items():
        for part in ("raw", "x", "y", "target", "last"):
            for key, values in getattr(wanted, part).items():
                given = getattr(found.splits[split], part)[key]
                assert (given is None) == (values is None)
                if values is not None:
                    assert np.asarray(given).dtype == values.dtype
                    np.testing.assert_array_equal(np.asarray(given), values)


def test_mapped_arrays_are_files_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(mapped, "LARGE", 100)
    values = mapped.zeros((50, 3), np.float32)
    assert not values.any()
    values[:] = np.arange(150).reshape(50, 3)
    assert list((tmp_path / "cache").iterdir()) == []
    for made in mapped._maps:
        made.madvise(4)  # MADV_DONTNEED: what was written comes back from the file
    np.testing.assert_array_equal(values, np.arange(150).reshape(50, 3))
