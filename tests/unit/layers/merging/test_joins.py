"""Elementwise joins: the same axes, or a repetition that is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.diagnostics import Diagnostic
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
