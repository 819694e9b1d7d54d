"""tinygrad, on the processor."""

import numpy as np


def run(path, inputs, outputs):
    from tinygrad import Tensor
    from tinygrad.nn.onnx import OnnxRunner

    made = OnnxRunner(str(path))({name: Tensor(np.ascontiguousarray(value)) for name, value in inputs.items()})
    return {name: made[name].numpy() for name in outputs}
