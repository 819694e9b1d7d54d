"""The hooks for users' repositories, by pre-commit itself in a repository of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

CLEAN = """\
nnspec: 1
inputs: {x: {axes: {time: 4, feature: 5}}}
model: [{Dense: {units: 3}}]
outputs: {y: {task: regression}}
"""
FIXABLE = CLEAN.replace("Dense", "dense")
WRONG = CLEAN.replace("units", "unitz")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command with this environment's nnspec on the path, and nothing of the user's git configuration."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "HOME": str(folder), "PRE_COMMIT_HOME": str(folder / ".cache")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PRE_COMMIT_COLOR": "never"}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "test", f"GIT_{who}_EMAIL": "test@example.org"}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120, check=False
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with specs, and beside it one with this repository's hooks as they are published.

    They run in this environment (`language: system`): all that pre-commit would do besides is to install this package.
    """
    hooks, user = tmp_path / "nnspec", tmp_path / "user"
    (user / "specs").mkdir(parents=True)
    hooks.mkdir()
    published = [hook | {"language": "system"} for hook in HOOKS]
    (hooks / ".pre-commit-hooks.yaml").write_text(yaml.safe_dump(published), encoding="utf-8")
    for folder in (hooks, user):
        assert run(folder, "git", "init", "-q").returncode == 0
    assert run(hooks, "git", "add", "-A").returncode == 0
    assert run(hooks, "git", "commit", "-qm", "hooks").returncode == 0
    (user / "specs" / "a b.yaml").write_text(CLEAN, encoding="utf-8")
    (user / "other.yaml").write_text("key: not a spec\n", encoding="utf-8")
    return user


def try_hook(repository: Path, hook: str) -> subprocess.CompletedProcess[str]:
    assert run(repository, "git", "add", "-A").returncode == 0
    command = ["pre_commit", "try-repo", "../nnspec", hook, "--all-files", "--verbose"]
    return run(repository, sys.executable, "-m", *command)


def test_check_passes_and_fails(repository: Path) -> None:
    done = try_hook(repository, "nnspec-check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    (repository / "specs" / "wrong.yml").write_text(WRONG, encoding="utf-8")
    done = try_hook(repository, "nnspec-check")
    assert done.returncode == 1
    assert "error[NN201]: `Dense` has no `unitz`; did you mean `units`?" in done.stdout
    assert "specs/wrong.yml:3:18" in done.stdout


def test_fix_mends_and_fails_once(repository: Path) -> None:
    spec = repository / "specs" / "fixable.yaml"
    spec.write_text(FIXABLE, encoding="utf-8")
    done = try_hook(repository, "nnspec-fix")
    assert done.returncode == 1
    assert "files were modified by this hook" in done.stdout
    assert "specs/fixable.yaml:3:10: fixed NN204" in done.stdout
    assert spec.read_text(encoding="utf-8") == CLEAN
    assert try_hook(repository, "nnspec-fix").returncode == 0


def test_hooks_are_as_installed() -> None:
    """Without the change of language: an environment of its own gets this package, whose script is the entry."""
    from importlib.metadata import entry_points

    scripts = {script.name for script in entry_points(group="console_scripts") if script.value.startswith("nnspec")}
    assert {hook["id"] for hook in HOOKS} == {"nnspec-check", "nnspec-fix"}
    for hook in HOOKS:
        assert hook["language"] == "python"
        assert hook["entry"].split()[0] in scripts
