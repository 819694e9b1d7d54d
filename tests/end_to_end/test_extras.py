"""What one verb or option needs is an extra: without its package everything else works, and what needs it says so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from nnspec.diagnostics.extras import EXTRAS, is_installed
from tests.support.paths import ROOT

# Runs nnspec in a Python that finds none of the packages in `hidden`: no import, no `find_spec`.
HIDING = """
import sys
from importlib.machinery import PathFinder
hidden = {hidden!r}
class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else PathFinder.find_spec(name, path, target)
sys.meta_path[:] = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]
from nnspec.cli import main
main({arguments!r})
"""
DISTRIBUTIONS = {
    "PIL": "pillow",
    "mlflow": "mlflow-skinny",
    "model_signing": "model-signing",
    "onnx_ir": "onnx-ir",
}  # of modules that are called otherwise
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def nnspec(*arguments: object, hidden: set[str]) -> subprocess.CompletedProcess[str]:
    code = HIDING.format(hidden=hidden, arguments=[str(argument) for argument in arguments])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)


def distribution(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ]", requirement)[0].lower()


def test_every_extra_is_declared_and_the_tests_have_all() -> None:
    declared = PROJECT["optional-dependencies"]
    for extra, module in EXTRAS.items():
        assert distribution(declared[extra][0]) == DISTRIBUTIONS.get(module, module)
        assert is_installed(extra)
    (own,) = [line for line in declared["test"] if line.startswith("nnspec[")]
    assert set(re.findall(r"\w+", own)) - {"nnspec"} == EXTRAS.keys()
    core = {distribution(line) for line in PROJECT["dependencies"]}
    assert core >= {"tensorflow", "onnx", "tf2onnx", "pyyaml", "jsonschema"}
    assert not core & {*EXTRAS.values(), "scipy", "soundfile", "pyarrow"}


def test_the_main_job_needs_no_extra(quick: Path, tmp_path: Path) -> None:
    """It leaves the plot out, and says in a line how to have it."""
    done = nnspec("build", quick, "--out", tmp_path / "out", hidden={*EXTRAS.values(), "sklearn", "scipy"})
    assert done.returncode == 0, done.stderr
    told = [line for line in (done.stdout + done.stderr).splitlines() if "history.png" in line]
    assert told == ["history.png is not written: it needs matplotlib (pip install 'nnspec[plots]')"]
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made >= {"model.onnx", "model.keras", "history.csv", "metrics.json", "verify.json", "manifest.json"}
    assert "history.png" not in made


def test_tensorboard_is_refused_at_check(quick: Path) -> None:
    spec = yaml.safe_load(quick.read_text(encoding="utf-8"))
    spec["training"]["callbacks"] = [{"TensorBoard": {"log_dir": "logs"}}]
    quick.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    done = nnspec("check", quick, hidden={"tensorboard"})
    assert done.returncode == 1
    assert "error[NN612]" in done.stdout
    assert "pip install 'nnspec[tensorboard]'" in done.stdout
    assert nnspec("check", quick, hidden=set()).returncode == 0


@pytest.mark.parametrize("extra", EXTRAS)
def test_readme_names_the_extra(extra: str) -> None:
    assert f"nnspec[{extra}]" in (ROOT / "README.md").read_text(encoding="utf-8")
