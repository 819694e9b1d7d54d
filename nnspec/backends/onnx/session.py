"""Runs an ONNX model in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.onnx.form import fault

if TYPE_CHECKING:
    import onnx


class OnnxSession:
    """A model that ONNX Runtime has loaded, on one thread, so that results do not depend on their number.

    Attributes:
        inputs: the size of each axis of each input; None where it is open.

    Raises:
        SpecError: NN702 where it does not load.
    """

    def __init__(self, proto: onnx.ModelProto) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4  # what it would write to standard error is raised as well
        try:
            self._session: onnxruntime.InferenceSession = onnxruntime.InferenceSession(
                proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a class of error for each of its status codes
            raise fault(f"ONNX Runtime cannot load the model: {str(error).splitlines()[0]}") from None
        self.inputs: dict[str, list[int | None]] = {
            port.name: [size if isinstance(size, int) else None for size in port.shape]
            for port in self._session.get_inputs()
        }
        self._outputs: list[str] = [port.name for port in self._session.get_outputs()]

    def run(self, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name.

        Raises:
            SpecError: NN702 where it fails: what it declares says nothing of what its nodes do with values.
        """
        try:
            return dict(zip(self._outputs, self._session.run(None, dict(feed)), strict=True))
        except Exception as error:
            shapes = ", ".join(f"`{name}` {value.shape}" for name, value in feed.items())
            reason = str(error).splitlines()[0]
            raise fault(f"ONNX Runtime fails on the model, given {shapes}: {reason}") from None
