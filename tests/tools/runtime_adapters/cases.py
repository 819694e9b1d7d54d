"""What every adapter reads and writes: a case is a folder with `model.onnx` and `case.json` (inputs, and the answer).

Runs within the environment of one runtime, so that it may import NumPy alone. `python cases.py ADAPTER CASE…` prints a
line of JSON for each case: its outputs, or the error.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]
Run = Callable[[Arrays], Mapping[str, object] | list[object]]


def encode(array: np.ndarray) -> dict[str, object]:
    if array.dtype.kind in "OUS":
        return {"dtype": "string", "shape": list(array.shape), "words": [str(word) for word in array.ravel()]}
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def decode(body: Mapping[str, object]) -> np.ndarray:
    shape = [int(str(size)) for size in list(body["shape"])]  # type: ignore[call-overload]
    if body["dtype"] == "string":
        return np.asarray(body["words"], object).reshape(shape)
    return np.frombuffer(base64.b64decode(str(body["data"])), str(body["dtype"])).reshape(shape)


def main(adapter: str, folders: list[str]) -> None:
    spec = importlib.util.spec_from_file_location("adapter", adapter)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for folder in folders:
        case = json.loads((Path(folder) / "case.json").read_text(encoding="utf-8"))
        inputs = {name: decode(body) for name, body in case["inputs"].items()}
        line: dict[str, object] = {"case": folder}
        try:
            made = module.run(Path(folder) / "model.onnx", inputs, list(case["outputs"]))
            if not isinstance(made, dict):
                made = dict(zip(case["outputs"], made, strict=False))
            line["outputs"] = {name: encode(np.asarray(value)) for name, value in made.items()}
        except Exception as error:
            line["error"] = (str(error).strip() or type(error).__name__)[:2000]
            line["trace"] = traceback.format_exc()[-2000:]
        print("RESULT " + json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
