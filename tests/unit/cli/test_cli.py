"""The command line: exit codes, JSON contracts, help, and that no bad input makes a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

from nnspec import __version__
from nnspec.cli import VERBS, main
from nnspec.layers.registry import REGISTRY
from tests.conftest import ROOT

SPAN = {key: {"type": "integer", "minimum": 1} for key in ("line", "column", "end_line", "end_column")}
DIAGNOSTIC = {
    "type": "object",
    "required": ["code", "severity", "message", "file", "path", "notes", "fixes", *SPAN],
    "properties": {
        **SPAN,
        "code": {"pattern": "^NN[1-7][0-9][0-9]$"},
        "severity": {"enum": ["error", "warning"]},
        "fixes": {
            "items": {
                "required": ["message", "applicability", "edits"],
                "properties": {
                    "applicability": {"enum": ["machine-applicable", "maybe-incorrect"]},
                    "edits": {"items": {"required": ["text", *SPAN], "properties": SPAN}},
                },
            }
        },
    },
}
WRONG = """\
nnspec: 1
inputs:
  window: {axes: {time: 10, feature: 5}}
model:
  - Reshape: {target_shape: [5, 10, 1]}   # meant to swap
  - Conv2D: {filters: 2, kernel_size: 3, over: [feature, time]}
  - Flatten
  - Dense: {units: 1}
outputs:
  y: {task: regression}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG, encoding="utf-8")
    return path


def test_check_exit_codes(quick: Path, wrong: Path) -> None:
    assert run("check", quick).exit_code == 0
    assert run("check", wrong).exit_code == 1
    assert run("check", quick, wrong).exit_code == 1
    assert run("check").exit_code == 2
    assert run("check", quick, "--set", "nonsense").exit_code == 2


def test_check_json_is_the_contract(wrong: Path) -> None:
    result = run("check", wrong, "--format", "json")
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)["diagnostics"]
    jsonschema.validate(found, DIAGNOSTIC)
    assert (found["code"], found["line"], found["column"]) == ("NN301", 5, 29)
    assert found["path"] == "model[0].Reshape.target_shape"
    assert found["fixes"][0]["applicability"] == "machine-applicable"


def test_clean_check_json_is_empty(quick: Path) -> None:
    assert json.loads(run("check", quick, "--format", "json").stdout) == {"diagnostics": []}


def test_missing_spec_is_a_diagnostic(tmp_path: Path) -> None:
    for verb in ("check", "show", "train", "export", "build", "fix"):
        result = run(verb, tmp_path / "none.yaml")
        assert result.exit_code == 1, verb
        assert "NN101" in result.stdout + result.stderr


def test_show_json_is_the_contract(quick: Path) -> None:
    shown = json.loads(run("show", quick, "--format", "json").stdout)
    assert shown["name"] == "quick"
    assert shown["inputs"]["window"] == {"axes": [["time", 5], ["feature", 2]], "dtype": "float32"}
    look = shown["layers"][0]
    assert {
        "name": "look",
        "kind": "Conv1D",
        "inputs": ["window"],
        "axes": [["time", 5], ["filter", 3]],
        "parameters": 15,
        "trainable_parameters": 15,
        "line": 14,
    }.items() <= look.items()
    assert look["weights"] == [{"name": "kernel", "shape": [2, 2, 3]}, {"name": "bias", "shape": [3]}]
    assert look["receptive_field"]["time"]["size"] == 2
    assert shown["outputs"]["forecast"]["axes"] == [["target", 1]]
    assert shown["parameters"] == shown["trainable_parameters"] == 15 + 16


def test_fix_applies_and_keeps_comments(wrong: Path) -> None:
    patch = run("fix", wrong, "--diff").stdout
    assert wrong.read_text() == WRONG
    assert "-  - Reshape" in patch
    assert "+  - permute: [feature, time]" in patch
    assert run("fix", wrong).exit_code == 0
    text = wrong.read_text()
    assert "- permute: [feature, time]" in text
    assert "# meant to swap" in text
    assert run("check", wrong).exit_code == 0
    assert "nothing to fix" in run("fix", wrong).stdout


