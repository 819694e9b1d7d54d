"""The seams where engines and formats join nnspec: what trains a network, and what it is exported to.

A `TrainingBackend` is an engine that Keras computes with: it seeds, feeds, fits and differentiates. Everything else of
a training, which weights are kept, what is checked, evaluated and written, is nnspec's and the same for every engine.
Keras models, layers and callbacks are what both sides speak of. `nnspec.backends.registry` finds a backend by name; the
jobs take one as an argument too:

    from nnspec.backends.registry import training_backend
    jobs.run_training(checked, out, progress, backend=training_backend("tensorflow"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

Tensor: TypeAlias = Any  # of whichever framework computes
KerasModel: TypeAlias = Any  # Keras ships no types
KerasCallback: TypeAlias = Any
Values: TypeAlias = Tensor | Mapping[str, Tensor]  # of one input or output by itself, of several by name

# A function of tensors by name that gives a scalar to differentiate, and a value that is handed back beside it.
Differentiable: TypeAlias = Callable[[Mapping[str, Tensor]], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """What a model is fitted to or validated on: arrays with the samples first.

    Attributes:
        weights: of each target; None where all count the same.
    """

    inputs: Values
    targets: Values
    weights: Values | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """How samples become batches.

    The samples of epoch i (from 0) come in the order `sample_order(count, seed, i)`, the same for every backend, so
    that a training which goes on after an interruption, or on another engine, sees what it would have seen.
    """

    batch_size: int
    seed: int
    is_shuffled: bool = True


class TrainingBackend(Protocol):
    """An engine that trains Keras models.

    Attributes:
        name: what a spec and the registry call it.
        packages: the distributions whose versions its results depend on.
    """

    name: str
    packages: tuple[str, ...]

    def load(self) -> None:
        """Imports the frameworks; called before any other method, as often as anybody likes.

        Raises:
            SpecError: NN610 where Keras already runs on another engine in this process.
        """

    def seed(self, seed: int) -> None:
        """Seeds all random numbers and makes operations deterministic, so that weights drawn next are the seed's."""

    def devices(self) -> Sequence[str]:
        """What it computes on, as in `cpu:0`."""

    def batches(self, samples: Samples, order: Order, epoch: int) -> Iterable[tuple[Values, ...]]:
        """The batches of one epoch: `(inputs, targets)`, with `weights` behind them where there are any."""

    def fit(
        self,
        model: KerasModel,
        samples: Samples,
        order: Order,
        *,
        epochs: range,
        validation: Samples | None = None,
        callbacks: Sequence[KerasCallback] = (),
    ) -> None:
        """Trains a compiled model, epoch by epoch, until one of the callbacks sets `model.stop_training`.

        Args:
            epochs: those still to be done, counted from 0.
            callbacks: told of every epoch, batch and validation, in this order, as Keras' `fit` tells them.
        """

    def predict(self, model: KerasModel, inputs: Values, batch_size: int) -> Values:
        """What a model gives for all samples; at most `batch_size` of them at a time."""

    def gradients(
        self, function: Differentiable, arrays: Mapping[str, np.ndarray], names: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """A function's second result, and the gradient of its first with respect to the arrays of these names.

        Each gradient has the axes of its array, and is zero where nothing depends on it.
        """
