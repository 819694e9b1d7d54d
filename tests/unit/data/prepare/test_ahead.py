"""Columns that are known ahead, static ones, and past ones: windows of both sides against a plain loop over rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.rows import Rows
from nnspec.data.prepare.static import check_static
from nnspec.diagnostics import SpecError
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.metadata.model import describe_model
from nnspec.pipeline import check, diagnose
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Metadata
from nnspec.runtime.reading import read_samples

LOOKBACK, HORIZON = 3, [1, 2, 4]
SHOPS = {"north": 23, "south": 19, "east": 9}  # rows each


def rows_of_file(seed: int = 0) -> list[dict[str, str]]:
    """Rows of three shops, shuffled; every number is another one."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, (shop, count) in enumerate(SHOPS.items()):
        for t in range(count):
            base = 1000 * number + t
            rows.append(
                {
                    "shop": shop,
                    "t": f"2024-01-{t + 1:02d}",
                    "sales": f"{base}.5",
                    "price": f"{base}.25",
                    "promo": f"{base}.75",
                    "size": str(40 + number),
                }
            )
    return [rows[i] for i in rng.permutation(len(rows))]


def write(folder: Path, rows: list[dict[str, str]], name: str = "t.csv") -> Path:
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def spec(folder: Path, **data: Any) -> Path:
    ahead = max(HORIZON)
    body = {
        "nnspec": 1,
        "inputs": {
            "past": {"axes": {"time": LOOKBACK, "feature": 2}},
            "known": {"axes": {"feature": 1, "time": LOOKBACK + ahead}},
            "plan": {"axes": {"time": ahead}},
            "static": {"axes": {"feature": 1}},
        },
        "model": [
            {"Flatten": {"from": "past", "name": "a"}},
            {"Flatten": {"from": "known", "name": "b"}},
            {"Flatten": {"from": "plan", "name": "c"}},
            {"Concatenate": {"from": ["a", "b", "c", "static"], "as": "all"}},
            {"Dense": {"units": len(HORIZON), "as": "step"}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "data": {
            "source": {"csv": "t.csv"},
            "order_by": "t",
            "series": {"by": "shop"},
            "split": {"train": 1.0},
            "window": {"lookback": LOOKBACK, "horizon": HORIZON},
            "inputs": {
                "past": {"columns": ["sales", "promo"]},
                "known": {"columns": ["promo"], "ahead": True},
                "plan": {"columns": ["price"], "ahead": "only"},
                "static": {"columns": ["size"], "static": True},
            },
            "outputs": {"y": {"columns": ["sales"]}},
            **data,
        },
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


def by_hand(rows: list[dict[str, str]], *, needs_targets: bool = True) -> dict[str, np.ndarray]:
    """Every window of every shop, in the order of the shops' first row in time, by plain loops."""
    ordered = sorted(rows, key=lambda row: row["t"])
    found: dict[str, list[Any]] = {name: [] for name in ("past", "known", "plan", "static", "y")}
    for shop in dict.fromkeys(row["shop"] for row in ordered):
        own = [row for row in ordered if row["shop"] == shop]
        for last in range(LOOKBACK - 1, len(own) - max(HORIZON)):
            window = own[last - LOOKBACK + 1 : last + 1]
            behind = own[last + 1 : last + 1 + max(HORIZON)]
            targets = [own[last + step]["sales"] for step in HORIZON]
            everything = [*(row[name] for row in window for name in ("sales", "promo", "size"))]
            everything += [row[name] for row in behind for name in ("promo", "price")]
            everything += targets if needs_targets else []
            if "" in everything:
                continue
            found["past"].append([[float(row["sales"]), float(row["promo"])] for row in window])
            found["known"].append([[float(row["promo"]) for row in [*window, *behind]]])
            found["plan"].append([float(row["price"]) for row in behind])
            found["static"].append([float(own[last]["size"])])
            found["y"].append([float(value or "nan") for value in targets])
    return {name: np.array(values, np.float32) for name, values in found.items()}


def loaded(path: Path) -> Dataset:
    assert not [d for d in diagnose(path) if d.is_error]
    return load_dataset(check(path))


def metadata_of(path: Path) -> Metadata:
    checked = check(path)
    return describe_model(checked.graph, checked.data, Deployment(), {}, "")


def test_windows_are_those_of_a_loop(tmp_path: Path) -> None:
    rows = rows_of_file()
    write(tmp_path, rows)
    train = loaded(spec(tmp_path)).splits["train"]
    wanted = by_hand(rows)
    assert len(wanted["y"]) == sum(count - 3 - 4 + 1 for count in SHOPS.values())
    for name in ("past", "known", "plan", "static"):
        np.testing.assert_array_equal(train.raw[name], wanted[name], err_msg=name)
    np.testing.assert_array_equal(train.target["y"], wanted["y"])


def test_a_window_whose_rows_ahead_have_gaps_is_left_out(tmp_path: Path) -> None:
    rows = rows_of_file()
    rng = np.random.default_rng(3)
    for name in ("price", "promo", "sales"):
        for i in rng.choice(len(rows), 2, replace=False):
            rows[i][name] = ""
    write(tmp_path, rows)
    train = loaded(spec(tmp_path, missing="drop")).splits["train"]
    wanted = by_hand(rows)
    assert 0 < len(wanted["y"]) < len(by_hand(rows_of_file())["y"]) - 3
    for name in ("past", "known", "plan", "static"):
        np.testing.assert_array_equal(train.raw[name], wanted[name], err_msg=name)


def test_check_finds_that_gaps_ahead_leave_no_window(tmp_path: Path) -> None:
    """Twin of the loader: with a gap in every fourth row of `price` no window has four rows ahead."""
    rows = rows_of_file()
    for row in rows:
        if int(row["t"][-2:]) % 4 == 0:
            row["price"] = ""
    write(tmp_path, rows)
    path = spec(tmp_path, missing="drop")
    assert len(by_hand(rows)["y"]) == 0
    assert [d.code for d in diagnose(path)] == ["NN505"]
    body = yaml.safe_load(path.read_text())
    del body["data"]["inputs"]["plan"], body["inputs"]["plan"], body["model"][2]
    body["model"][2]["Concatenate"]["from"].remove("c")
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    assert diagnose(path) == []


def future(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The same, but of each shop the last four days have only what is known ahead."""
    return [
        {**row, "sales": "" if int(row["t"][-2:]) > SHOPS[row["shop"]] - max(HORIZON) else row["sales"]} for row in rows
    ]


def test_a_deployed_model_reads_the_future_from_rows_without_targets(tmp_path: Path) -> None:
    rows = rows_of_file()
    write(tmp_path, rows)
    metadata = metadata_of(spec(tmp_path))
    assert metadata["inputs"]["known"]["rows"] == [-2, 4]
    assert metadata["inputs"]["plan"]["rows"] == [1, 4]
    samples = read_samples(write(tmp_path, future(rows), "new.csv"), metadata)
    wanted = by_hand(rows, needs_targets=False)
    assert samples.count == len(wanted["past"])
    for name, values in samples.inputs.items():
        np.testing.assert_array_equal(values, wanted[name], err_msg=name)
    last = {shop: f"2024-01-{count - max(HORIZON):02d}" for shop, count in SHOPS.items()}
    newest = dict(zip(samples.keys["shop"], samples.keys["t"], strict=True))  # the last one of each stands
    assert newest == last


def test_training_and_serving_cut_the_same_windows(tmp_path: Path) -> None:
    rows = rows_of_file(5)
    path = spec(tmp_path)
    train = loaded(path).splits["train"] if write(tmp_path, rows) else None
    assert train is not None
    samples = read_samples(tmp_path / "t.csv", metadata_of(path))
    for name, values in samples.inputs.items():
        np.testing.assert_array_equal(values, train.raw[name], err_msg=name)


def test_a_gap_that_a_window_reads_is_an_error_of_serving(tmp_path: Path) -> None:
    rows = rows_of_file()
    write(tmp_path, rows)
    metadata = metadata_of(spec(tmp_path))
    new = future(rows)
    place = next(i for i, row in enumerate(new) if row["shop"] == "north" and row["t"] == "2024-01-22")
    new[place]["price"] = ""
    with pytest.raises(InputError, match=rf"column `price` has no number in row {place + 1}"):
        read_samples(write(tmp_path, new, "new.csv"), metadata)
    new = future(rows)
    place = next(i for i, row in enumerate(new) if row["shop"] == "north" and row["t"] == "2024-01-19")
    new[place]["sales"] = ""
    with pytest.raises(InputError, match=rf"column `sales` has no number in row {place + 1}"):
        read_samples(write(tmp_path, new, "new.csv"), metadata)


def test_too_few_rows_for_what_is_known_ahead(tmp_path: Path) -> None:
    rows = rows_of_file()
    write(tmp_path, rows)
    metadata = metadata_of(spec(tmp_path))
    short = [row for row in rows if int(row["t"][-2:]) <= 6]
    with pytest.raises(InputError, match="has 6 rows, but a window needs 3 and 4 ahead of it"):
        read_samples(write(tmp_path, short, "new.csv"), metadata)


@pytest.mark.parametrize("missing", ["error", "drop"])
def test_a_static_column_that_varies_is_told_with_its_rows(missing: str, tmp_path: Path) -> None:
    rows = rows_of_file()
    place = next(i for i, row in enumerate(rows) if row["shop"] == "south" and row["t"] == "2024-01-07")
    before = next(i for i, row in enumerate(rows) if row["shop"] == "south" and row["t"] == "2024-01-06")
    for row in rows:
        if row["shop"] == "south" and row["t"] >= "2024-01-07":
            row["size"] = "99"
    write(tmp_path, rows)
    path = spec(tmp_path, missing=missing)
    found = diagnose(path)
    assert [d.code for d in found] == ["NN583"]
    assert f"varies within 1 series: `41` in row {before + 1}, `99` in row {place + 1}" in found[0].message
    checked = check(spec(tmp_path), {"data.source.csv": write(tmp_path, rows_of_file(), "good.csv").name})
    assert checked.data is not None
    order = np.argsort([row["shop"] + row["t"] for row in rows])
    values = np.array([[float(rows[i]["size"])] for i in order])
    series = np.unique([rows[i]["shop"] for i in order], return_inverse=True)[1]
    with pytest.raises(SpecError) as error:  # as the loader finds it, in files that say nothing unloaded
        check_static(checked.data, {("inputs", "static"): Rows(values, np.isnan(values), None)}, series, order)
    assert error.value.diagnostics[0].message.replace("41.0", "41").replace("99.0", "99") == found[0].message


def test_a_static_value_may_be_written_in_several_ways(tmp_path: Path) -> None:
    rows = rows_of_file()
    for i, row in enumerate(rows):
        row["size"] = row["size"] + ["", ".0", ".00", "e0"][i % 4]
    write(tmp_path, rows)
    train = loaded(spec(tmp_path)).splits["train"]
    np.testing.assert_array_equal(train.raw["static"], by_hand(rows)["static"])
