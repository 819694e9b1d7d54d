"""The optimizer of a spec, with what `precision` and `accumulate` add to it."""

from __future__ import annotations

from nnspec.backends.types import KerasOptimizer
from nnspec.catalogue import keras_objects
from nnspec.document.types import Plain

SCALING = "LossScaleOptimizer"


def build_optimizer(value: Plain, *, precision: str = "float32", accumulate: int = 1) -> KerasOptimizer:
    """A Keras optimizer that adds up the gradients of `accumulate` batches.

    Gradients of 16-bit floats vanish where they are small: in `mixed_float16` the loss is scaled by a factor that is
    halved where they overflow, and doubled after 2000 batches in which none did.
    """
    if accumulate > 1:
        value = _accumulating(value, accumulate)
    kind, _ = keras_objects.canonical("optimizers", value)  # type: ignore[arg-type]
    if precision == "mixed_float16" and kind != SCALING:
        value = {SCALING: {"inner_optimizer": value}}
    return keras_objects.build("optimizers", value)  # type: ignore[arg-type]


def _accumulating(value: Plain, steps: int) -> Plain:
    kind, arguments = keras_objects.canonical("optimizers", value)  # type: ignore[arg-type]
    if "inner_optimizer" in arguments:
        return {kind: {**arguments, "inner_optimizer": _accumulating(arguments["inner_optimizer"], steps)}}
    return {kind: {**arguments, "gradient_accumulation_steps": steps}}
