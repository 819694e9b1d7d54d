"""`nnspec show --why`: the six questions answered in words, and what is asked for wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.pipeline import check
from nnspec.show.why import Page, explain_node
from tests.support.paths import ROOT


def why(spec: str, layer: str, *more: str) -> str:
    done = CliRunner().invoke(main, ["show", str(ROOT / "specs" / spec), "--why", layer, *more])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("spec", "layer", "said"),
    [
        (
            "airline_lstm.yaml",
            "lstm_1",
            [
                "units 4: It carries a hidden state of 4 numbers and a cell state of 4 numbers",
                "return_sequences false: Only the output after the last step is returned, so `time` is removed.",
                "stateful false: Every sample starts from zeros",
                "kernel (1, 16): 1 row, one for each of `feature`; 4 gates · 4 units = 16 columns: 16 numbers",
                "parameters: 4·(4·(1 + 4) + 4) = 96",
                "In the network it sees all of `time` (12).",
            ],
        ),
        (
            "airline_lstm_stacked.yaml",
            "lstm_1",
            ["return_sequences true: Every step gives an output, so `time` is kept."],
        ),
        (
            "airline_lstm_stateful.yaml",
            "memory",
            ["stateful true: Each sample continues from the final state of the same sample in the previous batch"],
        ),
        (
            "mnist_cnn.yaml",
            "conv2d_2",
            [
                "filters 64: 64 kernels slide over the input; each computes one position of `filter`.",
                "5 positions of `height` and 5 positions of `width` at once, and all 32 of `filter`.",
                "padding same: 2 zeros before and 2 after the positions of `height`: `height` keeps its 14 positions;",
                "kernel (5, 5, 32, 64): 64 kernels of 5×5×32: 51,200 numbers",
                "parameters: 5·5·32·64 + 64 = 51,264",
            ],
        ),
        (
            "mnist_depthwise.yaml",
            "depthwise_conv2d_1",
            ["depth_multiplier 2: 2 kernels for each of 32: 64 in all.", "kernel (5, 5, 32, 2): 64 kernels of 5×5"],
        ),
        (
            "causal_cnn_dependent.yaml",
            "conv1d_3",
            [
                "padding causal: 8 zeros before and none after the positions of `time`: `time` keeps its 10 positions.",
                "dilation_rate 4: The taps of a kernel are spaced: 3 taps, 4 positions apart, span 9 positions",
                "In the network it sees 15 positions of `time` (10 exist; the others are padding): itself and 14",
            ],
        ),
        (
            "causal_cnn_dependent.yaml",
            "max_pooling1d_1",
            ["strides null: Neighbouring windows are 2 positions along `time` apart: `time` goes from 10 to 5 pos"],
        ),
        (
            "causal_cnn_dependent.yaml",
            "flatten_1",
            ["`time_filter` (160) contains time and filter, the first one slowest."],
        ),
        (
            "causal_cnn.yaml",
            "permute_1",
            ["Values move with their axes: `feature` is axis 1 (it was 2) and `time` is axis 2 (it was 1)."],
        ),
        (
            "causal_cnn.yaml",
            "time_distributed_1",
            [
                "applied to each position of `feature` (5) separately, with the same weights",
                "inside: Conv1D",
                "parameters: ",
            ],
        ),
        (
            "spectrogram_lstm.yaml",
            "bidirectional_1",
            [
                "merge_mode concat: Both results are concatenated, forwards first: 64 + 64 of `unit`.",
                "backward_kernel",
                "inside: LSTM",
            ],
        ),
        (
            "multi_output_classifier.yaml",
            "split_1",
            ["`output` (16) contains unit // 7 and `class` (7) contains unit % 7"],
        ),
    ],
)  # fmt: skip
def test_the_six_questions(spec: str, layer: str, said: list[str]) -> None:
    text = why(spec, layer)
    for sentence in said:
        assert sentence in text, text


def test_json() -> None:
    told = json.loads(why("airline_lstm.yaml", "lstm_1", "--format", "json"))
    assert told["parameters"] == "4·(4·(1 + 4) + 4) = 96"
    assert {a["name"]: a["value"] for a in told["arguments"]}["units"] == "4"
    assert [w["name"] for w in told["weights"]] == ["kernel", "recurrent_kernel", "bias"]


def test_unknown_layers_and_diagrams() -> None:
    spec = str(ROOT / "specs" / "airline_lstm.yaml")
    done = CliRunner().invoke(main, ["show", spec, "--why", "lstm"])
    assert done.exit_code == 2
    assert "has no layer `lstm`; did you mean `lstm_1`?" in done.output
    assert "layers: layer_normalization_1, lstm_1, dense_1" in done.output
    done = CliRunner().invoke(main, ["show", spec, "--why", "lstm_1", "--format", "mermaid"])
    assert done.exit_code == 2


def told_of(folder: Path, axes: dict[str, Any], model: list[Any], layer: str) -> Page:
    document = {"nnspec": 1, "inputs": {"x": {"axes": axes}}, "model": model, "outputs": {"y": {"task": "regression"}}}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    graph = check(path).graph
    return explain_node(graph, next(node for node in graph.nodes if node.name == layer))


def test_an_open_length(tmp_path: Path) -> None:
    model = [{"Conv1D": {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}}, {"LSTM": {"units": 2}}]
    told = told_of(tmp_path, {"time": "T", "feature": 5}, model, "conv1d_1")
    texts = {argument.name: argument.text for argument in told.arguments}
    assert "as many as its length needs" in texts["padding"]
    assert "`time` goes from T to ceil(T/2) positions" in texts["strides"]


def test_shared_and_frozen_weights(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {x: {axes: {time: 3, feature: 5}}}\n"
        "layers: {twice: {Dense: {units: 5, trainable: false}}}\n"
        "model: [{share: twice}, {share: twice}]\noutputs: {y: {task: regression}}\n",
        encoding="utf-8",
    )
    graph = check(path).graph
    told = explain_node(graph, graph.nodes[1])
    assert told.parameters == "5·5 + 5 = 30, 0 of them trained; shared with every use of `twice`"
    assert told.weights[0].text == "a row for each of 5, a column for each of 5: 25 numbers, not changed by training"


def test_arguments_that_the_spec_gives_are_told_even_where_they_are_defaults(tmp_path: Path) -> None:
    model = [{"Conv1D": {"filters": 3, "kernel_size": 3, "use_bias": True, "name": "c"}}, {"UpSampling1D": {"size": 2}}]
    told = told_of(tmp_path, {"time": 7, "feature": 5}, model, "c")
    assert "use_bias" in {argument.name for argument in told.arguments}
    told = told_of(tmp_path, {"time": 7, "feature": 5}, model, "up_sampling1d_1")
    assert told.arguments[0].text == "Each position becomes 2: `time` goes from 5 to 10 positions."
    assert told.sees[-1] == (
        "In the network it sees 3 positions of `time` of 7. Neighbours are 1/2 positions of the input apart."
    )