def test_explain_knows_codes_layers_and_objects() -> None:
    assert "## Why it is bad" in run("explain", "NN301").stdout
    assert "kernel_size" in run("explain", "conv1d").stdout
    assert "learning_rate" in run("explain", "Adam").stdout
    assert run("explain", "nothing").exit_code == 2
    for kind in REGISTRY:
        assert len(run("explain", kind).stdout) > 80, kind


def test_help_teaches() -> None:
    text = run("--help").stdout
    for verb in VERBS:
        assert f"  {verb} " in text
        page = run(verb, "--help").stdout
        assert f"  nnspec {verb}" in page, verb  # an example
        assert re.search(r"[Ww]rites|Prints", page), verb
        assert "Exit codes: 0 " in page, verb
    assert "completion" in text


def test_schema_is_up_to_date() -> None:
    result = run("schema", "--check", "--out", ROOT / "schemas" / "nnspec.schema.json")
    assert result.exit_code == 0, result.stderr


def test_schema_check_notices_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    assert run("schema", "--out", path).exit_code == 0
    path.write_text(path.read_text().replace("Conv1D", "Conv9D", 1))
    assert run("schema", "--check", "--out", path).exit_code == 1


def test_set_reaches_the_graph(quick: Path) -> None:
    shown = json.loads(run("show", quick, "--format", "json", "--set", "model[0].Conv1D.filters=7").stdout)
    assert shown["layers"][0]["axes"] == [["time", 5], ["filter", 7]]


class TestPredict:
    def test_csv_in_csv_out(self, quick: Path) -> None:
        out = quick.parent / "out"
        assert run("build", quick, "--out", out, "-q").exit_code == 0
        target = quick.parent / "forecasts.csv"
        result = run("predict", out / "model.onnx", quick.parent / "series.csv", "--out", target)
        assert result.exit_code == 0, result.stderr
        lines = target.read_text().splitlines()
        assert "forecast" in lines[0] or "level" in lines[0]
        assert len(lines) == 1 + 240 - 5 + 1
        values = np.array([float(line.split(",")[-1]) for line in lines[1:]])
        assert 30 < values.min() < values.max() < 70

    def test_errors_have_no_traceback(self, quick: Path, tmp_path: Path) -> None:
        (tmp_path / "bad.onnx").write_bytes(b"nothing")
        for model in (tmp_path / "bad.onnx", tmp_path / "missing.onnx"):
            result = run("predict", model, quick.parent / "series.csv")
            assert result.exit_code == 1
            assert result.stderr.startswith("error[NN705]: ")

    def test_wrong_data_names_the_column(self, quick: Path, tmp_path: Path) -> None:
        out = quick.parent / "out"
        assert run("export", quick, "--untrained", "--out", out, "-q").exit_code == 0
        data = tmp_path / "other.csv"
        data.write_text("level,other\n1,2\n", encoding="utf-8")
        result = run("predict", out / "model.onnx", data)
        assert result.exit_code == 1
        assert result.stderr.startswith("error[NN706]: ")

    def test_runs_without_a_framework(self, quick: Path) -> None:
        out = quick.parent / "out"
        assert run("build", quick, "--out", out, "-q").exit_code == 0
        blocked = [
            "tensorflow",
            "keras",
            "onnx",
            "yaml",
            "jsonschema",
            "duckdb",
            "rich",
            "matplotlib",
            "sklearn",
            "tf2onnx",
        ]
        script = (
            "import sys\n"
            f"for name in {blocked!r}: sys.modules[name] = None\n"
            "from nnspec.cli import main\n"
            f"main(['predict', {str(out / 'model.onnx')!r}, {str(quick.parent / 'series.csv')!r}])\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 236


def test_no_colour_in_a_pipe(wrong: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "nnspec"), "check", str(wrong)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "\x1b[" not in done.stdout


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "nnspec", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"nnspec, version {__version__}\n"
