"""ONNX' reference evaluator."""

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator


def run(path, inputs, outputs):
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(onnx.load(path)).run(outputs, inputs)
