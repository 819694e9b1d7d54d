"""A machine or a GPU without enough memory is a message with what to do, never a traceback."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnspec.backends.keras.tensorflow.backend import TensorFlowBackend
from nnspec.cli.limited import run_watched
from nnspec.cli.reporting import report_errors
from nnspec.diagnostics.memory import out_of_memory
from tests.support.paths import ROOT

SPEC = """
nnspec: 1
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
data:
  source: {csv: a.csv}
  split: {train: 0.5, test: 0.5}
  inputs: {x: {columns: [a]}}
  outputs: {y: {columns: [y]}}
"""
# An error that hides its cause, in a process that has used up what it may have, and in one that has not.
AT_THE_LIMIT = """
import mmap, resource, sys
from nnspec.backends.keras.tensorflow.backend import TensorFlowBackend
from nnspec.cli.limited import run_watched
from nnspec.cli.reporting import RESERVE, report_errors
from nnspec.diagnostics.memory import address_space

@report_errors
def verb():
    held = [mmap.mmap(-1, 2**28)] if sys.argv[1] == "full" else []
    raise AttributeError("partially initialized module")

resource.setrlimit(resource.RLIMIT_AS, (address_space()[1] + 2**28 + RESERVE + 2**21,) * 2)
verb()
"""


def run(arguments: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, **more
    )  # type: ignore[call-overload,no-any-return]


CALLER = """
import nnspec
from nnspec.cli.reporting import report_errors
report_errors(lambda: nnspec.load("spec.yaml").build("out"))()
"""


@pytest.mark.parametrize(
    ("command", "least"),
    [
        (["-c", "from nnspec.cli import entry; entry()", "build", "spec.yaml"], TensorFlowBackend.least_addresses),
        (["-c", CALLER], TensorFlowBackend.least_with_unused),
    ],
    ids=["own-process", "of-a-caller"],
)
def test_an_engine_that_does_not_fit(tmp_path: Path, command: list[str], least: int) -> None:
    """Its import would end in an error of whatever library is next, or the process without a word."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "a.csv").write_text("a,y\n" + "1,2\n3,5\n" * 9)
    limit = 1400 * 2**20
    done = run(
        command,
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 1
    needed = f"{least // 2**20:,} MiB of address space to be imported"
    assert f"error[NN625]: out of memory: tensorflow needs {needed}" in done.stderr
    assert "this process may have 1,400 MiB of address space" in done.stderr
    assert "help: raise the limit" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("use", ["full", "free"])
def test_an_error_that_hides_that_memory_was_short(use: str) -> None:
    done = run(["-c", AT_THE_LIMIT, use])
    assert done.returncode == 1
    assert ("error[NN625]: out of memory: partially initialized module" in done.stderr) is (use == "full")
    assert ("Traceback" in done.stderr) is (use == "free")


@pytest.mark.parametrize(
    ("end", "code"),
    [("os.abort()", 1), ("os._exit(127)", 1), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 15)", 143)],
)
def test_a_process_that_its_engine_ends(end: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_watched([sys.executable, "-c", f"import os, sys; {end}"]) == code
    told = "error[NN625]: out of memory: the training backend could not get more and ended the process ("
    assert (told in capfd.readouterr().err) is (code == 1)


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


def numpys() -> MemoryError:
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, np.uint8)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [MemoryError(), ResourceExhaustedError("OOM when allocating"), RuntimeError("RESOURCE_EXHAUSTED: Out of memory")],
    ids=["python", "tensorflow", "jax"],
)
def test_memory_that_is_not_enough_is_told(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    for found in (error, numpys()):

        @report_errors
        def verb(found: Exception = found) -> None:
            raise found

        with pytest.raises(SystemExit) as ended:
            verb()
        assert ended.value.code == 1
        told = capsys.readouterr().err
        assert told.startswith("error[NN625]: out of memory: ")
        assert "batch_size" in told


def test_other_errors_are_not_hidden() -> None:
    @report_errors
    def verb() -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        verb()


def chained() -> BaseException:
    try:
        try:
            raise MemoryError
        except MemoryError:
            raise ImportError("cannot import name `x`") from None
    except ImportError as error:
        return error


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (chained(), True),
        (SystemError("error return without exception set"), True),
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (ImportError("No module named x"), False),
        (SystemError("bad argument to internal function"), False),
    ],
)
def test_what_others_make_of_it(error: BaseException, is_it: bool) -> None:
    assert (out_of_memory(error) is not None) is is_it
