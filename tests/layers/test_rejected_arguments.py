"""Of every kind: an argument of a wrong type or beyond a bound, one that it does not take and one that is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nnspec.diagnostics import Report, Source
from nnspec.document import parse
from nnspec.layers.kit.args import REQUIRED, Arg
from nnspec.layers.registry import REGISTRY
from nnspec.schema import assembly as schema
from nnspec.validation.validate import validate_document
from tests.support.strategies.arguments import wrong_values

# A fine value for what a kind requires.
FINE: dict[str, Any] = {"layer": {"Dense": {"units": 1}}, "cell": {"LSTMCell": {"units": 1}}}
KINDS = [kind for kind, layer in REGISTRY.items() if layer.args]


def fine_value(name: str, arg: Arg) -> Any:
    if name in FINE:
        return FINE[name]
    if arg.family is not None:
        return "relu"
    if "enum" in arg.schema:
        return arg.schema["enum"][0]
    types = arg.schema["type"]
    first = types if isinstance(types, str) else types[0]
    item = "feature" if arg.schema.get("items", {}).get("type") == "string" else 1
    listed = [item] * arg.schema.get("minItems", 1)
    if name == "cells":
        listed = [FINE["cell"]]
    return {"string": "a", "array": listed, "boolean": True, "object": {"feature": 1}}.get(
        first, arg.schema.get("minimum", 1)
    )


def faults(kind: str, body: dict[str, Any]) -> list[str]:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": 3}}},
        "model": [{kind: body}],
        "outputs": {"y": {"task": "regression"}},
    }
    report = Report()
    validate_document(parse(Source("case.yaml", json.dumps(document))), report)
    return [f"{d.code} {d.path}" for d in report.items]


def required(kind: str) -> dict[str, Any]:
    args = REGISTRY[kind].args
    body = {name: fine_value(name, arg) for name, arg in args.items() if arg.default is REQUIRED}
    return {"target_shape": [3]} if kind == "Reshape" else body  # one of two


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_values(kind: str) -> None:
    body = required(kind)
    assert not faults(kind, body)
    for name, arg in REGISTRY[kind].args.items():
        is_plain = arg.family is None and bool({"type", "enum"} & arg.schema.keys())
        wrong = wrong_values(arg.schema) if is_plain else ["no such thing", [1]]
        assert wrong, f"`{name}` takes anything"
        for value in wrong:
            others = {} if kind == "Reshape" else body
            found = faults(kind, {**others, name: value})
            assert found, f"`{name}: {json.dumps(value)}` is let pass"
            assert all(name in fault for fault in found), f"{found} does not speak of `{name}`"


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_and_missing_arguments(kind: str) -> None:
    body = required(kind)
    if schema.definition(f"layer_{kind}", is_strict=True).get("additionalProperties") is False:
        assert any(fault.startswith("NN201") for fault in faults(kind, {**body, "no_such_argument": 1}))
    for name in body if kind != "Reshape" else ():
        assert any(fault.startswith("NN203") for fault in faults(kind, {k: v for k, v in body.items() if k != name}))
