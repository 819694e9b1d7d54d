"""Variables in the place of keys: names of axes that a block is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nnspec import pipeline
from nnspec.diagnostics import SpecError


def spec(folder: Path, axis: Any, **more: Any) -> pipeline.Checked:
    gamma = {"axes": {"$axis": None}, "initializer": {"Constant": {"value": 0.5}}}
    scale = {"formula": {"expression": "x * gamma / (1 + mean(x, $axis))", "weights": {"gamma": gamma}}}
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 4, "channel": 3}}},
        "blocks": {"layer_scale": {"parameters": {"axis": None}, "model": [scale, {"rename": {"$axis": "$(axis)_2"}}]}},
        "model": [{"block": {"use": "layer_scale", "axis": axis}}],
        "outputs": {"y": {"task": "regression"}},
        **more,
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return pipeline.check(path)


def test_a_block_is_given_the_axis_of_its_weight(tmp_path: Path) -> None:
    for axis, count in (("channel", 3), ("time", 4)):
        graph = spec(tmp_path, axis).graph
        assert graph.parameters == count
        assert f"{axis}_2" in [made.name for made in graph.outputs["y"].value.axes]


def test_a_key_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        spec(tmp_path, 3)
    assert refused.value.diagnostics[0].code == "NN111"
    assert "`$axis` must be a name here, but it is 3" in refused.value.diagnostics[0].message


def test_an_unknown_variable_in_a_key_is_said(tmp_path: Path) -> None:
    document = {"inputs": {"x": {"axes": {"$no_such": 4, "channel": 3}}}}
    with pytest.raises(SpecError) as refused:
        spec(tmp_path, "channel", **document)
    assert refused.value.diagnostics[0].code == "NN110"


def test_two_keys_do_not_become_one(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        spec(tmp_path, "channel", inputs={"x": {"axes": {"$a": 4, "$b": 3}}}, vars={"a": "time", "b": "time"})
    assert "two keys" in refused.value.diagnostics[0].message
