"""README's commands run as they stand, and its specs are specs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nnspec import api
from tests.conftest import ROOT
from tests.support.loaded_python import run_loaded
from tests.support.paths import ERRORS

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SHELL = [block for language, block in BLOCKS if language == "sh"]
# Installing is what CI does with these very lines, in a new environment; a build of minutes is test_specs' work.
INSTALL = ("python3 -m venv", ".venv/bin/pip")
COMMANDS = [
    line.split("#")[0].strip()
    for block in SHELL
    for line in block.splitlines()
    if line.strip() and not line.startswith(INSTALL) and ".venv/bin/python -m pytest" not in line
]


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 6
    assert any("nnspec build" in command for command in COMMANDS)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a reader has, so that nothing is written into the repository; the spec that is built trains less.

    The whole training is the work of test_specs.py.
    """
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "specs", folder / "specs")
    (built,) = (folder / line.split()[2] for line in COMMANDS if line.split()[1] == "build")
    text, count = re.subn(r"^  epochs: \d+$", "  epochs: 1", built.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1
    built.write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    shutil.copytree(ERRORS, folder / "tests" / "golden" / "errors")
    return folder


def test_commands_run_in_order(workplace: Path) -> None:
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    for command in COMMANDS:
        line = command.replace(".venv/bin/", f"{binaries}/")
        expected = 1 if "tests/golden/errors" in line and "nnspec check" in line else 0
        done = subprocess.run(
            line, shell=True, cwd=workplace, env=environment, capture_output=True, text=True, timeout=580, check=False
        )
        assert done.returncode == expected, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", [block for language, block in BLOCKS if language == "yaml"])
def test_yaml_blocks_are_clean_specs(text: str, tmp_path: Path) -> None:
    (tmp_path / "readme.yaml").write_text(text, encoding="utf-8")
    assert api.load(tmp_path / "readme.yaml").check() == []


def test_python_blocks_run(workplace: Path) -> None:
    blocks = [block for language, block in BLOCKS if language == "python"]
    assert blocks
    for block in blocks:
        done = run_loaded("-c", block, cwd=workplace)
        assert done.returncode == 0, done.stderr


def test_settings_of_editors_can_be_read() -> None:
    blocks = {language: text for language, text in BLOCKS if language in ("json", "toml")}
    assert (ROOT / next(iter(json.loads(blocks["json"])["yaml.schemas"]))).is_file()
    assert tomllib.loads(blocks["toml"])["language-server"]["nnspec"] == {"command": "nnspec", "args": ["lsp"]}
