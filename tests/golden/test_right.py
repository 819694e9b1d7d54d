"""Well-known networks as a newcomer writes them, from a paper or an example: none may raise an alarm.

A comment line `warns: CODE` names what is only warned of, `fixed: CODE` an error whose certain fix makes it clean.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nnspec.api import load
from nnspec.fix.files import fix_file
from nnspec.ir.symbols import lengths_of, size_at
from nnspec.pipeline import check, diagnose
from tests.property.test_random_networks import verify
from tests.support.paths import ERRORS

FOLDER = ERRORS.parent / "right"
SPECS = sorted(FOLDER.glob("*.yaml"))


def said(spec: Path, word: str) -> set[str]:
    """The codes that a spec's comment names behind a word."""
    return set(re.findall(rf"^# {word}: (NN\d+)$", spec.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_no_alarm(spec: Path) -> None:
    diagnostics = diagnose(spec)
    assert {d.code for d in diagnostics if d.is_error} == said(spec, "fixed")
    if not said(spec, "fixed"):  # warnings of a later phase come up when the errors are mended
        assert {d.code for d in diagnostics} == said(spec, "warns")
    assert {d.code for d in fix_file(spec).remaining} == said(spec, "warns")


# Those whose way to ONNX is another one than that of specs without any doubt: cut filters, gates, layers left out.
EXPORTED = [
    "ssd_heads",
    "capsules",
    "pixel_shuffle_1d",
    "se_resnet",
    "film",
    "aspp",
    "n_beats",
    "conditional_decoder",
    *("conformer", "bilinear_cnn"),
]


@pytest.mark.parametrize("stem", EXPORTED)
def test_onnx_runtime_computes_it(stem: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(fix_file(FOLDER / f"{stem}.yaml").after, encoding="utf-8")
    verify(check(path), 1)


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_keras_builds_it(spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(fix_file(spec).after, encoding="utf-8")
    graph = check(path).graph
    model = load(path).compile()
    assert sum(int(np.prod(weight.shape)) for weight in model.weights if "seed" not in weight.path) == graph.parameters
    rng = np.random.default_rng(0)
    fed = {}
    lengths = lengths_of(graph, 6)
    for name, value in graph.inputs.items():
        shape = (2, *(int(size_at(axis.size, lengths)) for axis in value.axes))
        made = rng.integers(0, 5, shape) if value.dtype.startswith("int") else rng.normal(0, 1, shape)
        fed[name] = made.astype(value.dtype)
    made = model(fed if len(fed) > 1 else next(iter(fed.values())), training=False)  # a graph of it would be traced
    results = made if isinstance(made, dict) else {next(iter(graph.outputs)): made}
    for name, output in graph.outputs.items():
        sizes = [int(size_at(axis.size, lengths)) for axis in output.value.axes]
        assert np.asarray(results[name]).shape == (2, *sizes)
        assert np.all(np.isfinite(np.asarray(results[name])))
