"""CONTRIBUTING is true: what is added to a copy of the repository as it says touches the files it lists, and works.

A layer, a check, a source and backends.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support import additions
from tests.support.scratch_copy import copy_repository, listed, replace, run, run_tests, state, touched, write


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_repository(tmp_path)


def test_a_layer(copy: Path) -> None:
    before = state(copy)
    write(copy / "nnspec/layers/elementwise/keep.py", additions.LAYER)
    write(copy / "tests/layers/elementwise/cases_keep.py", additions.CASES)
    run(copy, "nnspec.cli", "schema")
    assert touched(copy, before) == listed("layer", FAMILY="elementwise", MODULE="keep")
    run(copy, "nnspec.cli", "schema", "--check")
    run_tests(
        copy, "tests/unit/layers/test_registry.py", "tests/layers", "-k", "keep or table or module", NNSPEC_EXAMPLES="1"
    )


def test_a_check(copy: Path) -> None:
    before = state(copy)
    write(copy / "nnspec/checks/heads/nobody.py", additions.CHECK)
    order = copy / "nnspec/checks/__init__.py"
    first = "from nnspec.checks.heads.pixel_order"
    replace(order, first, f"from nnspec.checks.heads.nobody import check_nobody\n{first}")
    replace(order, "    check_padding,\n", "    check_nobody,\n    check_padding,\n")
    replace(copy / "nnspec/diagnostics/codes.py", "    # NN3xx", '    "NN299": "nobody",\n    # NN3xx')
    write(copy / "nnspec/diagnostics/pages/NN299.md", additions.PAGE)
    write(copy / "tests/golden/errors/NN299-nobody.yaml", additions.SPEC)
    golden = "tests/golden/test_errors.py"
    run_tests(copy, golden, "-k", "test_case and NN299", NNSPEC_REGENERATE="1")
    assert touched(copy, before) == listed("check", ROOM="heads", NAME="nobody", CODE="NN299")
    run_tests(copy, golden, "-k", "NN299 or orphans or every_code or without_a_code")


def test_a_source(copy: Path) -> None:
    """It is checked, built on, and read by a deployed model; what is wrong with its options is said."""
    before = state(copy)
    write(copy / "nnspec/data/sources/jsonrows.py", additions.SOURCE)
    write(copy / "nnspec/runtime/rules/jsonrows.py", additions.SOURCE_RULES)
    write(copy / "tests/unit/data/sources/test_jsonrows.py", additions.SOURCE_TEST)
    registry, reading = copy / "nnspec/data/sources/registry.py", copy / "nnspec/runtime/reading.py"
    replace(registry, "MODULES = {\n", 'MODULES = {\n    "jsonrows": "nnspec.data.sources.jsonrows",\n')
    replace(
        reading,
        "from nnspec.runtime.ports",
        "from nnspec.runtime.rules.jsonrows import read_jsonrows\nfrom nnspec.runtime.ports",
    )
    replace(reading, '    ".csv": read_csv,\n', '    ".csv": read_csv,\n    ".jsonrows": read_jsonrows,\n')
    run(copy, "nnspec.cli", "schema")
    assert touched(copy, before) == listed("source", KIND="jsonrows")
    run(copy, "nnspec.cli", "schema", "--check")
    run_tests(copy, "tests/unit/data/sources/test_jsonrows.py")

    rows = [json.dumps({"a": i / 10, "b": (i * 7) % 5, "c": i / 5 + 1}) for i in range(60)]
    write(copy / "rows.jsonrows", "\n".join(["# rows", *rows, ""]))
    write(copy / "rows.csv", "a,b,c\n" + "".join(f"{i / 10},{(i * 7) % 5},{i / 5 + 1}\n" for i in range(60)))
    write(copy / "spec.yaml", additions.SOURCE_SPEC)
    run(copy, "nnspec.cli", "check", "spec.yaml")
    run(copy, "nnspec.cli", "build", "spec.yaml", "--out", "out", "-q")
    told = [run(copy, "nnspec.cli", "predict", "out/model.onnx", f"rows.{kind}") for kind in ("jsonrows", "csv")]
    assert told[0] == told[1]
    assert len(told[0].splitlines()) == 60


def test_backends(copy: Path) -> None:
    """An engine that trains and a format to export to: a spec names both, and is checked, built and verified."""
    registry, support = copy / "nnspec/backends/registry.py", copy / "tests/support"
    for name, table, module, instance in (
        ("eager", "TRAINING", support / "eager_backend.py", "EAGER"),
        ("numpy", "EXPORT", support / "numpy_format.py", "NUMPY"),
    ):
        before = state(copy)
        shutil.copy(module, copy / f"nnspec/backends/{name}_backend.py")
        write(copy / f"tests/unit/backends/test_{name}_backend.py", additions.BACKEND_TEST.replace("NAME", name))
        text = registry.read_text("utf-8")
        start = text.index(f"{table} = {{")
        entries = text[start : text.index("}", start)]
        entry = f'"{name}": ("nnspec.backends.{name}_backend", "{instance}")'
        replace(registry, entries, f"{entries.rstrip().removesuffix(',')}, {entry}")
        run(copy, "nnspec.cli", "schema")
        assert touched(copy, before) == listed("backend", MODULE=f"{name}_backend")
        run_tests(copy, f"tests/unit/backends/test_{name}_backend.py")
    run(copy, "nnspec.cli", "schema", "--check")

    values = np.random.default_rng(0).normal(size=(60, 3)).round(3)
    write(copy / "rows.csv", "a,b,c\n" + "".join(f"{a},{b},{c}\n" for a, b, c in values))
    write(copy / "spec.yaml", additions.BACKEND_SPEC)
    run(copy, "nnspec.cli", "check", "spec.yaml")
    run(copy, "nnspec.cli", "build", "spec.yaml", "--out", "out", "-q")
    manifest = json.loads((copy / "out/manifest.json").read_text("utf-8"))
    assert manifest["training"]["backend"] == "eager"
    assert not manifest["versions"].keys() & {"tensorflow", "onnx"}
    assert "model.npz" in manifest["files"]
    assert run(copy, "nnspec.cli", "verify", "out/model.npz").startswith("y: within ")
