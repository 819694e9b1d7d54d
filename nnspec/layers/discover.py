"""Finds the kinds in the modules of this package: `nnspec schema` writes them to kinds.json for `registry`.

A module with kinds has a list `LAYERS` of its layers.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

FOLDER = Path(__file__).parent
KINDS = FOLDER / "kinds.json"


def kinds_text() -> str:
    """What kinds.json has to hold: `family.module` -> its kinds, in order. Imports every module with kinds.

    Readers of `nnspec explain` and of the schema meet the modules in the order of the file: those that it has stay
    where they are, and a new one comes behind its family.
    """
    lines = [f"{json.dumps(module)}: {json.dumps(_kinds_of(module))}" for module in _in_order()]
    return "{\n  " + ",\n  ".join(lines) + "\n}\n"


def _in_order() -> list[str]:
    with_kinds = sorted(
        f"{path.parent.name}.{path.stem}"
        for path in FOLDER.glob("*/*.py")
        if "\nLAYERS" in path.read_text(encoding="utf-8")
    )
    known = list(json.loads(KINDS.read_text(encoding="utf-8"))) if KINDS.is_file() else []
    result = [module for module in known if module in with_kinds]
    for module in with_kinds:
        if module not in result:
            family = module.partition(".")[0]
            behind = [i for i, other in enumerate(result) if other.partition(".")[0] == family]
            result.insert(behind[-1] + 1 if behind else len(result), module)
    return result


def _kinds_of(module: str) -> list[str]:
    return [layer.kind for layer in importlib.import_module(f"nnspec.layers.{module}").LAYERS]


def is_up_to_date() -> bool:
    return KINDS.is_file() and KINDS.read_text(encoding="utf-8") == kinds_text()


def write_kinds() -> bool:
    """Writes kinds.json where it has to change; whether it did."""
    if is_up_to_date():
        return False
    KINDS.write_text(kinds_text(), encoding="utf-8")
    return True
