"""Elementwise joins: the same axes, or a repetition that is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.diagnostics import Applicability, Diagnostic
from nnspec.diagnostics.apply import apply_fixes
from nnspec.ir import axes as ax
from nnspec.pipeline import check, diagnose

A, B = "a: {axes: {time: 10, feature: 5}}", "b: {axes: {feature: 5}}"


def written(tmp_path: Path, inputs: list[str], join: str) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"nnspec: 1\ninputs: {{{', '.join(inputs)}}}\nmodel:\n  - {join}\noutputs: {{y: {{task: regression}}}}\n",
        encoding="utf-8",
    )
    return path


def faults(tmp_path: Path, inputs: list[str], join: str) -> list[Diagnostic]:
    return diagnose(written(tmp_path, inputs, join))


SILENT = [
    ([A, B], "Add: {from: [a, b]}", "(time 10, feature 5)"),
    ([A, B], "Add: {from: [b, a]}", "(time 10, feature 5)"),
    ([A, "b: {axes: {time: 1, feature: 5}}"], "Add: {from: [b, a]}", "(time 10, feature 5)"),
    ([A, "b: {axes: {time: 10, feature: 1}}"], "Add: {from: [a, b], name: sum}", "(time 10, feature 5)"),
    ([A, "b: {axes: {time: 1, feature: 1}}"], "Multiply: {from: [a, b]}", "(time 10, feature 5)"),
    (["a: {axes: {time: T, feature: 5}}", B], "Maximum: {from: [a, b]}", "(time T, feature 5)"),
    (
        ["a: {axes: {time: T, feature: 5}}", "b: {axes: {time: 1, feature: 5}}"],
        "Add: {from: [a, b]}",
        "(time T, feature 5)",
    ),
    (
        ["a: {axes: {time: T, feature: 5}}", "b: {axes: {time: S, feature: 1}}"],
        "Multiply: {from: [a, b]}",
        "(time S, feature 5)",  # S is T
    ),
    (["a: {axes: {q: 3, k: 1}}", "b: {axes: {q: 1, k: 4}}"], "Add: {from: [a, b]}", "(q 3, k 4)"),
    ([A, "b: {axes: {time: 10}}"], "Subtract:\n      from: [a, b]", "(time 10, feature 5)"),
]


@pytest.mark.parametrize(("inputs", "join", "expected"), SILENT)
def test_a_repetition_is_an_error_until_it_is_written(
    inputs: list[str], join: str, expected: str, tmp_path: Path
) -> None:
    path = written(tmp_path, inputs, join)
    (found,) = diagnose(path)
    assert (found.code, found.is_error) == ("NN322", True)
    path.write_text(apply_fixes(path.read_text(encoding="utf-8"), found.fixes[:1]), encoding="utf-8")
    checked = check(path)
    assert not checked.warnings
    assert ax.describe(checked.graph.outputs["y"].value.axes) == expected


REFUSED = [
    # no repetition would make these fit
    ([A, "b: {axes: {time: 9, feature: 5}}"], "Add: {from: [a, b]}", "NN311"),
    ([A, "b: {axes: {channel: 5}}"], "Add: {from: [a, b]}", "NN311"),
    ([A, "b: {axes: {feature: 5, time: 10}}"], "Add: {from: [a, b]}", "NN311"),
    ([A, "b: {axes: {time: 1, channel: 5}}"], "Add: {from: [a, b]}", "NN311"),
    ([A, "b: {axes: {time: 9}}"], "Add: {from: [a, b]}", "NN311"),
    # what is written does not hold
    ([A, B], "Add: {from: [a, b], broadcast: feature}", "NN323"),
    ([A, B], "Add: {from: [a, b], broadcast: tme}", "NN306"),
    ([A, "b: {axes: {time: 10, feature: 5}}"], "Add: {from: [a, b], broadcast: [time]}", "NN323"),
    ([A, "b: {axes: {time: 1, feature: 5}}"], "Add: {from: [a, b], broadcast: [time, feature]}", "NN323"),
    ([A, "b: {axes: {time: 9, feature: 1}}"], "Add: {from: [a, b], broadcast: feature}", "NN311"),
    ([A, "b: {axes: {channel: 5}}"], "Add: {from: [a, b], broadcast: time}", "NN311"),
    # Concatenate never repeats
    (
        ["a: {axes: {time: T, feature: 5}}", "b: {axes: {time: 1, feature: 5}}"],
        "Concatenate: {from: [a, b], axis: feature}",
        "NN311",
    ),
    ([A, "b: {axes: {time: 1, feature: 5}}"], "Concatenate: {from: [a, b], axis: feature}", "NN311"),
]


@pytest.mark.parametrize(("inputs", "join", "code"), REFUSED)
def test_refused(inputs: list[str], join: str, code: str, tmp_path: Path) -> None:
    found = faults(tmp_path, inputs, join)
    assert [d.code for d in found] == [code]


def test_masks_are_not_repeated(tmp_path: Path) -> None:
    join = "Masking: {from: b, name: m}\n  - Add: {from: [a, m], broadcast: time}"
    assert [d.code for d in faults(tmp_path, [A, "b: {axes: {time: 1, feature: 5}}"], join)] == ["NN310"]


def test_what_has_a_mask_is_joined_with_what_is_repeated(tmp_path: Path) -> None:
    join = "Masking: {from: a, name: m}\n  - Add: {from: [m, b], broadcast: time}"
    assert "NN310" not in [d.code for d in faults(tmp_path, [A, B], join)]


H = "LSTM: {from: a, units: 10, return_sequences: true, name: h}"
TURNED = f"{H}\n  - Permute: [2, 1]\n  - Dense: {{units: 10, activation: softmax, name: w}}"
BACK = "Permute: {dims: [2, 1], name: back}"


def test_what_a_layer_made_is_known_at_another_place(tmp_path: Path) -> None:
    """Units of a value meet its steps, where the values that weigh them were not turned back."""
    path = written(tmp_path, [A], f"{TURNED}\n  - Multiply: {{from: [h, w]}}")
    (found,) = diagnose(path)
    assert (found.code, found.is_error) == ("NN311", True)
    path.write_text(apply_fixes(path.read_text(encoding="utf-8"), found.fixes[:1]), encoding="utf-8")
    assert "order: [unit_2, unit]" in path.read_text(encoding="utf-8")
    assert diagnose(path) == []


def test_weights_of_steps_repeated_along_steps_are_turned(tmp_path: Path) -> None:
    """Attention pooling without its Permute, of as many units as steps: naming the repeats `time` would be wrong."""
    weights = "Dense: 1\n  - Flatten\n  - Activation: softmax\n  - RepeatVector: {n: 10, name: w}"
    path = written(tmp_path, [A], f"{H}\n  - {weights}\n  - Multiply: {{from: [h, w]}}")
    (found,) = diagnose(path)
    assert (found.code, found.is_error) == ("NN311", True)
    assert all(fix.applicability is not Applicability.MACHINE for fix in found.fixes)
    path.write_text(apply_fixes(path.read_text(encoding="utf-8"), found.fixes[:1]), encoding="utf-8")
    assert "order: [time_unit, step]" in path.read_text(encoding="utf-8")
    assert diagnose(path) == []


@pytest.mark.parametrize(
    "join",
    [
        f"{TURNED}\n  - {BACK}\n  - Multiply: {{from: [h, back]}}",
        f"{TURNED}\n  - rename: {{name: n, unit: time, unit_2: unit}}\n  - Multiply: {{from: [h, n]}}",  # meant
        f"{H}\n  - Dot: {{from: [h, h], axes: 2, name: s}}\n  - {BACK}\n  - Add: {{from: [s, back]}}",  # symmetric
    ],
)
def test_what_stands_at_its_place_joins(join: str, tmp_path: Path) -> None:
    assert faults(tmp_path, [A], join) == []


def test_two_sequences_of_one_name_are_compared(tmp_path: Path) -> None:
    """The words of a story and of a question, as in an end-to-end memory network."""
    story, question = "story: {axes: {word: 9, feature: 5}}", "question: {axes: {word: 4, feature: 5}}"
    model = """Dense: {name: c, from: story, units: 4}
  - Dot: {name: s, from: [story, question], axes: 2}
  - Softmax: {name: match}
  - Add: {from: [match, c]}
  - Permute: {name: answer, dims: [2, 1]}
  - Concatenate: {from: [answer, question]}"""
    path = written(tmp_path, [story, question], model)
    assert diagnose(path) == []
    made = {node.name: ax.describe(node.outputs[0].axes) for node in check(path).graph.nodes}
    assert made["s"] == "(word 9, word_2 4)"
    assert made["answer"] == "(word_2 4, word 9)"


GATE = "Dense: {from: a, units: 5, activation: sigmoid, name: g}\n  - Dense: {from: a, units: 5, name: h}\n  - "


@pytest.mark.parametrize(
    ("formula", "axes"),
    [
        ("{from: [g, h, a], expression: x1 * x2 + (1 - x1) * x3}", "(time 10, feature 5)"),
        ("{from: [a, g, h], expression: x1 * x2 + x3}", "(time 10, feature 5)"),
        ("{from: [g, h], expression: x1 * x2}", "(time 10, unit 5)"),
        ('{from: [g, a, h], expression: "sum(x1 * x2 + x3, feature)"}', "(time 10)"),
    ],
)
def test_a_highway_by_formula(formula: str, axes: str, tmp_path: Path) -> None:
    path = written(tmp_path, [A], f"{GATE}formula: {formula}")
    assert diagnose(path) == []
    assert ax.describe(check(path).graph.outputs["y"].value.axes) == axes


@pytest.mark.parametrize(
    ("inputs", "expression", "is_certain"),
    [
        (["a: {axes: {height: 4, width: 5, channel: 3}}", "b: {axes: {code: 6, channel: 3}}"], "x1 - x2", True),
        (["a: {axes: {node: 6, channel: 3}}", "b: {axes: {neighbor: 6, channel: 3}}"], "x1 + x2", False),
        (["a: {axes: {height: 4, width: 6, channel: 3}}", "b: {axes: {code: 6, channel: 3}}"], "x1 - x2", False),
    ],
)
def test_all_pairs_by_formula(inputs: list[str], expression: str, is_certain: bool, tmp_path: Path) -> None:
    path = written(tmp_path, inputs, f"formula: {{from: [a, b], expression: {expression}}}")
    (found,) = diagnose(path)
    assert found.code == "NN311"
    (fix,) = [fix for fix in found.fixes if "insert" in fix.message]
    assert (fix.applicability is Applicability.MACHINE) == is_certain
    path.write_text(apply_fixes(path.read_text(encoding="utf-8"), [fix]), encoding="utf-8")
    assert diagnose(path) == []


def test_features_of_two_layers_are_no_pairs(tmp_path: Path) -> None:
    """Another number of units is a slip rather than a product of all."""
    model = "Dense: {from: a, units: 7, name: g}\n  - formula: {from: [a, g], expression: x1 * x2}"
    (found,) = faults(tmp_path, [A], model)
    assert found.code == "NN311"
    assert not any("insert" in fix.message for fix in found.fixes)


@pytest.mark.parametrize(
    ("places", "expected"), [("[2, 2]", ["NN377"]), ("[2, 1]", []), ("[source, unit]", []), ("[1, 2]", ["NN377"])]
)
def test_a_sum_over_nodes_and_units_as_long(places: str, expected: list[str], tmp_path: Path) -> None:
    """The neighbours of a node are multiplied by its units, while the other value has nodes too."""
    inputs = ["nodes: {axes: {node: 6, feature: 4}}", "adjacency: {axes: {target: 6, source: 6}}"]
    model = f"Dense: {{from: nodes, units: 6, name: h}}\n  - Dot: {{from: [adjacency, h], axes: {places}}}"
    assert [d.code for d in faults(tmp_path, inputs, model)] == expected
