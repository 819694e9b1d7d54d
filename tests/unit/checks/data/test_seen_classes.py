"""Tables that are sorted by their labels, cut into splits in that order."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from nnspec import pipeline
from nnspec.checks.data import measured
from nnspec.data.checks import strata
from nnspec.diagnostics import SpecError
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.folds import folds_of
from nnspec.pipeline import diagnose


def written(tmp_path: Path, labels: str, split: dict[str, object], classes: list[str] | None = None) -> Path:
    rows = "\n".join(f"{i},{label},{i // 5},{'pq'[i % 2]}" for i, label in enumerate(labels))
    (tmp_path / "d.csv").write_text(f"a,kind,five,part\n{rows}\n", encoding="utf-8")
    document = {
        "nnspec": 1,
        "data": {
            "source": {"csv": "d.csv"},
            "split": split,
            "inputs": {"x": {"columns": ["a"]}},
            "outputs": {"y": {"columns": ["kind"]}},
        },
        "inputs": {"x": {"axes": {"feature": 1}}},
        "model": [{"Dense": {"units": 3, "activation": "softmax"}}],
        "outputs": {"y": {"task": "classification", **({"classes": classes} if classes else {})}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def codes(path: Path) -> set[str]:
    return {diagnostic.code for diagnostic in diagnose(path)}


ORDER = {"train": 0.6, "test": 0.4, "by": "order"}


@pytest.mark.parametrize(
    ("labels", "split", "classes", "wanted"),
    [
        ("x" * 10 + "y" * 10 + "z" * 10, ORDER, None, {"NN513"}),
        ("xyz" * 10, ORDER, None, set()),
        ("x" * 10 + "y" * 10 + "z" * 10, {"train": 0.6, "test": 0.4}, None, set()),
        ("x" * 10 + "y" * 10 + "z" * 10, ORDER, ["x", "y", "z"], set()),
        ("xyz" * 6 + "x" * 12, ORDER, None, set()),  # those of training may be missing elsewhere
    ],
)
def test_sorted(
    tmp_path: Path, labels: str, split: dict[str, object], classes: list[str] | None, wanted: set[str]
) -> None:
    assert codes(written(tmp_path, labels, split, classes)) == wanted


@pytest.mark.parametrize(
    ("labels", "split", "fails"),
    [
        ("x" * 10 + "y" * 10 + "z" * 10, {"folds": 3, "by": "order"}, True),
        ("xyz" * 4 + "x" * 18, {"folds": 3, "by": "order"}, False),
        ("xyz" * 6 + "x" * 11 + "z", {"folds": 2, "by": "order", "validation": 0.2}, False),
        ("xy" * 6 + "xyz" + "xy" * 8, {"folds": 2, "by": "order", "validation": 0.4}, True),  # z is held out
        ("x" * 10 + "y" * 10 + "z" * 10, {"folds": 3, "group": "five"}, False),  # z is in two groups, and two folds
        ("x" * 10 + "y" * 15 + "z" * 5, {"folds": 3, "group": "five"}, True),  # in one group
        ("x" * 10 + "y" * 10 + "z" * 10, {"folds": 2, "group": "five"}, False),
        ("xyz" * 10, {"train": "p", "test": "q", "by": {"column": "part"}}, False),
        ("xy" * 10 + "xz" * 5, {"train": "p", "test": "q", "by": {"column": "part"}}, True),
        ("xyxz" * 8, {"train": "q", "validation": 0.1, "test": "p", "by": {"column": "part"}}, True),
        ("xxyyzz" * 5, {"train": "q", "validation": 0.1, "test": "p", "by": {"column": "part"}}, False),
        ("xyz" * 10, {"train": 0.5, "test": 0.5, "by": {"hash": "a"}}, False),
        ("xyz" * 9 + "xxx", {"train": 0.05, "test": 0.9, "by": {"hash": "a"}}, True),
        ("xyz" * 9 + "xx" + "w", {"folds": 3}, True),  # four labels, and w has one row
        ("xy" * 10 + "zz" + "x" * 8, {"folds": 2, "by": "stratified"}, False),
    ],
)
def test_what_the_check_says_happens_when_the_data_are_loaded(
    labels: str, split: dict[str, object], fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, labels, split)
    if "w" in labels:
        path.write_text(path.read_text(encoding="utf-8").replace("units: 3", "units: 4"), encoding="utf-8")
    assert ("NN513" in codes(path)) == fails
    monkeypatch.setattr(measured, "check_seen", lambda *_: ())
    monkeypatch.setattr(strata, "check_strata_sizes", lambda *_: ())
    checked = pipeline.check(path)
    with pytest.raises(SpecError, match=r"NN513|NN508") if fails else nullcontext():
        for each in folds_of(checked) or [checked]:
            load_dataset(each)
