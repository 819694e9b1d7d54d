"""Builds killed at random moments and continued; `python -m tests.tools.kills` kills a hundred."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import ROOT


def test_builds_that_were_killed_end_in_the_undisturbed_files() -> None:
    """In a process of its own: it forks, which a process where TensorFlow has threads cannot."""
    command = [sys.executable, "-m", "tests.tools.kills", "--kills", "2", "--seed", "4"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 kills, " in ended.stdout
