"""Windows that begin in the rows of the split before, and splits of so many rows, against a plain loop over rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nnspec.data.prepare.cuts import cut
from nnspec.data.section.split_plan import Part
from nnspec.diagnostics import Source, Span
from nnspec.jobs.dataset import load_dataset
from nnspec.pipeline import check, diagnose

LENGTHS = {"long": 24, "short": 13, "tiny": 9}
LOOKBACK, HORIZON = 4, [1, 3]


def spec(folder: Path, split: dict[str, Any], **window: Any) -> Path:
    rows = [f"{name},{t},{50 * n + t}" for n, (name, count) in enumerate(LENGTHS.items()) for t in range(count)]
    (folder / "t.csv").write_text("s,t,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    body = {
        "nnspec": 1,
        "inputs": {"past": {"axes": {"time": LOOKBACK}}},
        "model": [{"Dense": {"units": len(HORIZON)}}],
        "outputs": {"f": {"task": "regression"}},
        "data": {
            "source": {"csv": "t.csv"},
            "order_by": "t",
            "series": {"by": "s"},
            "split": split,
            "window": {"lookback": LOOKBACK, "horizon": HORIZON, **window},
            "inputs": {"past": {"columns": ["y"]}},
            "outputs": {"f": {"columns": ["y"]}},
        },
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


def test_only_targets_are_within_the_split(tmp_path: Path) -> None:
    path = spec(tmp_path, {"train": 1.0, "validation": {"rows": 3}, "test": {"rows": 4}}, context=True)
    assert diagnose(path) == []
    splits = load_dataset(check(path)).splits
    wanted: dict[str, list[list[float]]] = {"train": [], "validation": [], "test": []}
    for number, count in enumerate(LENGTHS.values()):
        bounds = {"train": (0, count - 7), "validation": (count - 7, count - 4), "test": (count - 4, count)}
        for name, (start, stop) in bounds.items():
            for last in range(LOOKBACK - 1, count):
                if start <= last + 1 and last + max(HORIZON) < stop:
                    wanted[name].append([50.0 * number + last + ahead for ahead in (0, *HORIZON)])
    for name, split in splits.items():
        got = [[float(x[-1]), *map(float, y)] for x, y in zip(split.raw["past"], split.target["f"], strict=True)]
        assert got == wanted[name], name
    assert len(wanted["test"]) == 2 * len(LENGTHS)  # of every series, however short
    assert len(wanted["validation"]) == 2  # the tiny one has no four rows before its validation rows


def test_without_it_windows_stay_within_the_split(tmp_path: Path) -> None:
    path = spec(tmp_path, {"train": 1.0, "validation": {"rows": 3}, "test": {"rows": 4}})
    assert {d.code for d in diagnose(path)} == {"NN505"}


def test_rows_are_counted_in_order_alone(tmp_path: Path) -> None:
    path = spec(tmp_path, {"train": 0.5, "test": {"rows": 4}, "by": "random"})
    found = diagnose(path)
    assert [d.code for d in found] == ["NN514"]
    assert "counts the last rows in order" in found[0].message


@pytest.mark.parametrize(
    ("rows", "train", "validation", "test"),
    [
        (20, (0, 11), (11, 14), (14, 20)),
        (9, (0, 0), (0, 3), (3, 9)),
        (8, (0, 0), (0, 2), (2, 8)),
        (4, (0, 0), (0, 0), (0, 4)),
    ],
)
def test_numbers_of_rows(rows: int, train: Any, validation: Any, test: Any) -> None:
    """A fraction of 1 takes what is left; of too few rows the last part has its own first."""
    here = Span(Source("s", ""))
    parts = [Part("train", 1.0, None, here), Part("validation", 3, None, here), Part("test", 6, None, here)]
    found = cut(rows, parts)
    assert [(r.start, r.stop) for r in found.values()] == [train, validation, test]
