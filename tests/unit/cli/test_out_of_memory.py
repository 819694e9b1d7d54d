"""A machine or a GPU without enough memory is a message with what to do, never a traceback."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.cli.reporting import handled


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

        @handled
        def verb(found: Exception = found) -> None:
            raise found

        with pytest.raises(SystemExit) as ended:
            verb()
        assert ended.value.code == 1
        told = capsys.readouterr().err
        assert told.startswith("error: out of memory: ")
        assert "batch_size" in told


def test_other_errors_are_not_hidden() -> None:
    @handled
    def verb() -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        verb()
