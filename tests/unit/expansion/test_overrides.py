"""`--set`: edits of the document before anything else looks at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nnspec import pipeline
from nnspec.diagnostics import Source, SpecError
from nnspec.diagnostics.text import to_text
from nnspec.document import locate, parse, to_plain
from nnspec.expansion.overrides import apply_overrides


def plain(text: str) -> Any:
    return to_plain(parse(Source("spec.yaml", text)))


BASE = "vars: {lookback: 10}\nmodel:\n  - Dense: {units: 3}\n  - Flatten\n"


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("vars.lookback", "12", 12),
        ("vars.new", "[1, 2]", [1, 2]),
        ("model[0].Dense.units", 7, 7),
        ("model.0.Dense.units", "8", 8),
        ("training.optimizer", "{SGD: {learning_rate: 1e-2}}", {"SGD": {"learning_rate": 0.01}}),
        ("training.seed", 3, 3),
        ("name", "", None),
        ("name", "null", None),
        ("name", "'3'", "3"),
        ("description", None, None),
        ("model[1]", {"Dense": {"units": 1}}, {"Dense": {"units": 1}}),
        ("vars.rates", (0.1, 0.2), [0.1, 0.2]),
    ],
)
def test_overrides(path: str, value: object, found: object) -> None:
    root = apply_overrides(parse(Source("spec.yaml", BASE)), {path: value})
    steps = [int(s) if s.isdigit() else s for s in path.replace("[", ".").replace("]", "").split(".")]
    assert to_plain(locate(root, tuple(steps))) == found
    assert to_plain(parse(Source("spec.yaml", BASE)))["vars"] == {"lookback": 10}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model[7].Dense.units", "3"),
        ("model.x", "3"),
        ("vars.lookback.deeper", "3"),
        ("blocks[0]", "3"),
        ("", "3"),
        ("vars.a", "[1"),
        ("vars.a", "a: b: c"),
        ("vars.a", "!!python/none x"),
        ("vars.a", object()),
        ("vars.a", {"b": {1, 2}}),
    ],
)
def test_bad_overrides(path: str, value: object) -> None:
    with pytest.raises(SpecError) as caught:
        apply_overrides(parse(Source("spec.yaml", BASE)), {path: value})
    (found,) = caught.value.diagnostics
    assert found.code == "NN112"
    assert found.span.source.name == "--set"


def test_an_override_is_pointed_at_where_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {x: {axes: {feature: 5}}}\nmodel: [{Dense: {units: 1}}]\n"
        "outputs: {y: {task: regression}}\n",
        encoding="utf-8",
    )
    (found,) = pipeline.diagnose(path, {"model[0].Dense.units": "many"})
    assert found.code == "NN202"
    assert found.span.source.name == "--set"
    assert "model[0].Dense.units=many" in to_text([found])
