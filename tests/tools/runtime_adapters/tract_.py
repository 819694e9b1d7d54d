"""tract, an engine in Rust."""

import numpy as np
import tract


def run(path, inputs, outputs):
    model = tract.onnx().load(str(path))
    for place, value in enumerate(inputs.values()):
        model.set_input_fact(place, ",".join([*map(str, value.shape), {"f": "f32", "i": "i64"}[value.dtype.kind]]))
    runnable = (
        model.into_model().into_runnable() if hasattr(model, "into_model") else model.into_tract().into_runnable()
    )
    return [np.asarray(value.to_numpy()) for value in runnable.run(list(inputs.values()))]
