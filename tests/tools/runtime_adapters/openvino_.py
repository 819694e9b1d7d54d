"""OpenVINO, in single precision: its default may use less."""

import numpy as np
import openvino


def run(path, inputs, outputs):
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    made = compiled(inputs)
    return {name: np.asarray(made[compiled.output(name)]) for name in outputs}
