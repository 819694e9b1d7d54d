"""A machine or a GPU without enough memory is a message with what to do, never a traceback."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from nnspec.cli.reporting import is_out_of_memory, report_errors


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
        assert told.startswith("error: out of memory: ")
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
    assert is_out_of_memory(error) is is_it
