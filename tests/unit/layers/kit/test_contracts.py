"""Contracts of layers on the axes that they read: an order where they step, softmax and normalization."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nnspec.diagnostics.text import to_json
from nnspec.pipeline import diagnose

WINDOW = "time: 10, feature: 5"


def codes(tmp_path: Path, axes: str, items: list[str], task: str = "regression") -> list[tuple[str, bool]]:
    model = "".join(f"  - {item}\n" for item in items)
    path = tmp_path / "spec.yaml"
    text = f"nnspec: 1\ninputs: {{x: {{axes: {{{axes}}}}}}}\nmodel:\n{model}outputs: {{y: {{task: {task}}}}}\n"
    path.write_text(text, encoding="utf-8")
    return [(d.code, d.is_error) for d in diagnose(path)]


BEHIND = "Dense: {units: 2}"


@pytest.mark.parametrize(
    ("axes", "items"),
    [
        (WINDOW, ["Dense: {units: 1}", "Softmax", BEHIND]),
        (WINDOW, ["Dense: {units: 1, activation: softmax}", BEHIND]),
        (WINDOW, ["Conv1D: {filters: 1, kernel_size: 3, activation: softmax}", BEHIND]),
        (WINDOW, ["TimeDistributed: {layer: {Dense: {units: 1, activation: softmax}}}", BEHIND]),
        ("time: 1, feature: 5", ["Softmax: {axis: time}", BEHIND]),
        ("a: 1, b: 1, feature: 5", ["Softmax: {axis: [a, b]}", BEHIND]),
    ],
)
def test_a_softmax_over_one_position(axes: str, items: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, axes, items) == [("NN324", True)]


@pytest.mark.parametrize(
    ("axes", "items"),
    [
        (WINDOW, ["Dense: {units: 1}", "Softmax: {axis: time}", BEHIND]),
        ("time: T, feature: 5", ["Dense: {units: 1}", "Softmax: {axis: time}", BEHIND]),
        ("a: 1, feature: 5", ["Softmax: {axis: [a, feature]}", BEHIND]),
        (WINDOW, ["LSTM: {units: 1, activation: softmax, return_sequences: true}", BEHIND]),
        (WINDOW, ["Dense: {units: 1, activation: sigmoid}", BEHIND]),
    ],
)
def test_a_softmax_that_shares_out(axes: str, items: list[str], tmp_path: Path) -> None:
    assert not codes(tmp_path, axes, items)


def test_a_head_is_said_once(tmp_path: Path) -> None:
    """Where the task says already that its softmax is wrong, that is enough."""
    head = ["Flatten", "Dense: {units: 1, activation: softmax}"]
    assert codes(tmp_path, WINDOW, head, "binary") == [("NN507", True)]
    assert codes(tmp_path, WINDOW, head, "classification") == [("NN324", True)]


@pytest.mark.parametrize(
    ("axes", "item", "is_warned"),
    [
        (WINDOW, "BatchNormalization: {axis: 1}", True),
        (WINDOW, "GroupNormalization: {axis: 1, groups: 2}", True),
        ("feature: 5, time: 10", "BatchNormalization", True),
        (WINDOW, "BatchNormalization", False),
        (WINDOW, "BatchNormalization: {axis: time}", False),
        ("time: 10, frequency: 7", "BatchNormalization: {axis: 1}", False),
        ("time: 10", "BatchNormalization", False),
        ("time: 10, channel: 1", "BatchNormalization: {axis: 1}", False),
        (WINDOW, "LayerNormalization: {axis: 1}", False),
    ],
)
def test_statistics_for_each_step(axes: str, item: str, is_warned: bool, tmp_path: Path) -> None:
    assert codes(tmp_path, axes, [item]) == ([("NN325", False)] if is_warned else [])


CONV = "Conv1D: {filters: 4, kernel_size: 3, padding: same%s}"
SAID = ", over: sensor"


@pytest.mark.parametrize(
    "items",
    [
        [CONV % SAID, CONV % "", "MaxPooling1D: 2", CONV % "", BEHIND],
        [CONV % f"{SAID}, name: a", CONV % ", from: x, name: b", "Concatenate: [a, b]", CONV % ""],
        [CONV % SAID, "Bidirectional: {layer: {LSTM: 3}}"],
    ],
)
def test_what_over_said_once_lasts(items: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, "sensor: 12, channel: 3", items) == []
    unsaid = [item.replace(SAID, "") for item in items]
    assert ("NN308", True) in codes(tmp_path, "sensor: 12, channel: 3", unsaid)


def test_what_over_said_of_one_axis_holds_for_that_one(tmp_path: Path) -> None:
    items = [CONV % SAID, "permute: [filter, sensor]", CONV % ""]
    assert codes(tmp_path, "sensor: 12, channel: 3", items) == [("NN308", True)]


ANY_AXIS = ["GlobalAveragePooling1D", "GlobalMaxPooling1D", "MultiHeadAttention: {num_heads: 2, key_dim: 2}"]


@pytest.mark.parametrize("item", ANY_AXIS)
def test_attention_and_global_pooling_take_any_axis(item: str, tmp_path: Path) -> None:
    assert codes(tmp_path, "sensor: 12, feature: 3", [item]) == []
    assert codes(tmp_path, "sensor: 12, time: 7", [item]) == [("NN308", False)]


LAID_OUT = [
    ("Dense: 28", ["split: {unit: {time: 7, feature: 4}}", "LSTM: 3"]),
    ("Dense: 28", ["Reshape: [7, 4]", "Conv1D: {filters: 2, kernel_size: 3}"]),
    ("Dense: 28", ["Reshape: {to: {step: 7, channel: 4}}", "MaxPooling1D: 2"]),
    ("Dense: {units: 7, as: time}", ["insert: {feature: 1}", "GRU: 3"]),
    ("Dense: 7", ["rename: {unit: frame}", "insert: {feature: 1}", "GRU: 3"]),
]


@pytest.mark.parametrize(("made", "items"), LAID_OUT)
def test_what_a_dense_made_may_be_given_an_order(made: str, items: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, "feature: 5", [made, *items]) == []


@pytest.mark.parametrize(
    "items",
    [
        ["Dense: 28", "split: {unit: {feature: 4, time: 7}}", "LSTM: 3"],  # its own names say that it is turned
        ["insert: {channel: 1}", "LSTM: 8", "Reshape: [8, 1]", "LSTM: 3"],  # the units of a state are no steps
    ],
)
def test_what_is_still_no_order(items: list[str], tmp_path: Path) -> None:
    assert ("NN308", True) in codes(tmp_path, "time: 5" if "insert" in items[0] else "feature: 5", items)


def test_a_size_that_is_not_known_is_told_in_json_too(tmp_path: Path) -> None:
    codes(tmp_path, "time: T", ["BatchNormalization"])
    (found,) = to_json(diagnose(tmp_path / "spec.yaml"))["diagnostics"]
    assert json.loads(json.dumps(found))["code"] == "NN313"


@pytest.mark.parametrize("layer", ["Conv1D: {filters: 4, kernel_size: 3}", "MaxPooling1D: 2"])
def test_where_no_other_axis_has_an_order_the_fix_says_that_this_one_has(layer: str, tmp_path: Path) -> None:
    """A permute to an axis of one position would be no help."""
    path = tmp_path / "spec.yaml"
    model = f"  - Reshape: [16, 1]\n  - {layer}\n  - Flatten\n  - Dense: 1\n"
    text = f"nnspec: 1\ninputs: {{x: {{axes: {{feature: 16}}}}}}\nmodel:\n{model}outputs: {{y: {{task: regression}}}}\n"
    path.write_text(text, encoding="utf-8")
    (found,) = diagnose(path)
    (fix,) = found.fixes
    assert (found.code, "over: feature" in fix.edits[0].text) == ("NN308", True)
    kind, _, body = layer.partition(": ")
    said = f"{body[:-1]}, over: feature}}" if body.startswith("{") else f"{{pool_size: {body}, over: feature}}"
    path.write_text(text.replace(layer, f"{kind}: {said}"), encoding="utf-8")
    assert diagnose(path) == []
