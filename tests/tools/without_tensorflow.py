"""A virtual environment without TensorFlow, and every verb on JAX in it: `python -m tests.tools.without_tensorflow`.

nnspec's dependencies are installed by pip, less TensorFlow and its converter, and then nnspec without dependencies, as
its documentation says. The tests take the short form, `--linked`: the same packages, linked from the environment that
runs it, which costs no time.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

LEFT_OUT = frozenset({"tensorflow", "tf2onnx"})
# Compiling takes most of the time of small steps, and optimizing what is compiled a quarter of that.
QUICK_COMPILER = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def requirements() -> list[Requirement]:
    """What `nnspec[jax]` needs but TensorFlow and what converts by it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["jax"]])
    return [requirement for requirement in needed if canonicalize_name(requirement.name) not in LEFT_OUT]


def make_linked(folder: Path) -> Path:
    """An environment of links; its Python."""
    python, packages = _make(folder, with_pip=False)
    for distribution in _closure():
        here = Path(str(distribution.locate_file("")))
        for name in sorted({file.parts[0] for file in distribution.files or ()}):
            if name not in ("..", "__pycache__") and not (packages / name).exists():
                (packages / name).symlink_to(here / name)
    installed = importlib.metadata.distribution("nnspec")
    named = next(file.parts[0] for file in installed.files or () if file.parts[0].endswith(".dist-info"))
    (packages / named).symlink_to(Path(str(installed.locate_file(""))) / named)
    (packages / "nnspec.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    return python


def make_installed(folder: Path) -> Path:
    """An environment by pip; its Python."""
    python, packages = _make(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, *(f"{r.name}{r.specifier}" for r in requirements())], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    (packages / "tests.pth").write_text(f"{ROOT}\n", encoding="utf-8")  # the verbs' test is beside nnspec
    return python


def _make(folder: Path, *, with_pip: bool) -> tuple[Path, Path]:
    """An environment without packages: its Python, and the folder for them."""
    venv.create(folder, with_pip=with_pip, symlinks=True)
    places = {"base": str(folder), "platbase": str(folder)}
    return folder / "bin" / "python", Path(sysconfig.get_path("purelib", scheme="venv", vars=places))


def _closure() -> Iterator[importlib.metadata.Distribution]:
    """The distributions that the requirements need, each once."""
    waiting, seen = requirements(), set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen:
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(name)
        extras = [{"extra": extra} for extra in (*requirement.extras, "")]
        for inner in map(Requirement, distribution.requires or ()):
            if inner.marker is None or any(inner.marker.evaluate(extra) for extra in extras):
                waiting.append(inner)
        yield distribution


def run_verbs(python: Path, spec: Path, folder: Path, flags: str = "") -> dict[str, str]:
    """What each verb printed, see `tests.support.jax_builds`.

    Args:
        flags: for JAX' compiler.
    """
    hidden = ("KERAS_BACKEND", "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment["XLA_FLAGS"] = flags
    command = [str(python), "-m", "tests.support.jax_builds", str(spec), str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(*arguments: str) -> None:
    from tests.support.jax_builds import example

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make = make_linked if "--linked" in arguments else make_installed
        python = make(folder / "environment")
        for verb, said in run_verbs(python, example(folder), folder).items():
            print(f"{verb}: {(said.strip().splitlines() or ['done'])[-1]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
