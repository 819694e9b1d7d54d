"""Where units come from: columns, arrays, whole inputs and outputs, and what is reconstructed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import pipeline
from nnspec.cli import main
from nnspec.data.deployment import Deployment
from nnspec.data.units import in_words, input_units, output_units
from nnspec.jobs.metadata.model import describe_model
from nnspec.pipeline import Checked

HEAD = """
nnspec: 1
inputs: {x: {axes: {time: 3, feature: 2}}}
model: [{GRU: {units: 2, over: time}}, {Dense: {units: 2, as: target}}]
data:
  source: {csv: rows.csv}
  order_by: day
  split: {train: 0.7, test: 0.3, by: time}
  window: {lookback: 3, horizon: 1}
"""


def check(folder: Path, text: str) -> Checked:
    days = "\n".join(f"{day},{day % 7},{day % 5 + 1},{'ab'[day % 2]}" for day in range(60))
    (folder / "rows.csv").write_text(f"day,temp,wind,kind\n{days}\n", encoding="utf-8")
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    return pipeline.check(spec)


def test_a_forecast_in_logarithms_has_the_units_of_its_columns(tmp_path: Path) -> None:
    checked = check(
        tmp_path,
        HEAD
        + """
  units: {temp: °F, wind: mph}
  inputs: {x: {columns: [temp, wind], scale: standard}}
  outputs: {y: {columns: {temp: {transform: log1p, scale: standard}, wind: {transform: log1p, scale: standard}}}}
outputs: {y: {task: regression}}
""",
    )
    units = output_units(checked.graph, checked.data, "y")
    assert units == {"temp": "°F", "wind": "mph"} == input_units(checked.graph, checked.data, "x")
    assert in_words(units, ["temp", "wind"]) == "temp °F, wind mph"
    shown = CliRunner().invoke(main, ["show", str(tmp_path / "spec.yaml")]).output
    assert "input x is in temp °F, wind mph" in shown
    assert "output y: (target 2), regression, in temp °F, wind mph" in shown
    body = json.loads(CliRunner().invoke(main, ["show", str(tmp_path / "spec.yaml"), "--format", "json"]).output)
    assert body["outputs"]["y"]["units"] == units
    for is_raw in (True, False):  # a file without scaling gives logarithms
        described = describe_model(checked.graph, checked.data, Deployment(), {}, "", is_raw=is_raw)
        assert described["outputs"]["y"].get("units") == (units if is_raw else None)
        assert described["inputs"]["x"].get("units") == (units if is_raw else None)


def test_one_unit_of_all_columns_is_said_once(tmp_path: Path) -> None:
    checked = check(
        tmp_path,
        HEAD
        + """
  inputs: {x: {columns: [temp, wind]}}
  outputs: {y: {columns: [temp, wind]}}
outputs: {y: {task: regression, unit: mph}}
""",
    )
    described = describe_model(checked.graph, checked.data, Deployment(), {}, "")
    assert described["outputs"]["y"]["unit"] == "mph"
    assert "units" not in described["outputs"]["y"]
    assert "unit" not in described["inputs"]["x"]


@pytest.mark.parametrize("columns", ["{columns: [a, b], scale: standard}", "{columns: {a: standard, b: log1p}}"])
def test_a_reconstruction_has_the_units_of_its_input_but_not_of_features(tmp_path: Path, columns: str) -> None:
    rows = "\n".join(f"{i},{i % 7}" for i in range(40))
    (tmp_path / "rows.csv").write_text(f"a,b\n{rows}\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(
        f"""
nnspec: 1
inputs: {{x: {{axes: {{feature: 2}}, unit: g}}}}
model: [{{Dense: 1}}, {{Dense: 2}}]
outputs: {{y: {{task: regression}}}}
data:
  source: {{csv: rows.csv}}
  split: {{train: 0.7, test: 0.3}}
  inputs: {{x: {columns}}}
  outputs: {{y: {{of: x}}}}
""",
        encoding="utf-8",
    )
    checked = pipeline.check(tmp_path / "spec.yaml")
    assert input_units(checked.graph, checked.data, "x") == {"a": "g", "b": "g"}
    wanted = {"a": "g", "b": "g"} if "scale" in columns and "log1p" not in columns else {}
    assert output_units(checked.graph, checked.data, "y") == wanted


def test_arrays_and_outputs_without_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "eeg.npz", signal=np.zeros((20, 4), np.float32), force=np.zeros((20, 1), np.float32))
    (tmp_path / "spec.yaml").write_text(
        """
nnspec: 1
inputs: {x: {axes: {time: 4}}}
model: [{Dense: {units: 3, name: code}}, {Dense: 1}]
outputs: {y: {task: regression}, hidden: {from: code, task: none, unit: "%"}}
data:
  source: {npz: eeg.npz}
  units: {signal: µV, force: N}
  split: {train: 0.7, test: 0.3}
  inputs: {x: {array: signal}}
  outputs: {y: {array: force}}
""",
        encoding="utf-8",
    )
    checked = pipeline.check(tmp_path / "spec.yaml")
    described = describe_model(checked.graph, checked.data, Deployment(), {}, "")
    assert described["inputs"]["x"]["unit"] == "µV"
    assert {name: body["unit"] for name, body in described["outputs"].items()} == {"y": "N", "hidden": "%"}


def test_columns_that_the_file_encodes(tmp_path: Path) -> None:
    checked = check(
        tmp_path,
        """
nnspec: 1
inputs: {x: {axes: {feature: auto}}}
model: [{Dense: 1}]
outputs: {y: {task: regression}}
data:
  source: {csv: rows.csv}
  units: {temp: °F}
  split: {train: 0.7, test: 0.3}
  inputs: {x: {columns: {temp: standard, kind: one_hot}}}
  outputs: {y: {columns: [wind]}}
""",
    )
    assert input_units(checked.graph, checked.data, "x") == {"temp": "°F"}
    assert output_units(checked.graph, checked.data, "y") == {}
