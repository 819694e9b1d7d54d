"""Colour on a terminal, none in a pipe; NO_COLOR and FORCE_COLOR have the last word."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from nnspec.cli.reporting import wants_colour

SPEC = "nnspec: 1\ninputs: {x: {axes: {feature: 5}}}\nmodel: [{Dense: {unit: 3}}]\noutputs: {y: {task: regression}}\n"
COMMAND = [sys.executable, "-m", "nnspec.cli", "check", "spec.yaml"]
ASKS = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM")
PLAIN = {k: v for k, v in os.environ.items() if k not in ASKS}


def on_a_terminal(folder: Path, **environment: str) -> str:
    """What the command writes to a pseudo-terminal."""
    leader, follower = pty.openpty()
    with subprocess.Popen(COMMAND, cwd=folder, stdout=follower, stderr=follower, env=PLAIN | environment) as process:
        os.close(follower)
        output = b""
        while True:
            try:
                block = os.read(leader, 4096)
            except OSError:  # Linux' way to say that nobody writes any more
                break
            if not block:
                break
            output += block
        assert process.wait(timeout=60) == 1
    os.close(leader)
    return output.decode()


def in_a_pipe(folder: Path, **environment: str) -> str:
    done = subprocess.run(COMMAND, cwd=folder, capture_output=True, env=PLAIN | environment, timeout=60, check=False)
    assert done.returncode == 1
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (False, {"TERM": "xterm"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"CLICOLOR_FORCE": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_who_has_the_last_word(
    terminal: bool, environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a real terminal and a real pipe."""
    for name in ASKS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ends = pty.openpty() if terminal else os.pipe()
    try:
        with open(ends[1], "w", encoding="utf-8", closefd=False) as stream:
            assert wants_colour(stream) is coloured
    finally:
        for end in ends:
            os.close(end)


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (False, {"TERM": "xterm"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
    ],
)
def test_colour(terminal: bool, environment: dict[str, str], coloured: bool, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    output = (on_a_terminal if terminal else in_a_pipe)(tmp_path, **environment)
    assert "`Dense` has no `unit`; did you mean `units`?" in output
    assert ("\x1b[1;31merror[NN201]\x1b[0m" in output) is coloured
    assert ("\x1b" in output) is coloured


def test_a_poor_encoding_is_no_traceback(tmp_path: Path) -> None:
    name = "wert·ä.yaml"
    (tmp_path / name).write_text(SPEC.replace("unit:", "ünit:"), encoding="utf-8")
    for output_format in ("text", "json", "sarif"):
        command = [*COMMAND[:-1], name, "--format", output_format]
        environment = PLAIN | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, timeout=60, check=False)
        assert done.returncode == 1, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"NN201" in done.stdout
