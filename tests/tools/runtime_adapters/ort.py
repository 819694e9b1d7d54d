"""ONNX Runtime, of whichever version is installed."""

import onnxruntime


def run(path, inputs, outputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(outputs, inputs)
