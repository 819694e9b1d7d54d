"""Builds killed at random moments and continued; `python -m tests.tools.kills` kills a hundred."""

from __future__ import annotations

from tests.support.loaded_python import run_loaded
from tests.support.paths import ROOT


def test_builds_that_were_killed_end_in_the_undisturbed_files() -> None:
    """In another process: it forks, which a process where TensorFlow has threads cannot."""
    ended = run_loaded("-m", "tests.tools.kills", "--kills", "2", "--seed", "4", cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 kills, " in ended.stdout
