"""What all Keras engines have in common; each engine has a separate module."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib.util import find_spec
from typing import ClassVar

from nnspec.backends.keras.startup_output import hold_standard_error
from nnspec.backends.keras.streaming import is_large, predict_in_batches
from nnspec.backends.types import KerasModel, Values
from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.diagnostics.extras import EXTRAS, install_command
from nnspec.diagnostics.memory import require_address_space
from nnspec.unused_packages import owns_process, without

_IS_COMPILED: ContextVar[bool] = ContextVar("is_compiled", default=True)


@contextmanager
def uncompiled_predictions() -> Iterator[None]:
    """Within it, models are called as they are.

    A compiled function keeps the functions of Keras that it was traced with. Where others are put in their place for a
    while, it would not ask them, or would go on to ask them afterwards.
    """
    token = _IS_COMPILED.set(False)
    try:
        yield
    finally:
        _IS_COMPILED.reset(token)


class KerasEngine:
    """Loading, seeds, devices and predictions, by the means that Keras has for whichever engine it runs on.

    Attributes:
        name: what Keras calls the engine.
        packages: the distributions whose versions its results depend on.
        least_addresses: bytes of address space without which importing them certainly fails, in whatever way.
        least_with_unused: the same where what is unused is imported with them.
        unused: what Keras and the engine import where they find it, for objects that nnspec never gives them.
    """

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    least_addresses: ClassVar[int] = 0
    least_with_unused: ClassVar[int] = 0
    unused: ClassVar[tuple[str, ...]] = ("matplotlib", "pandas", "sklearn")

    def load(self) -> None:
        """Imports Keras on this engine; what they print is shown only where that fails.

        Raises:
            SpecError: NN610 where Keras already runs on another engine in this process, NN612 where the engine is
                not installed.
        """
        if self.name not in sys.modules and find_spec(self.name) is None:
            command = install_command(self.name) if self.name in EXTRAS else f"pip install {self.name}"
            raise SpecError.single(
                "NN612",
                f"`training.backend` is `{self.name}`, but the package {self.name} is not installed",
                Span(Source("training.backend", "")),
                fixes=[Fix(command), Fix("or train with another backend: `--set training.backend=NAME`")],
            )
        if "keras" not in sys.modules:
            require_address_space(self.least_addresses if owns_process() else self.least_with_unused, self.name)
            os.environ["KERAS_BACKEND"] = self.name  # Keras reads it once, as it is imported
            with hold_standard_error(), without(*self.unused):
                self.start()
        import keras

        if keras.backend.backend() != self.name:
            raise SpecError.single(
                "NN610",
                f"Keras runs on `{keras.backend.backend()}` in this process, but nnspec trains with `{self.name}`",
                Span(Source("KERAS_BACKEND", "")),
                notes=["Keras chooses its backend when it is first imported, and keeps it"],
                fixes=[
                    Fix(f"import keras after nnspec, or set the environment variable KERAS_BACKEND={self.name} before")
                ],
            )

    def start(self) -> None:
        """Imports Keras and the engine; the first operation makes it look for devices, with log output of its own."""
        import keras

        keras.ops.convert_to_tensor(0)

    def seed(self, seed: int) -> None:
        """Seeds Python, NumPy and the engine."""
        import keras

        self.load()
        keras.utils.set_random_seed(seed)

    def devices(self) -> Sequence[str]:
        """What Keras may compute on, as in `cpu:0`."""
        import keras

        return [str(device) for device in keras.distribution.list_devices()]

    def predict(self, model: KerasModel, inputs: Values, batch_size: int) -> Values:
        """What a model gives for all samples; one call where they are a batch or less."""
        arrays = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
        is_once = len(arrays[0]) <= batch_size and not is_large(arrays)
        if not _IS_COMPILED.get():
            call = partial(model, training=False)
            return call(inputs) if is_once else predict_in_batches(call, inputs, batch_size)
        compute = self.compiled(model, inputs, is_once=is_once)
        if is_once:
            return model(inputs, training=False) if compute is None else compute(inputs)
        if compute is not None or is_large(arrays):
            return predict_in_batches(compute or model.predict_on_batch, inputs, batch_size)
        return model.predict(inputs, batch_size=batch_size, verbose=0)

    def compiled(self, model: KerasModel, inputs: Values, *, is_once: bool) -> Callable[[Values], Values] | None:
        """The model as one function of inputs of all sizes, where that is faster than one operation after the other.

        Args:
            inputs: what is to be predicted of.
            is_once: whether that is a single batch.
        """
        return None
