"""The files of layer cases: tests/layers/<family>/cases_<module>.py has those of nnspec/layers/<family>/<module>.py."""

from __future__ import annotations

import importlib

from tests.support.layer_cases import Case
from tests.support.paths import ROOT

FOLDER = ROOT / "tests" / "layers"
MODULES = sorted(f"{path.parent.name}.{path.stem}" for path in FOLDER.glob("*/cases_*.py"))


def cases_of(module: str) -> list[Case]:
    """The cases of one file, such as `linear.cases_dense`."""
    cases: list[Case] = importlib.import_module(f"tests.layers.{module}").CASES
    return cases


CASES: list[Case] = [case for module in MODULES for case in cases_of(module)]
