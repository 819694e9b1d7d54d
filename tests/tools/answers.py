"""Whether exported files give the answers that they say of themselves, in whichever ONNX Runtime runs this:

    python -m venv out/old && out/old/bin/pip install onnxruntime==1.15.1 'numpy<2'
    out/old/bin/python tests/tools/answers.py out/causal_cnn out/lstm

Each folder is a build. Its `interface.json` has one sample with its answer; the largest difference of every output is
printed, and labels are compared. Needs numpy and onnxruntime alone. Ends with 1 where a file does not load or differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

TOLERANCE = 1e-4
DTYPES = {"float": "float32", "int32": "int32", "int64": "int64", "uint8": "uint8", "bool": "bool"}


def differences(build: Path) -> dict[str, float]:
    """By output, the largest difference from the answer, relative to the answer's largest value; labels: 0 or 1.

    Raises:
        ValueError: where the build has no sample.
    """
    sample = json.loads((build / "interface.json").read_text(encoding="utf-8"))["sample"]
    if sample is None:
        raise ValueError("its interface.json has no sample")
    session = onnxruntime.InferenceSession(str(build / "model.onnx"), providers=["CPUExecutionProvider"])
    feed = {}
    for port in session.get_inputs():
        dtype = DTYPES.get(port.type[len("tensor(") : -1], "object")
        values = np.array(sample["inputs"][port.name], dtype="object")
        feed[port.name] = values.astype(dtype)  # null becomes NaN
    found = {}
    for port, value in zip(session.get_outputs(), session.run(None, feed), strict=True):
        wanted = np.array(sample["outputs"][port.name])
        if np.asarray(value).dtype.kind == "f":
            largest = max(1.0, float(np.abs(wanted.astype(float)).max()))
            found[port.name] = float(np.abs(value - wanted.astype(float)).max()) / largest
        else:
            found[port.name] = float((np.asarray(value).astype(str) != wanted.astype(str)).any())
    return found


def main() -> int:
    print(f"ONNX Runtime {onnxruntime.__version__}")
    wrong = 0
    for build in map(Path, sys.argv[1:]):
        try:
            found = differences(build)
        except Exception as error:  # whatever an old runtime says of a file
            wrong += 1
            print(f"{build.name}: {str(error).splitlines()[0]}")
            continue
        wrong += max(found.values()) > TOLERANCE
        print(f"{build.name}: " + ", ".join(f"{name} {value:.2g}" for name, value in found.items()))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
