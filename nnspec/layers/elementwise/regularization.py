"""Layers that are active only in training (dropout, noise, penalties)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nnspec.ir.graph import Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.habits import Hint, keras_word

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


def _rate(description: str, *, below: float | None = None) -> a.Arg:
    return a.number(description, minimum=0, below=below, maximum=None if below else 1)


_RATE_HABITS = {"p": keras_word("rate"), "prob": keras_word("rate")}
_SEED = a.integer("Random seed.", None, minimum=0)
_NOISE_SHAPE = a.Arg(
    {"type": ["array", "null"], "items": {"type": ["integer", "null"], "minimum": 1}},
    "Shape of the noise, batch first: 1 to share it along an axis, null for separate noise per position.",
    None,
)


class TrainingOnly(Layer):
    """Active only in training: keeps axes, mask and values; exports no ONNX node."""

    rank: ClassVar[int | None] = None
    is_training_only = True

    def infer(self, call: Call) -> Inferred:
        if self.rank is not None:
            call.require_rank(self.rank)
        self.check(call)
        return Inferred((call.axes,), mask=call.input.mask)

    def check(self, call: Call) -> None:
        call.require_float()
        shape = call.args.get("noise_shape")
        if shape is not None:
            _check_noise_shape(call, shape)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [inputs[0]]


def _check_noise_shape(call: Call, shape: list[int | None]) -> None:
    if len(shape) != len(call.axes) + 1:
        call.fail(
            "NN310",
            f"`noise_shape` has {len(shape)} sizes, but with the batch there are {len(call.axes) + 1} axes",
            "noise_shape",
        )
    for size, axis in zip(shape[1:], call.axes, strict=True):
        if size not in (None, 1, axis.size):
            call.fail(
                "NN205",
                f"`noise_shape` has size {size} for `{axis.name}`, but it must be 1 or {axis.size}",
                "noise_shape",
            )


class Dropout(TrainingOnly):
    """In training sets the fraction `rate` of the values to 0 and scales up the others; at inference does nothing.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "Dropout"
    habits = {**_RATE_HABITS, "keep_prob": Hint("use `rate`, the fraction to drop: 1 - keep_prob")}
    is_positionwise = True
    args = {"rate": _rate("Fraction of values to drop.", below=1), "noise_shape": _NOISE_SHAPE, "seed": _SEED}


class SpatialDropout1D(TrainingOnly):
    """In training drops whole channels, at all steps of a sequence together; at inference does nothing.

    Input axes:  `batch time channel`
    Output axes: the same
    """

    kind = "SpatialDropout1D"
    habits = _RATE_HABITS
    rank = 2
    args = {"rate": _rate("Fraction of channels to drop.", below=1), "seed": _SEED}


class SpatialDropout2D(TrainingOnly):
    """In training drops whole channels, over two axes together; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "SpatialDropout2D"
    habits = _RATE_HABITS
    rank = 3
    args = {"rate": _rate("Fraction of channels to drop.", below=1), "data_format": a.data_format(), "seed": _SEED}


class SpatialDropout3D(TrainingOnly):
    """In training drops whole channels, over three axes together; at inference does nothing.

    Input axes:  `batch depth height width channel`
    Output axes: the same
    """

    kind = "SpatialDropout3D"
    habits = _RATE_HABITS
    rank = 4
    args = {"rate": _rate("Fraction of channels to drop.", below=1), "data_format": a.data_format(), "seed": _SEED}


class GaussianNoise(TrainingOnly):
    """In training adds normal noise of standard deviation `stddev`; at inference does nothing.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "GaussianNoise"
    is_positionwise = True
    args = {"stddev": _rate("Standard deviation of the noise."), "seed": _SEED}

    def padding_behind(self, node: Node, value: float) -> float | None:
        """In training it is no longer what it was."""
        return None


class GaussianDropout(TrainingOnly):
    """In training multiplies by normal noise around 1 of variance rate / (1 - rate); at inference does nothing.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "GaussianDropout"
    habits = _RATE_HABITS
    is_positionwise = True
    args = {"rate": _rate("The noise has standard deviation √(rate / (1 - rate)).", below=1), "seed": _SEED}


class AlphaDropout(TrainingOnly):
    """Dropout that keeps the mean and variance of `selu` activations; at inference does nothing.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "AlphaDropout"
    habits = _RATE_HABITS
    args = {"rate": _rate("Fraction of values to drop.", below=1), "noise_shape": _NOISE_SHAPE, "seed": _SEED}

    def padding_behind(self, node: Node, value: float) -> float | None:
        """In training it is no longer what it was."""
        return None


class ActivityRegularization(TrainingOnly):
    """Adds `l1`·Σ|x| + `l2`·Σx² of its input to the loss, and returns the input unchanged.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "ActivityRegularization"
    args = {
        "l1": a.number("Factor of the sum of absolute values.", 0.0, minimum=0),
        "l2": a.number("Factor of the sum of squares.", 0.0, minimum=0),
    }


class Identity(TrainingOnly):
    """Returns its input unchanged, under a new name.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "Identity"
    is_positionwise = True
    reads_text = True
    moves_values = True

    def check(self, call: Call) -> None:
        """Any dtype will do."""


LAYERS = (
    Dropout(),
    SpatialDropout1D(),
    SpatialDropout2D(),
    SpatialDropout3D(),
    GaussianNoise(),
    GaussianDropout(),
    AlphaDropout(),
    ActivityRegularization(),
    Identity(),
)
