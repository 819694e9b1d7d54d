"""CONTRIBUTING is true: a layer and a check, added to a copy of the repository as it says, touch the files it lists."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LAYER = '''"""A verb that does nothing, for the test of CONTRIBUTING."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnspec.ir.graph import Node
from nnspec.layers.kit.base import Call, Inferred, Layer


class Keep(Layer):
    """Gives what it reads."""

    kind = "keep"
    is_verb = True

    def infer(self, call: Call) -> Inferred:
        return Inferred((call.axes,), mask=call.input.mask)

    def to_keras(self, node: Node) -> Callable[..., Any]:
        return lambda x: x

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> list[Any]:
        return inputs


LAYERS = (Keep(),)
'''
CASES = '''"""Cases of keep."""

from __future__ import annotations

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, Form

X = {"time": 3, "feature": 5}
CASES = [Case("keep", None, [X], X, lambda weights, inputs: inputs[0], ["Identity"])]
FORMS = {"keep": Form(ANY)}
'''
CHECK = '''"""No network is called nobody."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic


def check_nobody(context: Context) -> Iterator[Diagnostic]:
    if context.graph.name == "nobody":
        yield Diagnostic("NN299", "a network needs a name", context.span("name"))
'''
SPEC = """nnspec: 1
name: nobody
inputs: {x: {axes: {feature: 5}}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
"""
PAGE = f"""# NN299: nobody

## What it does

Reports a network that is called nobody.

## Why it is bad

Nobody knows it.

## Example

```yaml
{SPEC}```

## Use instead

```yaml
{SPEC.replace("nobody", "somebody")}```
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("nnspec", "tests", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copytree(ROOT / "nnspec" / "data", tmp_path / "nnspec" / "data", dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def run_tests(folder: Path, *arguments: str, **variables: str) -> None:
    run(folder, "pytest", "-q", "-p", "no:cacheprovider", *arguments, **variables)


def state(folder: Path) -> dict[str, str]:
    """What every file holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".hypothesis" not in path.parts
    }


def touched(folder: Path, before: dict[str, str]) -> set[str]:
    after = state(folder)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def listed(what: str, **names: str) -> set[str]:
    """The files that CONTRIBUTING lists for an addition, its capital words replaced."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.split(f"<!-- files: {what} -->\n```\n", 1)[1].split("```", 1)[0]
    pattern = re.compile("|".join(sorted(names, key=len, reverse=True)))
    return {pattern.sub(lambda found: names[found.group()], line.split()[0]) for line in block.splitlines()}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_layer(copy: Path) -> None:
    before = state(copy)
    (copy / "nnspec/layers/elementwise/keep.py").write_text(LAYER, encoding="utf-8")
    (copy / "tests/layers/elementwise/cases_keep.py").write_text(CASES, encoding="utf-8")
    run(copy, "nnspec.cli", "schema")
    assert touched(copy, before) == listed("layer", FAMILY="elementwise", MODULE="keep")
    run(copy, "nnspec.cli", "schema", "--check")
    run_tests(
        copy, "tests/unit/layers/test_registry.py", "tests/layers", "-k", "keep or table or module", NNSPEC_EXAMPLES="1"
    )


def test_a_check(copy: Path) -> None:
    before = state(copy)
    (copy / "nnspec/checks/nobody.py").write_text(CHECK, encoding="utf-8")
    order = copy / "nnspec/checks/__init__.py"
    replace(
        order, "from nnspec.checks.opset", "from nnspec.checks.nobody import check_nobody\nfrom nnspec.checks.opset"
    )
    replace(order, "    check_opset,\n", "    check_nobody,\n    check_opset,\n")
    replace(copy / "nnspec/diagnostics/codes.py", "    # NN3xx", '    "NN299": "nobody",\n    # NN3xx')
    (copy / "nnspec/diagnostics/pages/NN299.md").write_text(PAGE, encoding="utf-8")
    (copy / "tests/golden/errors/NN299-nobody.yaml").write_text(SPEC, encoding="utf-8")
    golden = "tests/golden/test_errors.py"
    run_tests(copy, golden, "-k", "test_case and NN299", NNSPEC_REGENERATE="1")
    assert touched(copy, before) == listed("check", NAME="nobody", CODE="NN299")
    run_tests(copy, golden, "-k", "NN299 or orphans or every_code or without_a_code")
