"""Keras' other names for layers: each means its kind wherever a layer may stand."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import keras
import pytest

from nnspec import pipeline, show
from nnspec.diagnostics import SpecError
from nnspec.expansion.aliases import with_kinds_in_path
from nnspec.explain import pages
from nnspec.layers.aliases import ALIASES

SPEC = """
nnspec: 1
inputs: {x: {axes: {frame: 2, time: 32, channel: 3}}}
blocks:
  half: {model: [{MaxPool1D: {pool_size: 2}}]}
layers:
  filters: {Convolution1D: {filters: 3, kernel_size: 1}}
model:
  - TimeDistributed: {over: frame, layer: {Convolution1D: {filters: 3, kernel_size: 2, padding: same}}}
  - TimeDistributed: {over: frame, layer: MaxPool1D}
  - merge: {time: [frame, time]}
  - share: filters
  - repeat: {times: 2, model: [MaxPool1D, {AvgPool1D: {pool_size: 2}}]}
  - block: half
  - GlobalAvgPool1D
outputs: {y: {task: regression}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_table_is_what_keras_exports() -> None:
    exported = {
        name: value.__name__
        for name, value in vars(keras.layers).items()
        if inspect.isclass(value) and name != value.__name__ and hasattr(keras.layers, value.__name__)
    }
    assert exported == ALIASES


def test_an_alias_is_its_kind_everywhere(tmp_path: Path) -> None:
    shown = show.to_json(pipeline.check(write(tmp_path, SPEC)).graph)
    plain = SPEC
    for alias, kind in ALIASES.items():
        plain = plain.replace(alias, kind)
    assert plain != SPEC
    same = show.to_json(pipeline.check(write(tmp_path, plain)).graph)
    assert shown == same
    assert not set(ALIASES) & {layer["kind"] for layer in shown["layers"]}
    assert not [alias for alias in ALIASES if alias in json.dumps(shown)]


@pytest.mark.parametrize("name", ["MaxPool1D", "MaxPooling1D"])
def test_overrides_reach_an_alias_by_either_name(name: str, tmp_path: Path) -> None:
    path = f"blocks.half.model[0].{name}.pool_size"
    graph = pipeline.check(write(tmp_path, SPEC), {path: 1}).graph
    assert next(node.args for node in graph.nodes if node.name == "half_1/max_pooling1d_1")["pool_size"] == 1
    replaced = pipeline.check(write(tmp_path, SPEC), {"model[6]": {"GlobalMaxPool1D": None}}).graph
    assert replaced.nodes[-1].kind == "GlobalMaxPooling1D"


def test_only_layers_are_renamed(tmp_path: Path) -> None:
    """Variables, inputs and nodes may be called as a layer is."""
    text = """
nnspec: 1
vars: {MaxPool1D: 2}
inputs: {AvgPool1D: {axes: {time: 8, channel: 3}}}
model:
  - MaxPool1D: {name: MaxPool1D, from: AvgPool1D, pool_size: $MaxPool1D}
outputs: {y: {from: MaxPool1D, task: regression}}
"""
    (node,) = pipeline.check(write(tmp_path, text), {"vars.MaxPool1D": 4}).graph.nodes
    assert (node.kind, node.name, node.args["pool_size"]) == ("MaxPooling1D", "MaxPool1D", 4)
    assert with_kinds_in_path("vars.MaxPool1D") == "vars.MaxPool1D"


def test_a_fault_stands_at_the_alias(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as raised:
        pipeline.check(write(tmp_path, SPEC.replace("{MaxPool1D: {pool_size: 2}}", "{MaxPool1D: {pool: 2}}")))
    (found,) = raised.value.diagnostics
    assert found.code == "NN201"
    assert found.span.line == 5


def test_explain_knows_aliases() -> None:
    assert pages.page("avgpool1d") == pages.page("AveragePooling1D")
    assert pages.page("Permute") != pages.page("permute")
