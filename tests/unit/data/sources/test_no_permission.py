"""A file that may not be read says so, whatever it holds."""

from __future__ import annotations

import builtins
import io
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from tests.unit.data.section.test_plan import plan_of, slot

PLAN = """
source: SOURCE
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [b]}}
"""
SOURCES = {
    "t.csv": "{csv: t.csv}",
    "t.jsonl": "{json: t.jsonl}",
    "t.npz": "{npz: t.npz}",
    "t.sqlite": "{sql: t.sqlite, table: t}",
}


@pytest.mark.parametrize("name", SOURCES)
def test_permission_denied(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "t.jsonl").write_text('{"a": 1, "b": 2}\n', encoding="utf-8")
    np.savez(tmp_path / "t.npz", a=np.zeros(3), b=np.zeros(3))
    sqlite3.connect(tmp_path / "t.sqlite").close()
    plan = plan_of(PLAN.replace("SOURCE", SOURCES[name]), tmp_path)
    deny(tmp_path / name, monkeypatch)
    (fault,) = probe(plan, {"x": slot("x", ("feature", 1))}, {"y": slot("y", ("target", 1), task="regression")})
    assert (fault.code, "cannot be read (Permission denied)" in fault.message) == ("NN502", True)


def deny(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system does of a file without permissions; tests that run as root may read it."""
    real = io.open

    def refusing(file: object, *args: object, **options: object) -> object:
        if str(file) == str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(file, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(io, "open", refusing)
    monkeypatch.setattr(builtins, "open", refusing)
