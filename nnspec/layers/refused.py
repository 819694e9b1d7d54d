"""Classes of `keras.layers` that a spec cannot use, each with its reason and an alternative.

A spec is data: it holds no code, no object of another framework, and nothing that reads targets as it goes.
"""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a kind is not a layer of a spec (completes `` `Lambda` …``), and what to use instead."""

    reason: str
    instead: str


_BASE = "is a base class: it computes nothing"
_NAMED = "name a concrete layer, such as `Dense`"
_WEIGHTS = "write the network with nnspec's layers, and pass trained weights with `nnspec export --weights FILE`"
_TARGETS = (
    "mixes the targets of a batch together with its images, but a layer only reads inputs: the targets would still "
    "label the original images"
)

REFUSED: Mapping[str, Refusal] = {
    "Lambda": Refusal(
        "contains Python code, but a spec is data and never runs code",
        "use axis operations (`permute`, `merge`, `split`, …), `Rescaling`, `Activation`, or merging layers "
        "such as `Add` and `Multiply`",
    ),
    "TorchModuleWrapper": Refusal("wraps a PyTorch module, which a spec cannot contain", _WEIGHTS),
    "JaxLayer": Refusal("wraps JAX functions, which a spec cannot contain", _WEIGHTS),
    "FlaxLayer": Refusal("wraps a Flax module, which a spec cannot contain", _WEIGHTS),
    "TFSMLayer": Refusal(
        "runs a TensorFlow SavedModel, whose code can be neither checked nor lowered to ONNX", _WEIGHTS
    ),
    "Layer": Refusal(_BASE, _NAMED),
    "Wrapper": Refusal(_BASE, "name a concrete wrapper, such as `TimeDistributed` or `Bidirectional`"),
    "InputSpec": Refusal(
        "describes what a layer's code accepts and is not a layer",
        "declare axes and dtype under `inputs:`; nnspec checks what each layer accepts",
    ),
    "InputLayer": Refusal(
        "declares an input, which a spec does under `inputs:`",
        "write the input as `inputs: {x: {axes: {time: 10, feature: 5}}}`",
    ),
    "Pipeline": Refusal(
        "is a list of layers, which `model:` already is",
        "write the layers one after another, or as a block if they are used more than once",
    ),
    "MixUp": Refusal(_TARGETS, "mix the samples before training, or augment with `RandomErasing` or `Dropout`"),
    "CutMix": Refusal(_TARGETS, "mix the samples before training, or augment with `RandomErasing`"),
    "MaxNumBoundingBoxes": Refusal(
        "crops and pads lists of bounding boxes, which are targets: tensors pass through it unchanged",
        "give the targets the same size in the data files",
    ),
}


def find(kind: str) -> tuple[str, Refusal] | None:
    """The refused kind of this name, case ignored, and its refusal."""
    return next(((name, refusal) for name, refusal in REFUSED.items() if name.lower() == kind.lower()), None)
