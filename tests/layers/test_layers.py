"""Every case of every layer, and a walk over the registry that misses none."""

from __future__ import annotations

import inspect
from pathlib import Path

import keras
import pytest

from nnspec.layers.merging.elementwise import ElementwiseMerge
from nnspec.layers.registry import MODULES, REGISTRY
from tests.support.case_files import CASES, FILES, cases_of
from tests.support.layer_cases import Case, run_case


def arguments_of(case: Case) -> tuple[str, str, tuple[str, ...]]:
    """The layer, what is before it, and which arguments it has, whatever their values are."""
    return case.kind, str(case.before), tuple(sorted(case.body)) if isinstance(case.body, dict) else ()


FIRST = {arguments_of(case): case for case in reversed(CASES)}  # of each combination of arguments


@pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    """The first case of each set of arguments takes a training step; that of the first of each kind is traced."""
    is_trained, is_traced = FIRST[arguments_of(case)] is case, cases_of(case.kind)[0] is case
    run_case(case, tmp_path, is_trained=is_trained, is_traced=is_traced)


def test_every_module_has_a_file_of_cases() -> None:
    """A layer's cases are found by its name; a file that belongs to no module is an orphan."""
    assert sorted(FILES) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_file_has_cases_and_forms_of_its_module_alone(module: str) -> None:
    file = FILES[module]
    elsewhere = set(getattr(file, "NOT_EXPORTED", {}))
    assert {case.kind for case in file.CASES} | elsewhere == set(MODULES[module])
    drawn = {*getattr(file, "FORMS", {}), *getattr(file, "NOT_DRAWN", {})}
    assert drawn == set(MODULES[module]) - elsewhere


def test_case_labels_differ() -> None:
    labels = [case.label for case in CASES]
    assert len(labels) == len(set(labels)), sorted(label for label in labels if labels.count(label) > 1)


@pytest.mark.parametrize("kind", [kind for kind, layer in REGISTRY.items() if not layer.is_axis_operation])
def test_arguments_are_keras_arguments(kind: str) -> None:
    """A layer's schema has every argument that its Keras class names, with the same default.

    Recurrent layers hand on to `RNN` what they do not name themselves.
    """
    assert hasattr(keras.layers, kind), "a kind that Keras does not have is lower case, with `is_axis_operation = True`"
    found = getattr(keras.layers, kind)
    signature = inspect.signature(found.__init__)
    wanted = {
        name: p.default
        for name, p in signature.parameters.items()
        if name not in ("self", "name", "dtype", "kwargs", "args") and p.kind is not p.VAR_KEYWORD
    }
    layer = REGISTRY[kind]
    extra = {"Reshape": {"to"}}.get(kind, set()) | set(REGISTRY[kind].call_arguments)
    extra |= {"broadcast"} if isinstance(layer, ElementwiseMerge) else set()
    if issubclass(found, keras.layers.RNN):
        extra |= set(inspect.signature(keras.layers.RNN.__init__).parameters) - set(wanted)
    base = {"activity_regularizer", "trainable"}
    assert set(layer.args) - extra - base == set(wanted) - base
