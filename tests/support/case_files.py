"""The files of layer cases: tests/layers/<family>/cases_<module>.py has those of nnspec/layers/<family>/<module>.py.

Such a file holds `CASES`; `FORMS`, from which random uses of its kinds come; `NOT_DRAWN` for
kinds of which random uses would show nothing; and `NOT_EXPORTED` for the kinds that
train but have no operator in ONNX, each with the reason: they are tested elsewhere, by training.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from tests.support.layer_cases import Case
from tests.support.paths import ROOT
from tests.support.strategies.form_parts import Form, Wrapping

FOLDER = ROOT / "tests" / "layers"
# `linear.dense` -> the file of its cases
FILES: dict[str, ModuleType] = {
    f"{path.parent.name}.{path.stem.removeprefix('cases_')}": importlib.import_module(
        f"tests.layers.{path.parent.name}.{path.stem}"
    )
    for path in sorted(FOLDER.glob("*/cases_*.py"))
}
CASES: list[Case] = [case for file in FILES.values() for case in file.CASES]
NOT_EXPORTED: dict[str, str] = {
    kind: reason for file in FILES.values() for kind, reason in getattr(file, "NOT_EXPORTED", {}).items()
}
NOT_DRAWN: dict[str, str] = {
    kind: reason for file in FILES.values() for kind, reason in getattr(file, "NOT_DRAWN", {}).items()
}
FORMS: dict[str, Form | Wrapping] = {
    kind: form for file in FILES.values() for kind, form in getattr(file, "FORMS", {}).items()
}
KINDS: list[str] = list(dict.fromkeys(case.kind for case in CASES))


def cases_of(kind: str) -> list[Case]:
    """The cases of one kind."""
    return [case for case in CASES if case.kind == kind]
