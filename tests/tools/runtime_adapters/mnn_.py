"""MNN, with its own converter."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def run(path, inputs, outputs):
    import MNN

    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "model.mnn")
        arguments = [
            "-f",
            "ONNX",
            "--modelFile",
            str(path),
            "--MNNModel",
            target,
            "--bizCode",
            "x",
            "--keepInputFormat",
        ]
        command = [sys.executable, "-m", "MNN.tools.mnnconvert", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not Path(target).exists():
            raise RuntimeError((done.stdout + done.stderr).strip().splitlines()[-1])
        net = MNN.nn.load_module_from_file(target, list(inputs), outputs)
        F = MNN.expr
        types = {"f": F.float, "i": F.int}
        given = []
        for value in inputs.values():
            wanted = value.astype(np.int32) if value.dtype.kind == "i" else value
            given.append(F.const(wanted.ravel().tolist(), list(value.shape), F.NCHW, types[value.dtype.kind]))
        made = net.forward(given)
        return [np.array(F.convert(value, F.NCHW).read()) for value in made]
