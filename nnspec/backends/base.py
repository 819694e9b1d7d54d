"""Interfaces of backends: engines that train a network, and formats that it is exported to.

A `TrainingBackend` is an engine that Keras computes with: it seeds, feeds, fits and differentiates. Everything else of
a training, which weights are kept, what is checked, evaluated and written, is nnspec's and the same for every engine.
Keras models, layers and callbacks are what both sides speak of.

An `ExportBackend` is a format of deployed models: it lowers a graph and its weights to an `ExportedModel`, which the
gate compares with Keras before it becomes a file. What the model says of itself, what it is compared on and when it
passes is nnspec's and the same for every format.

`nnspec.backends.registry` finds both by name; the jobs take them as arguments too:

    from nnspec.backends.registry import training_backend
    jobs.run_build(checked, out, progress, backend=training_backend("tensorflow"), exporter="onnx")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from nnspec.backends.types import Differentiable, KerasCallback, KerasLayer, KerasModel, Values
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Span
from nnspec.document.types import JsonObject
from nnspec.ir.graph import Args, Graph


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """What a model is fitted to or validated on: arrays with the samples first.

    Attributes:
        weights: of each target; None where all count the same.
        change: what a batch is turned into in an epoch of training, by the epoch and the samples alone: of its parts
            (inputs, targets, and weights where there are any), which samples they are, and the number of the epoch;
            None where it stays as it is.
    """

    inputs: Values
    targets: Values
    weights: Values | None = None
    change: Callable[[tuple[Values, ...], np.ndarray, int], tuple[Values, ...]] | None = None


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
        first_step: int = 0,
        validation: Samples | None = None,
        callbacks: Sequence[KerasCallback] = (),
    ) -> None:
        """Trains a compiled model, epoch by epoch, until one of the callbacks sets `model.stop_training`.

        Args:
            epochs: those still to be done, counted from 0.
            first_step: the batch that the first of them begins with, counted from 0: those before were trained on
                before an interruption. Callbacks are told of it by this number.
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Deployable:
    """A trained network, with all that its file is to do besides.

    Attributes:
        weights: by `Node.owner`, then by weight.
        deployment: what the file does to data in front of the network and behind it.
        layout: order of axes (`batch` among them) of inputs and outputs that differ from the spec's.
        layers: the Keras layer of each node, for what a format has no lowering of its own for.
        options: the spec's `export` section, of which a format takes what is its own.
        span: where that section stands.
    """

    graph: Graph
    weights: Mapping[str, Mapping[str, np.ndarray]]
    deployment: Deployment
    layout: Mapping[str, list[str]]
    layers: Mapping[str, KerasLayer]
    options: Args
    span: Span


class Session(Protocol):
    """An exported model that is ready to run."""

    @property
    def inputs(self) -> Mapping[str, Sequence[int | None]]:
        """The size of each axis of each input, recurrent state among them; None where it is open."""

    def run(self, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs by name, each with its axes in the model's own order.

        Raises:
            SpecError: NN702 where the model fails.
        """


class ExportedModel(Protocol):
    """A model in memory as its file will hold it, or as a file held it."""

    @property
    def backend(self) -> ExportBackend: ...

    @property
    def source(self) -> Deployable | None:
        """What it was lowered from; None where it was read from a file."""

    @property
    def lowered_by(self) -> Mapping[str, str]:
        """By node: `nnspec`, or the converter that the backend asked; empty where it was read from a file."""

    @property
    def states(self) -> Mapping[str, str]:
        """The inputs that take recurrent state, and the outputs that give it back."""

    @property
    def metadata(self) -> JsonObject | None:
        """What the model says of itself, see `embed`; None where it says nothing.

        Raises:
            ValueError: where that is damaged.
        """

    def embed(self, metadata: JsonObject) -> None:
        """Makes the model carry these metadata, as JSON, in place of any it has."""

    def interface(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many axes each input has, and each output."""

    def check_form(self, graph: Graph) -> None:
        """Whether it is well-formed, and holds nothing that the format's runtimes would not take.

        Raises:
            SpecError: NN702.
        """

    def describe(self, graph: Graph) -> JsonObject:
        """What `verify.json` says of its form."""

    def operators(self) -> Mapping[str, int]:
        """How often it has each operator, those in bodies of loops counted too."""

    def open(self) -> Session:
        """The model, loaded by the runtime that the format is known for.

        Raises:
            SpecError: NN702 where it does not load.
        """

    def to_bytes(self) -> bytes:
        """The content of its file."""


@runtime_checkable
class Convertible(Protocol):
    """An exported model that can also be stored in fewer bits, under the names of `nnspec.ir.variants.FORMS`."""

    def convertible(self, variant: str, graph: Graph) -> list[str]:
        """The layers with kernels that a variant would store so, in the order of the graph."""

    def converted(
        self,
        variant: str,
        graph: Graph,
        samples: Callable[[], Sequence[Mapping[str, np.ndarray]]],
        without: Collection[str] = (),
    ) -> ExportedModel:
        """The model as a variant; its inputs, its outputs and what stands before and behind kernels stay float32.

        Args:
            samples: gives raw inputs in batches, by whose values a variant is scaled that needs them.
            without: layers that stay float32 too.
        """


class ExportBackend(Protocol):
    """A format of deployed models."""

    @property
    def name(self) -> str:
        """What a spec and the registry call it."""

    @property
    def title(self) -> str:
        """What messages call it, as in `the ONNX model`."""

    @property
    def runtime(self) -> str:
        """What messages call that which runs its models, as in `ONNX Runtime`."""

    @property
    def suffix(self) -> str:
        """That of its files, with the dot."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The distributions whose versions its models and their results depend on."""

    def lower(self, network: Deployable) -> ExportedModel:
        """The network in this format, not yet verified.

        Raises:
            SpecError: NN601 where a layer has no lowering, NN603 where an option cannot be met.
        """

    def parse(self, data: bytes) -> ExportedModel:
        """A model from the content of its file.

        Raises:
            Exception: of whatever class, where that is damaged.
        """
