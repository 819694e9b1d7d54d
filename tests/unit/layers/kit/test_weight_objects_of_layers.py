"""Initializers, regularizers and constraints against weights of every rank: refused where Keras refuses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Report, Source
from nnspec.document import parse
from nnspec.expansion.expand import expand
from nnspec.inference.elaborate import elaborate

# A layer with a weight of each rank, the stem of its arguments, and what it reads.
WEIGHTS: dict[int, tuple[str, str, dict[str, Any], dict[str, int]]] = {
    1: ("Dense", "bias", {"units": 4}, {"feature": 5}),
    2: ("Dense", "kernel", {"units": 4}, {"feature": 5}),
    3: ("MultiHeadAttention", "kernel", {"num_heads": 2, "key_dim": 3}, {"time": 7, "feature": 5}),
    4: ("Conv2D", "kernel", {"filters": 4, "kernel_size": 2}, {"height": 5, "width": 7, "channel": 3}),
}
SHAPES = {1: (4,), 2: (5, 4), 3: (5, 2, 3), 4: (2, 2, 3, 4)}


def objects() -> Iterator[tuple[str, Any]]:
    """Every class of the three families by name, and norms along axes that not every weight has."""
    for family in ("initializers", "regularizers", "constraints"):
        for name in keras_objects.names(family):
            if not keras_objects.required_arguments(family, name):
                yield family, name
    for axis in (1, -2, [0, 1], [0, 1, 2]):
        yield "constraints", {"UnitNorm": {"axis": axis}}


def is_refused(body: dict[str, Any], kind: str, axes: dict[str, int]) -> bool:
    outputs = {"y": {"task": "regression"}}
    document = {"nnspec": 1, "inputs": {"x": {"axes": axes}}, "model": [{kind: body}], "outputs": outputs}
    report = Report()
    elaborate(expand(parse(Source("case.yaml", json.dumps(document))), report), report)
    assert {d.code for d in report.items if d.severity.name == "ERROR"} <= {"NN354"}
    return report.has_errors


@pytest.mark.parametrize("rank", WEIGHTS)
@pytest.mark.parametrize(("family", "value"), [pytest.param(f, v, id=str(v)) for f, v in objects()])
def test_refused_where_keras_refuses(family: str, value: Any, rank: int) -> None:
    made = keras_objects.build(family, value)
    try:
        made(SHAPES[rank]) if family == "initializers" else made(np.ones(SHAPES[rank], np.float32))
        fails = False
    except Exception:
        fails = True
    kind, stem, body, axes = WEIGHTS[rank]
    assert is_refused({**body, f"{stem}_{family[:-1]}": value}, kind, axes) == fails
