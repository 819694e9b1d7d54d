"""The import rule: what checks a spec imports no framework, so that it answers at once."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.sources.registry import MODULES as MODULES_OF_SOURCES
from tests.support.imports import imports_of
from tests.support.paths import PACKAGE, ROOT

FRAMEWORKS = {"tensorflow", "keras", "jax", "onnx", "onnxruntime", "tf2onnx", "torch"}
# Modules about a framework's own objects (subclasses, models); what checks a spec never loads them, see below.
EXEMPT = [
    pattern.removeprefix("nnspec/")
    for pattern, rules in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"][
        "per-file-ignores"
    ].items()
    if "TID253" in rules and pattern.startswith("nnspec/")
]
# What `nnspec check` runs through: it does not even mention a framework outside lowering methods.
CHECKING = ("ir/", "diagnostics/", "document/", "schema/", "validation/", "expansion/", "inference/", "checks/", "fix/")
CHECKING += ("explain/", "pipeline.py")
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
SPEC = """
nnspec: 1
inputs: {x: {axes: {time: 10, feature: 5}}}
model: [{Conv1D: {filters: 3, kernel_size: 3}}, Flatten, {Dense: {units: 1}}]
outputs: {y: {task: regression}}
training: {optimizer: {Adam: {learning_rate: 0.001}}, callbacks: [{EarlyStopping: {patience: 3}}]}
"""


def imported(module: str) -> set[str]:
    """The top-level packages that a module imports, wherever the import stands."""
    return {name for found in imports_of(PACKAGE / module) for name in found.packages}


def imported_at_once(module: str) -> set[str]:
    """Those that it imports when it is imported itself."""
    return {name for found in imports_of(PACKAGE / module) if found.runs for name in found.packages}


@pytest.mark.parametrize("module", MODULES)
def test_no_framework_at_module_level(module: str) -> None:
    found = imported_at_once(module) & FRAMEWORKS
    assert not found or any(fnmatch(module, pattern) for pattern in EXEMPT)


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith(CHECKING)])
def test_no_framework_at_all(module: str) -> None:
    assert not imported(module) & FRAMEWORKS


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("layers/")])
def test_onnx_is_never_imported_by_layers(module: str) -> None:
    """Lowerings write to a builder; Keras is imported inside methods."""
    assert not imported(module) & (FRAMEWORKS - {"keras"})


def modules_after(statements: str, tmp_path: Path, spec: str = SPEC) -> set[str]:
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    code = f"{statements}\nimport sys; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def loaded_after(statements: str, tmp_path: Path, spec: str = SPEC) -> set[str]:
    return {name.partition(".")[0] for name in modules_after(statements, tmp_path, spec)}


def test_check_loads_no_framework(tmp_path: Path) -> None:
    statements = "from nnspec.pipeline import diagnose\nassert diagnose('spec.yaml') == []"
    loaded = loaded_after(statements, tmp_path)
    assert "nnspec" in loaded
    assert not loaded & (FRAMEWORKS | {"numpy", "duckdb", "sklearn", "matplotlib", "rich"})
    assert "jsonschema" not in loaded  # a third of the time, needed only where something is wrong


DATA = """
data:
  source: {csv: rows.csv}
  split: {train: 0.5, test: 0.5, by: order}
  inputs: {x: {columns: [a], scale: standard}}
  outputs: {y: {columns: [b]}}
