"""Small plans, and what the quick check says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import Diagnostic, SpecError
from tests.unit.data.section.test_plan import plan_of, slot

TABLE = """
source: {csv: a.csv}
order_by: t
split: {train: 0.5, test: 0.5}
window: {lookback: 4, horizon: 3}
inputs: {w: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
W = slot("w", ("time", 4), ("feature", 2))
Y = slot("y", ("unit", 1), task="regression")
ARRAYS = """
source: {npz: a.npz}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {array: x}}
outputs: {y: {array: y}}
"""
X = slot("x", ("row", 2), ("feature", 3))


def run(text: str, root: Path, inputs: list[Slot], outputs: list[Slot]) -> list[Diagnostic]:
    plan = plan_of(text, root)
    given = {s.name: s for s in inputs}, {s.name: s for s in outputs}
    found = probe(plan, *given)
    if found:  # the loader says the same, and raises nothing else
        with pytest.raises(SpecError) as caught:
            load(plan, *given)
        assert [d.code for d in caught.value.diagnostics] == [d.code for d in found]
    return found


def one(text: str, root: Path, inputs: list[Slot], outputs: list[Slot]) -> Diagnostic:
    found = run(text, root, inputs, outputs)
    assert len(found) == 1, [(d.code, d.message) for d in found]
    return found[0]


def quoted(diagnostic: Diagnostic) -> str:
    """What the diagnostic's span covers."""
    span = diagnostic.span
    return span.source.line(span.line)[span.column - 1 : span.end_column - 1]


def head_of(size: int, **more: object) -> Slot:
    return slot("y", ("class", size), task="classification", class_axis="class", **more)
