"""Splits by class, files, hashes and dates, and draws that leave none empty; what `check` says is what loading does."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import SpecError
from tests.support.data_files import head_of
from tests.unit.data.section.test_plan import plan_of, slot

TABLE = """
source: {csv: SOURCE}
split: SPLIT
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [y]}}
"""
X = {"x": slot("x", ("feature", 1))}
NUMBER = {"y": slot("y", ("target", 1), task="regression")}
LABEL = {"y": head_of(3)}


def write(path: Path, **columns: object) -> None:
    rows = zip(*(list(values) for values in columns.values()), strict=True)  # type: ignore[call-overload]
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n", "utf-8")


def text_of(split: str, more: str = "", source: str = "a.csv") -> str:
    return TABLE.replace("SOURCE", source).replace("SPLIT", split) + more


def loaded(text: str, root: Path, outputs: dict[str, Slot], inputs: dict[str, Slot] | None = None) -> Dataset:
    return load(plan_of(text, root), inputs or X, outputs)


def told(text: str, root: Path, outputs: dict[str, Slot], inputs: dict[str, Slot] | None = None) -> list[str]:
    """What `check` says, which loading says too."""
    try:
        plan = plan_of(text, root)
    except SpecError as error:
        return [d.message for d in error.diagnostics]
    faults = [d for d in probe(plan, inputs or X, outputs) if d.is_error]
    if faults:
        with pytest.raises(SpecError):
            load(plan, inputs or X, outputs)
    else:
        load(plan, inputs or X, outputs)
    return [d.message for d in faults]


def rows(data: Dataset) -> dict[str, list[int]]:
    return {name: split.rows.tolist() for name, split in data.splits.items()}


LABELS = ["common"] * 70 + ["rare"] * 20 + ["odd"] * 10
THIRDS = "{train: 0.6, validation: 0.2, test: 0.2SEED}"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by", ["", ", by: stratified", ", by: random, stratify: y"])
def test_classes_are_in_proportion(by: str, seed: int, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(100), y=LABELS)
    found = rows(loaded(text_of(THIRDS.replace("SEED", f", seed: {seed}{by}")), tmp_path, LABEL))
    counts = {name: [[LABELS[row] for row in at].count(label) for label in ("common", "rare", "odd")]
              for name, at in found.items()}  # fmt: skip
    assert counts == {"train": [42, 12, 6], "validation": [14, 4, 2], "test": [14, 4, 2]}
    assert sorted(row for at in found.values() for row in at) == list(range(100))


def test_without_regard_to_classes_and_by_another_column(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(100), y=LABELS, sex=["f", "m"] * 50)
    plain = rows(loaded(text_of("{train: 0.6, test: 0.4, stratify: false}"), tmp_path, LABEL))
    expected = np.sort(np.random.default_rng(0).permutation(100)[:60])
    assert plain["train"] == expected.tolist()
    by_sex = rows(loaded(text_of("{train: 0.6, test: 0.4, by: random, stratify: sex}"), tmp_path, LABEL))
    assert sum(row % 2 for row in by_sex["train"]) == 30


def test_a_class_with_one_row_is_trained_on(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(40), y=["u"] * 20 + ["v"] * 19 + ["w"])
    for seed in range(10):
        data = loaded(text_of(f"{{train: 0.7, test: 0.3, seed: {seed}}}"), tmp_path, LABEL)
        assert 39 in data.splits["train"].rows


@pytest.mark.parametrize(
    ("split", "more", "word"),
    [
        ("{train: 0.6, test: 0.4, by: stratified}", "", "no output is a single label"),
        ("{train: 0.6, test: 0.4, by: order, stratify: g}", "", "by: order"),
        ("{train: 0.6, test: 0.4, by: stratified, stratify: g, group: g}", "", "group: g"),
        ("{train: 0.6, test: 0.4, by: {hash: g}, group: g}", "", "keep one of them"),
        ("{by: {time: a}}", "", "does not say at which time"),
        ("{train: 0.5, by: {time: a, test: 3}}", "", "is a share"),
        ("{by: {time: a, test: 2024-01-01}}", "", "is not a number"),
        ("{by: {time: a, validation: 9, test: 3}}", "", "not later than"),
        ("{by: {time: a, hash: g, test: 3}}", "", "two ways"),
        ("{train: 1, by: {column: g, test: 3}}", "", "needs `time`"),
        ("{by: {time: a, test: 3}}", "order_by: g\n", "sorted by `g`"),
        ("{test: 0.5}", "", "requires `train`"),
        ("{train: 0.5, test: 0.5, by: files}", "", "not those of several files"),
        ("{train: 0.5, test: 0.5, by: {hash: g}}", "series: {by: y}\nwindow: {lookback: 2}\n", "among the splits"),
        ("{train: 0.5, test: 0.3, validation: 0.2, by: random, group: g}", "", "share 2 values of `g`"),
    ],
)
def test_what_cannot_be(split: str, more: str, word: str, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(12), y=range(12), g=["p", "q"] * 6)
    assert any(word in message for message in told(text_of(split, more), tmp_path, NUMBER))


def test_a_hash_keeps_rows_in_their_split(tmp_path: Path) -> None:
    keys = [f"customer {i // 2}" for i in range(400)]
    split = "{train: 0.7, validation: 0.1, test: 0.2, by: {hash: id}, seed: 7}"
    write(tmp_path / "a.csv", a=range(200), y=range(200), id=keys[:200])
    before = rows(loaded(text_of(split), tmp_path, NUMBER))
    write(tmp_path / "a.csv", a=range(400), y=range(400), id=keys)
    after = rows(loaded(text_of(split), tmp_path, NUMBER))
    assert {name: [row for row in at if row < 200] for name, at in after.items()} == before
    for row in range(400):
        draw = int.from_bytes(blake2b(f"7\0{keys[row]}".encode(), digest_size=8).digest(), "big") / 2**64
        assert row in after["train" if draw < 0.7 else "validation" if draw < 0.8 else "test"]
    assert told(text_of(split), tmp_path, NUMBER) == []


def test_a_hash_that_leaves_a_split_empty(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(4), y=range(4), id=[1, 1, 1, 1])
    assert any(
        "empty" in message for message in told(text_of("{train: 0.5, test: 0.5, by: {hash: id}}"), tmp_path, NUMBER)
    )


def days(count: int) -> list[str]:
    return [str(date(2024, 1, 1) + timedelta(days=i)) for i in range(count)]


def test_dates_at_which_splits_begin(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(60), y=range(60), day=[d for d in days(30) for _ in range(2)], s=["p", "q"] * 30)
    split = "{by: {time: day, validation: 2024-01-11, test: 2024-01-21}}"
    found = rows(loaded(text_of(split), tmp_path, NUMBER))
    assert found == {"train": list(range(20)), "validation": list(range(20, 40)), "test": list(range(40, 60))}
    windows = "series: {by: s}\nwindow: {lookback: 3, horizon: 2}\n"
    data = loaded(
        text_of(split.replace("}}", "}, gap: 1}"), windows),
        tmp_path,
        NUMBER,
        {"x": slot("x", ("time", 3), ("feature", 1))},
    )
    last = sorted(data.splits["test"].rows.tolist())
    assert last[0] == 40 + 2 * 3  # one day of each series is left out, then come three of lookback
    assert max(data.splits["train"].target["y"]) == 19


def test_years_and_moments_with_zones(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(10), y=range(10), year=range(2010, 2020))
    assert rows(loaded(text_of("{by: {time: year, test: 2016}}"), tmp_path, NUMBER))["test"] == [6, 7, 8, 9]
    write(tmp_path / "a.csv", a=range(4), y=range(4), t=[f"2024-05-0{i}T00:00:00+02:00" for i in range(1, 5)])
    assert rows(loaded(text_of("{by: {time: t, test: '2024-05-02T23:00'}}"), tmp_path, NUMBER))["test"] == [3]


def test_a_split_that_begins_after_the_last_row(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a=range(30), y=range(30), day=days(30))
    assert any("empty" in message for message in told(text_of("{by: {time: day, test: 2025-01-01}}"), tmp_path, NUMBER))


def files(folder: Path) -> None:
    (folder / "d").mkdir()
    for number, name in enumerate(("2013-a", "2013-b", "2014-a", "2015-a", "2015-b")):
        write(folder / "d" / f"{name}.csv", a=range(10 * number, 10 * number + 10), y=range(10))


def test_whole_files(tmp_path: Path) -> None:
    files(tmp_path)
    for seed in range(6):
        text = text_of(f"{{train: 0.8, test: 0.2, by: files, seed: {seed}}}", source="d/*.csv")
        found = rows(loaded(text, tmp_path, NUMBER))
        assert [len(at) for at in found.values()] == [40, 10]
        assert len({row // 10 for row in found["test"]}) == 1
    text = text_of("{train: '2013-*', validation: '2014-*.csv', test: d/2015-?.csv, by: files}", source="d/*.csv")
    assert told(text, tmp_path, NUMBER) == []
    assert rows(loaded(text, tmp_path, NUMBER)) == {
        "train": list(range(20)), "validation": list(range(20, 30)), "test": list(range(30, 50)),
    }  # fmt: skip
    windows = text_of("{train: '2013-*', test: '2015-*', by: files}", "window: {lookback: 3}\n", "d/*.csv")
    data = loaded(windows, tmp_path, NUMBER, {"x": slot("x", ("time", 3), ("feature", 1))})
    assert data.splits["train"].size == 14  # 7 in each file, none across
    for split, word in (
        ("{train: '2013-*', test: '2016-*', by: files}", "empty"),
        ("{train: '*-a.csv', test: '2015-*', by: files}", "matches the patterns of"),
        ("{train: '2013-*', test: 0.2, by: files}", "keep to one"),
    ):
        assert any(word in m for m in told(text_of(split, source="d/*.csv"), tmp_path, NUMBER)), split


@pytest.mark.parametrize("seed", range(8))
def test_no_draw_of_groups_leaves_a_split_empty(seed: int, tmp_path: Path) -> None:
    sizes = [40, 3, 3, 2] if seed % 2 else [1, 1, 60, 1, 1]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    write(tmp_path / "a.csv", a=range(len(groups)), y=range(len(groups)), g=groups)
    text = text_of(f"{{train: 0.8, validation: 0.1, test: 0.1, by: random, group: g, seed: {seed}}}")
    assert told(text, tmp_path, NUMBER) == []
    found = {name: {groups[row] for row in at} for name, at in rows(loaded(text, tmp_path, NUMBER)).items()}
    assert all(found.values())
    assert not found["train"] & (found["validation"] | found["test"])
    windows = text_of(
        f"{{train: 0.8, test: 0.2, by: random, seed: {seed}}}", "series: {by: g}\nwindow: {lookback: 3}\n"
    )
    told(windows, tmp_path, NUMBER, {"x": slot("x", ("time", 3), ("feature", 1))})


def test_a_share_of_labelled_rows_is_never_empty(tmp_path: Path) -> None:
    split = "{train: fit, validation: 0.1, test: held, by: {column: part}}"
    write(tmp_path / "a.csv", a=range(6), y=range(6), part=["fit", "fit", "fit", "held", "held", "held"])
    assert told(text_of(split), tmp_path, NUMBER) == []
    assert len(rows(loaded(text_of(split), tmp_path, NUMBER))["validation"]) == 1
    write(tmp_path / "a.csv", a=range(4), y=range(4), part=["fit", "held", "held", "held"])
    assert told(text_of(split), tmp_path, NUMBER)
