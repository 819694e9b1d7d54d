"""A body that is no mapping is the layer's main argument: `Dense: 10`."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from nnspec import pipeline
from nnspec.diagnostics import SpecError
from nnspec.expansion.resolved import to_plain_spec
from nnspec.explain.pages import page
from nnspec.layers.registry import REGISTRY
from nnspec.schema.publish import published

IMAGE = {"height": 8, "width": 6, "channel": 4}
STEPS = {"time": 8, "feature": 4}
VECTOR = {"feature": 6}
FORMS = [  # what a body alone stands for
    ("Activation", "relu", "activation", VECTOR),
    ("Dropout", 0.5, "rate", VECTOR),
    ("Dense", 10, "units", VECTOR),
    ("Dense", "$width", "units", VECTOR),
    ("Dense", "$(2 * width)", "units", VECTOR),
    ("ZeroPadding2D", 3, "padding", IMAGE),
    ("ZeroPadding2D", [1, 2], "padding", IMAGE),
    ("ZeroPadding1D", [1, "$width"], "padding", STEPS),
    ("Cropping2D", [[1, 0], [2, 1]], "cropping", IMAGE),
    ("Reshape", [2, 3], "target_shape", VECTOR),
    ("Reshape", [-1, 4], "target_shape", IMAGE),
    ("Rescaling", 0.5, "scale", VECTOR),
    ("LeakyReLU", 0.2, "negative_slope", VECTOR),
    ("ELU", 0.5, "alpha", VECTOR),
    ("ReLU", 6, "max_value", VECTOR),
    ("Softmax", "feature", "axis", STEPS),
    ("MaxPooling2D", 2, "pool_size", IMAGE),
    ("MaxPool2D", [2, 1], "pool_size", IMAGE),
    ("AveragePooling1D", 4, "pool_size", STEPS),
    ("UpSampling2D", 2, "size", IMAGE),
    ("RepeatVector", 5, "n", VECTOR),
    ("LSTM", 3, "units", STEPS),
    ("GRU", "$width", "units", STEPS),
    ("Permute", [2, 1], "dims", STEPS),
    ("GaussianNoise", 0.1, "stddev", VECTOR),
    ("SpatialDropout1D", 0.2, "rate", STEPS),
    ("Masking", -1.0, "mask_value", STEPS),
    ("GroupNormalization", 2, "groups", IMAGE),
    ("AdaptiveAveragePooling2D", 2, "output_size", IMAGE),
]


def checked(folder: Path, items: list[object], axes: dict[str, int], **sections: object) -> pipeline.Checked:
    spec = {
        "nnspec": 1,
        "vars": {"width": 3},
        "inputs": {"x": {"axes": axes}},
        "outputs": {"y": {"task": "regression"}},
        **sections,
        "model": items,
    }
    assert not list(jsonschema.Draft7Validator(published()).iter_errors(spec))
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return pipeline.check(path)


def first(made: pipeline.Checked) -> tuple[str, dict[str, object], str]:
    node = made.graph.nodes[0]
    return node.kind, dict(node.args), str(node.outputs[0].axes)


@pytest.mark.parametrize(("kind", "value", "argument", "axes"), FORMS)
def test_a_body_alone(kind: str, value: object, argument: str, axes: dict[str, int], tmp_path: Path) -> None:
    short = checked(tmp_path, [{kind: value}, {"Dense": 1}], axes)
    assert first(short) == first(checked(tmp_path, [{kind: {argument: value}}, {"Dense": 1}], axes))
    body = next(iter(to_plain_spec(short.root)["model"][0].values()))
    assert body == {argument: value}, "the resolved spec names the argument"


@pytest.mark.parametrize("kind", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
def test_names_alone_are_what_a_join_reads(kind: str, tmp_path: Path) -> None:
    pair = [{"Dense": {"units": 3, "name": name, "from": "x"}} for name in ("a", "b")]
    made = checked(tmp_path, [*pair, {kind: ["a", "b"]}], VECTOR)
    assert [value.node for value in made.graph.nodes[-1].inputs] == ["a", "b"]


def test_inside_blocks_repeats_wrappers_and_shared_layers(tmp_path: Path) -> None:
    items = [
        {"share": "project"},
        {"repeat": {"times": 2, "model": [{"Dropout": 0.1}]}},
        {"block": "squash"},
        {"TimeDistributed": {"layer": {"Dense": 5}}},
        {"TimeDistributed": "Flatten"},
        {"RNN": {"cell": {"LSTMCell": 3}, "return_sequences": True}},
        {"RNN": {"cell": {"StackedRNNCells": {"cells": [{"GRUCell": 3}, {"LSTMCell": 2}]}}, "return_sequences": True}},
        {"Bidirectional": {"layer": {"LSTM": 4}, "backward_layer": {"LSTM": {"units": 4, "go_backwards": True}}}},
    ]
    blocks = {"squash": {"model": [{"Activation": "tanh"}]}}
    made = checked(tmp_path, items, STEPS, blocks=blocks, layers={"project": {"Dense": 7}})
    assert made.graph.outputs["y"].value.axes[-1].size == 8
    assert made.graph.nodes[0].args["units"] == 7


def test_every_layer_with_one_argument_may_be_so_written() -> None:
    for kind, layer in REGISTRY.items():
        required = layer.required_arguments()
        if len(required) == 1 and kind not in ("RNN", "Dot") and not layer.is_axis_operation:
            assert layer.main_argument == required[0], kind
        if layer.main_argument is not None and not layer.is_axis_operation:
            assert f"`{layer.main_argument}`: `{kind}: " in (page(kind) or "")


OBJECTS = [  # a value alone, and what it stands for
    ("kernel_regularizer", {"L2": 0.01}, {"L2": {"l2": 0.01}}),
    ("bias_initializer", {"Constant": -2}, {"Constant": {"value": -2}}),
    ("kernel_initializer", {"Orthogonal": 2.0}, {"Orthogonal": {"gain": 2.0}}),
    ("kernel_constraint", {"MaxNorm": "$width"}, {"MaxNorm": {"max_value": 3}}),
]


@pytest.mark.parametrize(("key", "alone", "whole"), OBJECTS)
def test_an_object_of_a_layer(key: str, alone: object, whole: object, tmp_path: Path) -> None:
    made = checked(tmp_path, [{"TimeDistributed": {"layer": {"Dense": {"units": 1, key: alone}}}}], STEPS)
    assert made.graph.nodes[0].inner is not None
    assert made.graph.nodes[0].inner.args[key] == whole


def test_objects_of_training_and_outputs(tmp_path: Path) -> None:
    training = {"optimizer": {"Adam": 0.01}, "callbacks": [{"EarlyStopping": "loss"}, "TerminateOnNaN"]}
    outputs = {"y": {"task": "regression", "loss": {"Huber": 0.5}}}
    made = to_plain_spec(checked(tmp_path, [{"Dense": 1}], VECTOR, training=training, outputs=outputs).root)
    assert made["training"]["optimizer"] == {"Adam": {"learning_rate": 0.01}}
    assert made["training"]["callbacks"] == [{"EarlyStopping": {"monitor": "loss"}}, "TerminateOnNaN"]
    assert made["outputs"]["y"]["loss"] == {"Huber": {"delta": 0.5}}


def test_an_object_with_several_arguments_asks_for_the_name(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    item = "Dense: {units: 1, kernel_initializer: {RandomNormal: 0.02}}"
    path.write_text(
        f"nnspec: 1\ninputs: {{x: {{axes: {{a: 3}}}}}}\nmodel: [{{{item}}}]\noutputs: {{y: {{task: regression}}}}\n"
    )
    with pytest.raises(SpecError) as caught:
        pipeline.check(path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "NN202"
    assert "`{RandomNormal: {stddev: …}}`" in diagnostic.fixes[0].message


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("Dense: relu", "`units` of `Dense` must be an integer, but it is the string `relu`"),
        ("Dense: 2.5", "`units` of `Dense` must be an integer, but it is `2.5`"),
        ("Dropout: 3", "`rate` of `Dropout` must be less than 1, but it is 3"),
        ("Activation: rlu", "`activation` of `Activation` cannot be `rlu`; did you mean `relu`?"),
        ("Conv1D: 32", "`Conv1D` must be a mapping, but it is `32`"),
        ("Flatten: 3", "`Flatten` must be a mapping, but it is `3`"),
        ("Add: [x, z]", "no input or earlier layer is named `z`"),
    ],
)
def test_what_is_wrong_with_it_names_the_argument(item: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"nnspec: 1\ninputs: {{x: {{axes: {{time: 8, feature: 4}}}}}}\nmodel:\n  - {item}\n"
        "outputs: {y: {task: regression}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as caught:
        pipeline.check(path)
    assert message in [diagnostic.message for diagnostic in caught.value.diagnostics]
