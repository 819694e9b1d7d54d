"""Kinds of `keras.layers` that a spec cannot name, each with its reason and what to write instead.

A spec is data: it holds no code, no object of another framework, and nothing that reads targets as it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a kind is no layer of a spec (completes `` `Lambda` …``), and what to use instead."""

    reason: str
    instead: str


_BASE = "is a base class: it computes nothing by itself"
_NAMED = "name the layer that is meant, such as `Dense`"
_WEIGHTS = "write the network with nnspec's layers, and give trained weights with `nnspec export --weights FILE`"
_TARGETS = (
    "mixes the targets of a batch together with its images, but a layer of a network reads its inputs alone: "
    "the targets would keep the labels of images that are no longer there"
)

REFUSED: Mapping[str, Refusal] = {
    "Lambda": Refusal(
        "carries Python code, and a spec is data: nothing in it is ever run",
        "say it with axis operations (`permute`, `merge`, `split`, …), `Rescaling`, `Activation`, or merging layers "
        "such as `Add` and `Multiply`",
    ),
    "TorchModuleWrapper": Refusal("wraps a PyTorch module, an object that a spec cannot hold", _WEIGHTS),
    "JaxLayer": Refusal("wraps JAX functions, which a spec cannot hold", _WEIGHTS),
    "FlaxLayer": Refusal("wraps a Flax module, an object that a spec cannot hold", _WEIGHTS),
    "TFSMLayer": Refusal(
        "runs a TensorFlow SavedModel: its computation is code that cannot be checked, or lowered to ONNX", _WEIGHTS
    ),
    "Layer": Refusal(_BASE, _NAMED),
    "Wrapper": Refusal(_BASE, "name the wrapper that is meant, such as `TimeDistributed` or `Bidirectional`"),
    "InputSpec": Refusal(
        "describes what a layer's code accepts, and is no layer",
        "say axes and dtype under `inputs:`; what each layer accepts is checked",
    ),
    "InputLayer": Refusal(
        "is where a network begins, and a spec says that by itself",
        "declare the input under `inputs:`, as in `inputs: {x: {axes: {time: 10, feature: 5}}}`",
    ),
    "Pipeline": Refusal(
        "is a list of layers, and so is a spec's model",
        "write the layers one after another, or as a block where they are used more than once",
    ),
    "MixUp": Refusal(_TARGETS, "mix the samples before training, or augment with `RandomErasing` or `Dropout`"),
    "CutMix": Refusal(_TARGETS, "mix the samples before training, or augment with `RandomErasing`"),
    "MaxNumBoundingBoxes": Refusal(
        "cuts and pads lists of bounding boxes, which are targets: tensors pass through it unchanged",
        "bring the targets to one size in the data files",
    ),
}


def find(kind: str) -> tuple[str, Refusal] | None:
    """The refused kind of this name, case ignored, and its refusal."""
    return next(((name, refusal) for name, refusal in REFUSED.items() if name.lower() == kind.lower()), None)
