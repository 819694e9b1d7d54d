"""Layers at work with each argument of words, or of yes and no, at each value: what no case of the tests has.

Each is the first case of a kind that can be checked with the value, and is called as that one with the argument behind
it: `GRU-masked~stateful=True`. There are neither oracles nor ONNX nodes: they compare engines.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from nnspec.diagnostics import SpecError
from nnspec.layers.registry import REGISTRY
from tests.support.case_files import CASES, KINDS, NOT_EXPORTED, cases_of
from tests.support.layer_cases import Case, checked

MARK = "~"
# What says nothing here: the default under its other name, and kernels of GPUs.
SAME = {("data_format", "channels_last"), ("use_cudnn", True)}
RANDOM = "nnspec.layers.image.augment"  # changes of pictures, which each engine draws


def options(schema: dict[str, Any]) -> list[Any]:
    """The values that a schema lists."""
    if "enum" in schema:
        return [value for value in schema["enum"] if value is not None]
    return [True, False] if schema.get("type") == "boolean" else []


@cache
def argument_cases() -> list[Case]:
    """By kind and argument."""
    return [case for kind in KINDS for case in _of_kind(kind)]


def _of_kind(kind: str) -> Iterator[Case]:
    layer = REGISTRY.get(kind)
    known = [case for case in cases_of(kind) if case.body is None or isinstance(case.body, dict)]
    if layer is None or kind in NOT_EXPORTED or type(layer).__module__.startswith(RANDOM):
        return
    for name, argument in layer.args.items():
        had = [(case.body or {}).get(name, argument.default) for case in known]
        for value in options(argument.schema) if argument.family is None else []:
            if any(value is each or value == each for each in had) or (name, value) in SAME:
                continue
            found = next(filter(_is_right, (_with(case, name, value) for case in known[:6])), None)
            if found is not None:
                yield found


def _with(case: Case, name: str, value: Any) -> Case:
    body = {**(case.body or {}), name: value}
    return replace(case, body=body, id=f"{case.id}{MARK}{name}={value}", oracle=None, ops=None)


def _is_right(case: Case) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            checked(case, Path(folder))
        except SpecError:
            return False
    return True


def case_of(label: str) -> Case:
    """The case that is called so."""
    return next(case for case in (argument_cases() if MARK in label else CASES) if case.label == label)
