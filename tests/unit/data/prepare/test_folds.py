"""Folds: the rows of each are those of scikit-learn's splitters, and statistics are those of its training rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from nnspec import pipeline
from nnspec.data.dataset import Dataset
from nnspec.data.prepare.fold_cuts import cut_rolling
from nnspec.diagnostics import SpecError
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.folds import final_model, folds_of

ROWS = 47
SPEC = """
nnspec: 1
inputs: {x: {axes: AXES}}
data:
  source: {csv: rows.csv}
  ORDER
  split: SPLIT
  inputs: {x: {columns: [a], scale: standard}}
  outputs: {y: {columns: [TARGET]}}
model: [Flatten, {Dense: {units: 1, activation: ACTIVATION}}]
outputs: {y: {task: TASK}}
"""


def values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "a": rng.normal(size=ROWS).round(5),
        "b": rng.normal(size=ROWS).round(5),
        "kind": np.where(rng.random(ROWS) < 0.3, "yes", "no"),
        "group": np.repeat(np.arange(9), [1, 2, 3, 4, 5, 6, 7, 8, 11])[rng.permutation(ROWS)],
        "series": np.repeat(["u", "v"], [20, 27]),
    }


def checked(
    folder: Path, split: str, *, order: str = "", task: str = "regression", axes: str = "{feature: 1}"
) -> pipeline.Checked:
    table = values()
    lines = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = SPEC.replace("SPLIT", split).replace("ORDER", order).replace("TASK", task).replace("AXES", axes)
    text = text.replace("TARGET", "b" if task == "regression" else "kind")
    text = text.replace("ACTIVATION", "linear" if task == "regression" else "sigmoid")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return pipeline.check(folder / "spec.yaml")


def rows_of(dataset: Dataset) -> dict[str, list[int]]:
    return {name: sorted(split.rows.tolist()) for name, split in dataset.splits.items()}


def folds(spec: pipeline.Checked) -> list[dict[str, list[int]]]:
    return [rows_of(load_dataset(fold)) for fold in folds_of(spec)]


@pytest.mark.parametrize("count", [2, 5, 47])
def test_every_row_is_tested_on_once(count: int, tmp_path: Path) -> None:
    found = folds(checked(tmp_path, f"{{folds: {count}}}"))
    assert sorted(row for fold in found for row in fold["test"]) == list(range(ROWS))
    sizes = [len(test) for _, test in KFold(count).split(np.zeros(ROWS))]
    assert [len(fold["test"]) for fold in found] == sizes
    for fold in found:
        assert sorted(fold["train"] + fold["test"]) == list(range(ROWS))


def test_classes_are_in_proportion(tmp_path: Path) -> None:
    kinds = values()["kind"]
    found = folds(checked(tmp_path, "{folds: 4, by: stratified}", task="binary"))
    wanted = [(kinds[test] == "yes").sum() for _, test in StratifiedKFold(4).split(kinds, kinds)]
    counts = [(kinds[fold["test"]] == "yes").sum() for fold in found]
    assert max(counts) - min(counts) <= 1
    assert sorted(counts) == sorted(wanted)


def test_groups_stay_whole(tmp_path: Path) -> None:
    groups = values()["group"]
    found = folds(checked(tmp_path, "{folds: 3, group: group, validation: 0.2}"))
    wanted = {tuple(test.tolist()) for _, test in GroupKFold(3).split(groups, groups=groups)}
    assert {tuple(fold["test"]) for fold in found} == wanted
    for fold in found:
        parts = [set(groups[fold[name]]) for name in ("train", "validation", "test")]
        assert all(parts)
        assert sum(map(len, parts)) == 9, "no group is in two"


@pytest.mark.parametrize("gap", [0, 3])
def test_the_origin_rolls(gap: int, tmp_path: Path) -> None:
    found = folds(checked(tmp_path, f"{{folds: 4, by: order, gap: {gap}}}"))
    wanted = TimeSeriesSplit(4, gap=gap).split(np.zeros(ROWS))
    assert [(fold["train"], fold["test"]) for fold in found] == [(a.tolist(), b.tolist()) for a, b in wanted]


def test_the_origin_rolls_in_each_series(tmp_path: Path) -> None:
    order = "series: {by: series}\n  window: {lookback: 2, horizon: 1}"
    spec = checked(tmp_path, "{folds: 3, by: order, gap: 0}", order=order, axes="{time: 2, feature: 1}")
    series, found = values()["series"], [load_dataset(fold) for fold in folds_of(spec)]
    for number, dataset in enumerate(found):
        parts = {name: set(np.asarray(rows).tolist()) for name, rows in dataset.origins.parts.items()}
        for name in ("u", "v"):
            own = np.flatnonzero(series == name)
            train, test = list(TimeSeriesSplit(3).split(own))[number]
            assert parts["train"] & set(own.tolist()) == set(own[train].tolist())
            assert parts["test"] & set(own.tolist()) == set(own[test].tolist())
        used = {row + step for row in dataset.splits["train"].rows.tolist() for step in (-1, 0, 1)}
        assert used <= parts["train"], "no window of training reaches into what is tested on"


def test_validation_is_taken_from_what_is_trained_on(tmp_path: Path) -> None:
    (whole, *_), (with_validation, *_) = (
        folds(checked(tmp_path, split)) for split in ("{folds: 4, seed: 3}", "{folds: 4, seed: 3, validation: 0.25}")
    )
    assert with_validation["test"] == whole["test"]
    assert sorted(with_validation["train"] + with_validation["validation"]) == whole["train"]
    assert len(with_validation["validation"]) == round(0.25 * len(whole["train"]))
    rolled = folds(checked(tmp_path, "{folds: 3, by: order, validation: 0.2}"))
    for fold in rolled:
        assert max(fold["train"]) < min(fold["validation"]) <= max(fold["validation"]) < min(fold["test"])


@pytest.mark.parametrize("split", ["{folds: 3}", "{folds: 3, by: order}"])
def test_statistics_are_those_of_the_training_rows(split: str, tmp_path: Path) -> None:
    a = values()["a"]
    for fold in folds_of(checked(tmp_path, split)):
        dataset = load_dataset(fold)
        train, test = (dataset.splits[name] for name in ("train", "test"))
        mean, deviation = a[train.rows].mean(), a[train.rows].std()
        np.testing.assert_allclose(test.x["x"][:, 0], (a[test.rows] - mean) / deviation, atol=1e-5)


def test_the_final_model_has_all_rows_or_those_of_the_last_fold(tmp_path: Path) -> None:
    spec = checked(tmp_path, "{folds: 3, by: order}")
    assert rows_of(load_dataset(final_model(spec))) == {"train": list(range(ROWS))}
    last = checked(tmp_path, "{folds: 3, by: order, final: last}")
    assert rows_of(load_dataset(final_model(last))) == folds(last)[-1]


@pytest.mark.parametrize(
    ("split", "order", "code"),
    [
        ("{folds: 48}", "", "NN514"),
        ("{folds: 10, group: group}", "", "NN514"),
        ("{folds: 47, by: order}", "", "NN514"),
        ("{folds: 12, by: order}", "window: {lookback: 4, horizon: 1}", "NN505"),
        (
            "{folds: 5, by: order, gap: 8}",
            "window: {lookback: 4, horizon: 1}",
            "NN505",
        ),
    ],
)
def test_check_finds_folds_without_rows(split: str, order: str, code: str, tmp_path: Path) -> None:
    axes = "{time: 4, feature: 1}" if order else "{feature: 1}"
    with pytest.raises(SpecError) as error:
        checked(tmp_path, split, order=order, axes=axes)
    assert [(d.code, d.path) for d in error.value.diagnostics if d.is_error] == [(code, "data.split.folds")]


@pytest.mark.parametrize("count", range(2, 12))
@pytest.mark.parametrize("lookback", [1, 3])
def test_folds_that_check_finds_right_load(count: int, lookback: int, tmp_path: Path) -> None:
    order, axes = f"window: {{lookback: {lookback}, horizon: 1}}", f"{{time: {lookback}, feature: 1}}"
    try:
        spec = checked(tmp_path, f"{{folds: {count}, by: order, validation: 0.3}}", order=order, axes=axes)
    except SpecError:
        return
    assert all(len(fold["test"]) for fold in folds(spec))


def test_rolling_is_that_of_scikit_learn() -> None:
    for rows, count, gap in [(12, 3, 0), (13, 3, 1), (100, 7, 2), (9, 8, 0)]:
        wanted = TimeSeriesSplit(count, gap=gap).split(np.zeros(rows))
        assert [([*a], [*b]) for a, b in cut_rolling(rows, count, gap)] == [([*a], [*b]) for a, b in wanted]
