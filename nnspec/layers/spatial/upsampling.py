"""UpSampling over one to three axes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.backends.resampling import matrix
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Args, Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.image.linear_maps import map_axis
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.sliding_windows import spatial_positions
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class UpSampling(Layer):
    """Base of upsampling: each position becomes `size` positions along every spatial axis."""

    short = "size"
    rank: ClassVar[int]
    steps = True
    combines = "mean"

    def factors(self, args: Args) -> tuple[int, ...]:
        return a.as_tuple(args["size"], self.rank)

    def infer(self, call: Call) -> Inferred:
        require_channel_axis(call, self.rank + 1, f"{self.rank} spatial and one channel axis")
        call.require_float()
        places, _ = spatial_positions(self.rank, call.args.get("data_format"))
        check_steps(call, places)
        method = call.args.get("interpolation", "nearest")
        axes: list[Axis] = list(call.axes)
        windows: dict[int, Window] = {}
        for place, factor in zip(places, self.factors(call.args), strict=True):
            if factor > 1 and axes[place].size == 1:  # one value everywhere: no position is that of another
                axes[place] = ax.fresh(axes[place].name, factor, call.name)
                windows[place] = WHOLE
            elif factor > 1:
                if not _is_resize(factor, method):
                    call.require_size(axes[place], "the weights of its interpolation differ near the ends")
                axes[place] = ax.resized(axes[place], ax.multiply((axes[place].size, factor)), call.name)
                windows[place] = _window(factor, method)
        return Inferred((tuple(axes),), windows=windows)

    def why(self, node: Node) -> dict[str, str]:
        places, _ = spatial_positions(self.rank, node.args.get("data_format"))
        before, after = node.inputs[0].axes, node.outputs[0].axes
        lengths = lists.joined(say.size_change(before[place], after[place]) for place in places)
        each = "×".join(str(factor) for factor in self.factors(node.args))
        return {"size": f"Each position becomes {each}: {lengths}."}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        method = node.args.get("interpolation", "nearest")
        before, after = node.inputs[0].axes, node.outputs[0].axes
        places, channel = spatial_positions(self.rank, node.args.get("data_format"))
        factors = self.factors(node.args)
        view = replace(inputs[0], mask=None)
        grown = {place: factor for place, factor in zip(places, factors, strict=True) if factor > 1}
        by_resize = [place for place, factor in grown.items() if _is_resize(factor, method)]
        if method != "nearest" and _is_channel_between(view, channel, places):
            unknown = [place for place in by_resize if not isinstance(before[place].size, int)]
            for place in unknown:
                view = _resize(lowering, view, [place], grown, after, method)
            grown = {place: factor for place, factor in grown.items() if place not in unknown}
            by_resize = []
        if by_resize:
            if method != "nearest":
                view = lowering.arrange(view, [view.axes[1 + i] for i in (-1, channel, *places)])
            view = _resize(lowering, view, by_resize, grown, after, method)
        for place in grown:
            if place not in by_resize:
                size, made = before[place].size, after[place].size
                assert isinstance(size, int)
                assert isinstance(made, int)
                weights = matrix(method, size, made, antialias=False)
                view = map_axis(lowering, view, 1 + place, weights, after[place].name)
        return [view]


# How far a position sees at most, in positions that are read.
_REACH = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}

_MODES: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    "bicubic": {
        "mode": "cubic",
        "coordinate_transformation_mode": "half_pixel",
        "cubic_coeff_a": -0.5,
        "exclude_outside": 1,
    },
}


def _is_resize(factor: int, method: str) -> bool:
    """Whether ONNX' Resize computes an interpolation as TensorFlow does.

    TensorFlow's cubic weights are those of places rounded to 1/1024: the very places where the factor is a power of 2
    (up to 512, as they lie half a step off).
    """
    if method == "bicubic":
        return factor & (factor - 1) == 0 and factor <= 512
    return method in _MODES


def _is_channel_between(view: View, channel: int, places: tuple[int, ...]) -> bool:
    """Whether memory has the channel axis between the axes that grow.

    ONNX Runtime moves transposes past a Resize, and then finds no kernel for one whose axes lie apart.
    """
    order = {factor: i for i, factor in enumerate(view.order)}
    spatial = [order[group[0]] for group in (view.axes[1 + place] for place in places) if group]
    middle = view.axes[1 + channel]
    return len(spatial) > 1 and bool(middle) and min(spatial) < order[middle[0]] < max(spatial)


def _resize(
    lowering: Lowering, view: View, places: list[int], factors: dict[int, int], after: ax.Axes, method: str
) -> View:
    """One Resize along the axes at `places`."""
    ready, dims = separate_dims(lowering, view, [1 + place for place in places])
    scales = np.ones(len(ready.dims), np.float32)
    scales[dims] = [factors[place] for place in places]
    tensor = lowering.node("Resize", ready.tensor, "", lowering.constant(scales, "scales"), **_MODES[method])
    groups = [lowering.factor(after[place].name, after[place].size) for place in places]
    return replace_dims(ready, tensor, dims, [1 + place for place in places], groups)


def _window(factor: int, method: str) -> Window:
    """What a position sees: the one that it repeats, or those nearer to its place than the interpolation reaches."""
    if method == "nearest":
        return Window(1 + Fraction(factor - 1, factor), Fraction(1, factor), 0)
    steps = 2 * factor * _REACH[method] - (1 if factor % 2 == 0 else 2)  # points half a step off, or at positions
    width = Fraction(steps, factor)
    return Window(1 + width, Fraction(1, factor), width / 2 + Fraction(1, 2 * factor) - Fraction(1, 2))


class UpSampling1D(UpSampling):
    """Repeats every step of a sequence `size` times.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, time·size

    Not this: an input of (feature, time), which would repeat the features (NN308).
    """

    kind = "UpSampling1D"
    rank = 1
    args = {"size": a.integer("Number of repetitions of each step.", 2)}


class UpSampling2D(UpSampling):
    """Enlarges two axes by the factor `size`, by repetition or interpolation.

    Exported as ONNX' Resize, or, if that computes other weights than TensorFlow (`lanczos3`, `lanczos5`, `bicubic` with
    factors other than powers of 2), as a matrix along each axis, whose length must then be known (NN313).

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, height·size[0], width·size[1]
    """

    kind = "UpSampling2D"
    rank = 2
    args = {
        "size": a.sizes("Factor along each spatial axis.", 2, [2, 2]),
        "data_format": a.data_format(),
        "interpolation": a.choice(
            "nearest repeats values; the others interpolate.",
            ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"],
            "nearest",
        ),
    }


class UpSampling3D(UpSampling):
    """Repeats every position `size` times along three axes.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, each length·size
    """

    kind = "UpSampling3D"
    rank = 3
    args = {
        "size": a.sizes("Number of repetitions along each spatial axis.", 3, [2, 2, 2]),
        "data_format": a.data_format(),
    }


LAYERS = (UpSampling1D(), UpSampling2D(), UpSampling3D())