"""


@pytest.mark.parametrize(
    ("data", "used"), [("", set()), (DATA, {"csv"}), (DATA.replace("csv: rows.csv", "npz: rows.npz"), {"npz"})]
)
def test_check_loads_the_sources_that_a_spec_uses(data: str, used: set[str], tmp_path: Path) -> None:
    """Of the kinds of source, as of the kinds of layer, a clean spec costs no more than those that it names."""
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{i / 7},{i % 5}\n" for i in range(40)), encoding="utf-8")
    rows = np.arange(40, dtype=np.float32)
    np.savez(tmp_path / "rows.npz", a=rows / 7, b=rows % 5)
    spec = f"{data}inputs: {{x: {{axes: {{feature: 1}}}}}}\nmodel: [{{Dense: {{units: 1}}}}]\n"
    spec = f"nnspec: 1\n{spec}outputs: {{y: {{task: regression}}}}\n"
    statements = "from nnspec.pipeline import diagnose\nassert diagnose('spec.yaml') == []"
    loaded = modules_after(statements, tmp_path, spec)
    assert {kind for kind, module in MODULES_OF_SOURCES.items() if module in loaded} == used
    assert ("nnspec.data.checks.files" in loaded) == bool(data)
    assert not loaded & {
        "nnspec.data.sources.folders",
        "nnspec.runtime.rules.folders",
        "nnspec.runtime.rules.csv_sniff",
        "hashlib",
    }


def test_check_of_targets_loads_no_framework(tmp_path: Path) -> None:
    """The network is lowered for them, with NumPy alone."""
    statements = "from nnspec.pipeline import diagnose\nassert [d.code for d in diagnose('spec.yaml')] == ['NN621']"
    loaded = loaded_after(statements, tmp_path, f"{SPEC}export: {{targets: [coreml]}}\n")
    assert "numpy" in loaded
    assert not loaded & FRAMEWORKS


def test_import_of_the_package_loads_next_to_nothing(tmp_path: Path) -> None:
    assert not loaded_after("import nnspec", tmp_path) & (FRAMEWORKS | {"numpy", "yaml", "jsonschema"})


def test_check_on_the_command_line_loads_no_framework(tmp_path: Path) -> None:
    statements = (
        "from click.testing import CliRunner\nfrom nnspec.cli import main\n"
        "assert CliRunner().invoke(main, ['check', 'spec.yaml']).exit_code == 0"
    )
    assert not loaded_after(statements, tmp_path) & FRAMEWORKS


def test_a_verb_imports_no_other(tmp_path: Path) -> None:
    statements = (
        "from click.testing import CliRunner\nfrom nnspec.cli import main\n"
        "assert CliRunner().invoke(main, ['check', 'spec.yaml']).exit_code == 0"
    )
    loaded = modules_after(statements, tmp_path)
    assert {name for name in loaded if name.startswith("nnspec.cli.")} == {
        f"nnspec.cli.{name}" for name in ("checking", "options", "reporting")
    }


def test_check_compiles_the_methods_of_records_on_first_use(tmp_path: Path) -> None:
    """The standard library compiles up to six methods a class as text at import, half of what a check takes."""
    loaded = modules_after("from nnspec.pipeline import diagnose\nassert diagnose('spec.yaml') == []", tmp_path)
    for module in MODULES:
        name = "nnspec." + module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        if name in loaded and not name.startswith("nnspec.runtime"):  # which imports nothing else of nnspec
            assert not re.search(r"^from dataclasses import .*\bdataclass\b", (PACKAGE / module).read_text(), re.M), (
                f"{module}: import `dataclass` from nnspec.lazy"
            )


# Who imports a framework, wherever the import stands. tf2onnx is asked to convert what TensorFlow traces: single layers
# without a lowering of their own, and whole models for a second opinion.
TENSORFLOW = ("backend", "batches", "looked_up_rows", "losses", "statistics", "stream", "tracing")
ONLY_HERE = {
    "tensorflow": {f"backends/keras/tensorflow/{part}.py" for part in TENSORFLOW},
    "tf2onnx": {"backends/onnx/fallback.py", "verify/second_opinion.py"},
    "onnx": {
        *(f"backends/onnx/{name}.py" for name in ("backend", "builder", "fallback", "form", "session")),
        "backends/onnx/precision/convert.py",
        "backends/onnx/precision/kernels.py",
        *(f"onnx_axes/{name}.py" for name in ("reading", "follow")),
    },
    "onnxruntime": {"backends/onnx/precision/convert.py", "backends/onnx/session.py", "runtime/predictor.py"},
}


@pytest.mark.parametrize("module", MODULES)
def test_a_framework_is_imported_by_its_backend_alone(module: str) -> None:
    found = imported(module) & ONLY_HERE.keys()
    assert all(module in ONLY_HERE[name] for name in found)


def test_every_exception_is_needed() -> None:
    for name, modules in ONLY_HERE.items():
        for module in modules:
            assert name in imported(module)
