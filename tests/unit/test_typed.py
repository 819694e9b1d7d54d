"""nnspec ships its types: the marker is in the wheel, and a program that uses the API is checked against them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.support.paths import PACKAGE, ROOT

CONSUMER = """
from pathlib import Path
import nnspec

spec: nnspec.Spec = nnspec.load("spec.yaml", {"vars.lookback": 5})
for diagnostic in spec.check():
    line: int = diagnostic.span.line
    print(diagnostic.code.upper(), diagnostic.message, line)
run = spec.build(Path("out"))
losses: list[float] = [row["loss"] for row in run.history]
"""
WRONG = CONSUMER + "\nspec.build(3)\nspec.chekc()\n"


def test_the_marker_is_part_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (PACKAGE / "py.typed").read_bytes() == b""
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["nnspec"]}  # all files of the package, none left out
    ignored = subprocess.run(["git", "check-ignore", "nnspec/py.typed"], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode != 0  # what git ignores does not get into the wheel


def test_a_typed_program_is_checked_against_the_api(tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = True\nfollow_imports = silent\n"
        "[mypy-keras.*,tensorflow.*,onnx.*,onnxruntime.*,numpy.*,matplotlib.*,yaml.*,jsonschema.*,duckdb.*]\n"
        "follow_imports = skip\nignore_missing_imports = True\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "consumer.py", "wrong.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 2, done.stdout + done.stderr
    assert errors[0].startswith('wrong.py:12: error: Argument 1 to "build" of "Spec"')
    assert errors[1].startswith('wrong.py:13: error: "Spec" has no attribute "chekc"')
