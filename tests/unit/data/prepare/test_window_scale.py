"""`relative_to: window`: changes from the last value, in units of the window's mean magnitude, by plain NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec.data.deployment import Deployment
from nnspec.jobs import settings_of
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.exporting import lower
from nnspec.jobs.settings import engine_of
from nnspec.jobs.verifying import prove
from nnspec.pipeline import check
from nnspec.training.train import compile_model


def spec(folder: Path, task: str, axes: list[str]) -> Path:
    rng = np.random.default_rng(2)
    table = rng.normal(size=(60, 3)) * [1, 100, 1e5]
    table[20:30, 1] = 0  # a window of zeros has no magnitude
    lines = [f"{i}," + ",".join(f"{value:.4f}" for value in row) for i, row in enumerate(table)]
    (folder / "t.csv").write_text("t,a,b,c\n" + "\n".join(lines) + "\n", encoding="utf-8")
    sizes = {"time": 4, "feature": 3}
    body = {
        "nnspec": 1,
        "inputs": {"past": {"axes": {name: sizes[name] for name in axes}}},
        "model": ["Flatten", {"Dense": {"units": "auto" if task == "quantiles" else 4}}],
        "outputs": {"y": {"task": task}},
        "data": {
            "source": {"csv": "t.csv"},
            "order_by": "t",
            "split": {"train": 0.6, "test": 0.4},
            "window": {"lookback": 4, "horizon": [1, 3]},
            "inputs": {"past": {"columns": ["a", "b", "c"], "scale": "standard"}},
            "outputs": {"y": {"columns": ["c", "b"], "relative_to": "window", "scale": "standard"}},
        },
    }
    split = {"level": 3, "step": 2, "column": 2} if task == "quantiles" else {"step": 2, "column": 2}
    model = body["model"]
    assert isinstance(model, list)
    model.append({"split": {"unit": split}})
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("task", ["regression", "quantiles"])
@pytest.mark.parametrize("axes", [["time", "feature"], ["feature", "time"]])
def test_what_is_learned_and_what_is_deployed(task: str, axes: list[str], tmp_path: Path) -> None:
    checked = check(spec(tmp_path, task, axes))
    data = load_dataset(checked)
    train = data.splits["train"]
    window = train.raw["past"] if axes[0] == "time" else train.raw["past"].transpose(0, 2, 1)
    chosen = window[..., [2, 1]].astype(np.float64)  # c and b: axes `sample step column`
    magnitude = np.abs(chosen).mean(axis=1)
    assert (magnitude == 0).any()
    magnitude = np.where(magnitude == 0, 1, magnitude)[:, None]
    change = (train.target["y"] - chosen[:, -1:]) / magnitude
    mean, deviation = change.mean(axis=(0, 1)), change.std(axis=(0, 1))
    np.testing.assert_allclose(train.y["y"], (change - mean) / deviation, rtol=1e-4, atol=1e-5)
    compiled = compile_model(checked.graph, settings_of(checked))
    exported = lower(checked, compiled, data.deployment, "")
    got = exported.open().run({"past": train.raw["past"]})["y"]
    network = np.asarray(compiled.model(train.x["past"])).astype(np.float64)
    wide = (slice(None), None) if task == "quantiles" else (slice(None),)
    wanted = (network * deviation + mean) * magnitude[wide] + chosen[:, -1:][wide]
    scale = np.abs(wanted).max(axis=tuple(range(wanted.ndim - 1)))
    np.testing.assert_allclose(got / scale, wanted / scale, atol=1e-5)
    again = Deployment.from_json(json.loads(json.dumps(data.deployment.to_json())))
    np.testing.assert_allclose(
        again.from_network(checked.graph, {"y": network.astype(np.float32)}, train.raw)["y"] / scale,
        wanted / scale,
        atol=1e-5,
    )
    verified = prove(exported, checked, compiled, data.deployment, {}, held_out=train.raw, engine=engine_of(checked))
    assert verified["outputs"]["y"]["passed"]
