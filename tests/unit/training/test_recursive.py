"""Forecasts that feed on themselves: against a plain loop that asks the deployed model row by row."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import yaml
from click.testing import CliRunner

from nnspec import api, runtime
from nnspec.cli import main
from nnspec.jobs import Run
from tests.support.evaluated_rows import assert_same_metrics

ROWS, LOOKBACK, HORIZON, FAR, SEASON = 60, 5, 2, 8, 4
SHOPS = {"a": "fit", "b": "fit", "c": "fit", "d": "held", "e": "held"}


def shops() -> dict[str, np.ndarray]:
    """Of each shop `sales`, `visits` and `promo`: what comes next follows from what was, and from a promotion."""
    rng = np.random.default_rng(3)
    found = {}
    for number, shop in enumerate(SHOPS):
        promo = (rng.random(ROWS) < 0.3).astype(float)
        t = np.arange(ROWS)
        visits = 50 + 10 * np.sin(t * 2 * np.pi / SEASON) + number + rng.normal(size=ROWS)
        sales = 3 * visits + 20 * promo + rng.normal(size=ROWS)
        found[shop] = np.stack([sales, visits, promo], axis=1).round(3)
    return found


def write(path: Path, names: list[str]) -> Path:
    rows = [
        {
            "shop": shop,
            "day": t,
            "sales": row[0],
            "visits": row[1],
            "promo": row[2],
            "size": ord(shop),
            "part": SHOPS[shop],
        }
        for shop in names
        for t, row in enumerate(shops()[shop].tolist())
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[i] for i in order)
    return path


def spec(**window: Any) -> dict[str, Any]:
    """The columns that are fed back stand in another order in the window, encoded column by column."""
    return {
        "nnspec": 1,
        "vars": {"rows": LOOKBACK},
        "data": {
            "source": {"csv": "rows.csv"},
            "series": {"by": "shop", "time": "day"},
            "split": {"train": "fit", "test": "held", "by": {"column": "part"}},
            "window": {
                "lookback": LOOKBACK,
                "horizon": list(range(1, HORIZON + 1)),
                "season": SEASON,
                "recursive": FAR,
                **window,
            },
            "inputs": {
                "past": {"columns": ["visits", "sales"], "scale": "standard"},
                "logs": {"columns": {"visits": "log1p", "sales": "minmax"}},
                "known": {"columns": ["promo"], "ahead": True},
                "now": {"columns": ["sales"], "window": False, "scale": "standard"},
                "shop": {"columns": ["size"], "static": True, "scale": "standard"},
            },
            "outputs": {"next": {"columns": ["sales", "visits"], "relative_to": "last", "scale": "standard"}},
        },
        "inputs": {
            "past": {"axes": {"feature": 2, "time": LOOKBACK}},
            "logs": {"axes": {"time": LOOKBACK, "feature": 2}},
            "known": {"axes": {"step": LOOKBACK + HORIZON}},
            "now": {"axes": {"feature": 1}},
            "shop": {"axes": {"feature": 1}},
        },
        "model": [
            {"Flatten": {"from": "past", "name": "flat"}},
            {"Flatten": {"from": "logs", "name": "flat_logs"}},
            {"Concatenate": {"from": ["flat", "flat_logs", "known", "now", "shop"], "name": "all"}},
            {"Dense": {"units": 2 * HORIZON, "as": "unit"}},
            {"split": {"unit": {"column": 2, "step": HORIZON}}},
        ],
        "outputs": {"next": {"task": "regression"}},
        "training": {"epochs": 30, "optimizer": {"Adam": {"learning_rate": 0.01}}},
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("recursive")
    write(folder / "rows.csv", list(SHOPS))
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec(), sort_keys=False), encoding="utf-8")
    return api.load(folder / "spec.yaml").build(folder / "out")


def by_hand(run: Run, shop: str, last: int) -> np.ndarray:
    """Rows of `sales` and `visits` behind row `last`, by the file itself: axes `row column`."""
    session = onnxruntime.InferenceSession(str(run.onnx), providers=["CPUExecutionProvider"])
    rows = shops()[shop]
    known = rows[: last + 1].tolist()
    for start in range(0, FAR, HORIZON):
        window = np.array(known[-LOOKBACK:], np.float32)
        promo = rows[last + 1 + start - LOOKBACK : last + 1 + start + HORIZON, 2].astype(np.float32)
        feeds = {
            "past": window[None, :, [1, 0]].transpose(0, 2, 1),
            "visits": window[None, :, 1],
            "sales": window[None, :, 0],
            "known": promo[None],
            "now": window[-1:, :1],
            "shop": np.array([[ord(shop)]], np.float32),
        }
        given = session.run(["next"], feeds)[0]
        for step in range(HORIZON):  # axes `batch column step`
            known.append([given[0, 0, step], given[0, 1, step], np.nan])
    return np.array(known[last + 1 :])[:, :2]


def test_each_row_is_what_a_loop_gets(built: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "new.csv", ["d", "e"])
    result = CliRunner().invoke(main, ["predict", str(built.onnx), str(file)])
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(records) == 2 * (ROWS - LOOKBACK - FAR + 1)
    for record in records[::7]:
        expected = by_hand(built, record["shop"], int(record["day"]))
        found = [[record[f"next_{c}+{row}"] for c in ("sales", "visits")] for row in range(1, FAR + 1)]
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_arrays_give_the_same(built: Run) -> None:
    predict = runtime.load(built.onnx)
    rows, last = shops()["e"], 20
    window = rows[last + 1 - LOOKBACK : last + 1]
    known = rows[last + 1 - LOOKBACK : last + 1 + FAR, 2]
    inputs: dict[str, Any] = {
        "past": window[:, [1, 0]].T[None],
        "visits": window[None, :, 1],
        "sales": window[None, :, 0],
        "known": known[None],
        "now": window[-1:, :1],
        "shop": [[ord("e")]],
    }
    found = predict.forecast(**inputs)
    np.testing.assert_allclose(found["next"][0], by_hand(built, "e", last), rtol=1e-5)
    with pytest.raises(runtime.InputError, match=r"`known` is known ahead: to forecast 8 rows .* has size 13"):
        predict.forecast(**{**inputs, "known": known[None, :-1]})
    interface = json.loads((built.folder / "interface.json").read_text(encoding="utf-8"))
    assert interface["recursive"]["rows"] == FAR
    assert interface["recursive"]["fed"]["past"] == [["next", 1], ["next", 0]]


def test_metrics_of_every_row(built: Run, tmp_path: Path) -> None:
    """`metrics.json` against loops over the held series, and `evaluate` against both."""
    wanted = built.metrics["test"]["next"]["recursive"]
    errors, naive, scaled = [], [], []
    for shop in ("d", "e"):
        rows = shops()[shop][:, :2]
        for last in range(LOOKBACK - 1, ROWS - FAR):
            truth = rows[last + 1 : last + 1 + FAR]
            errors.append(np.abs(by_hand(built, shop, last) - truth))
            at = [last + h - SEASON * -(-h // SEASON) for h in range(1, FAR + 1)]
            naive.append(np.abs(rows[at] - truth))
            scale = np.abs(rows[SEASON : last + 1] - rows[: max(last + 1 - SEASON, 0)])
            scaled.append(errors[-1] / scale.mean(axis=0) if len(scale) else errors[-1] * np.nan)
    assert wanted["samples"] == len(errors)
    assert wanted["rows"] == FAR
    assert wanted["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-4)
    assert wanted["mae"] == pytest.approx(np.mean(errors), rel=1e-4)
    assert wanted["baseline"]["name"] == "seasonal_naive"
    assert wanted["baseline"]["mae"] == pytest.approx(np.mean(naive), rel=1e-4)
    assert list(wanted["by_step"]) == [str(row) for row in range(1, FAR + 1)]
    for row in (0, 3, FAR - 1):
        step = wanted["by_step"][str(row + 1)]
        assert step["mae"] == pytest.approx(np.mean(errors, axis=0)[row].mean(), rel=1e-4)
        assert step["baseline"]["mae"] == pytest.approx(np.mean(naive, axis=0)[row].mean(), rel=1e-4)
    assert wanted["by_column"]["visits"]["mae"] == pytest.approx(np.mean(errors, axis=(0, 1))[1], rel=1e-4)
    each = np.split(np.array(scaled), 2)
    assert wanted["mase"] == pytest.approx(np.mean([np.nanmean(part) for part in each]), rel=1e-4)
    file = write(tmp_path / "held.csv", ["e", "d"])
    result = CliRunner().invoke(main, ["evaluate", str(built.onnx), str(file), "--format", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["outputs"]["next"]
    test = built.metrics["test"]["next"]
    assert found["recursive"].keys() == wanted.keys()
    assert_same_metrics(found, test)
    assert found["mase"] == pytest.approx(test["mase"], rel=1e-4)
    assert found["by_series"].keys() == {"d", "e"}
    assert found["baseline"].keys() == test["baseline"].keys()


def codes(tmp_path: Path, body: dict[str, Any]) -> set[str]:
    write(tmp_path / "rows.csv", list(SHOPS))
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return {found.code for found in api.load(tmp_path / "spec.yaml").check() if found.is_error}


def test_what_cannot_be_fed_back_is_refused(tmp_path: Path) -> None:
    assert codes(tmp_path, spec()) == set()
    body = spec()
    body["data"]["inputs"]["known"] = {"columns": ["promo"]}
    body["inputs"]["known"] = {"axes": {"step": LOOKBACK}}
    assert codes(tmp_path, body) == {"NN544"}
    assert codes(tmp_path, spec(recursive=7)) == {"NN545"}  # no multiple of two rows
    assert codes(tmp_path, spec(recursive=2)) == {"NN545"}
    assert codes(tmp_path, spec(recursive=56)) == {"NN505"}  # a series has 60 rows, of which 5 are the window
    body = spec()
    body["outputs"]["next"] = {"task": "quantiles", "levels": [0.1, 0.5, 0.9]}
    body["model"][-2:] = [{"Dense": {"units": "auto"}}]
    assert "NN545" in codes(tmp_path, body)
