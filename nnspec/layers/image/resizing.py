"""Layers that give images one size: Resizing, CenterCrop, RandomCrop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec.backends.resampling import INTERPOLATIONS, matrix, nearest_indices, window
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.image.base import SEED, ImageLayer
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Window
from nnspec.layers.normalization.rescaling import cast_to_float32
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable

Pair = tuple[int, int]
WHOLE = WHOLE


class ImageResizing(ImageLayer):
    """Base of layers that give images of `height` by `width` pixels. Integers become floats."""

    def infer(self, call: Call) -> Inferred:
        height, width, _ = self.places(call)
        self.check(call, height, width)
        axes, windows = list(call.axes), {}
        for place, name in ((height, "height"), (width, "width")):
            old = axes[place].size
            if old == 1 != call.args[name]:  # one value everywhere: no position is that of another
                axes[place] = ax.fresh(axes[place].name, call.args[name], call.name)
                windows[place] = WHOLE
                continue
            if old != call.args[name]:
                axes[place] = ax.resized(axes[place], call.args[name], call.name)
            windows[place] = self.window(call.args, old, call.args[name]) if isinstance(old, int) else WHOLE
        return Inferred((tuple(axes),), ("float32",), windows=windows)

    def window(self, args: Args, old: int, new: int) -> Window:
        """How a new position sees the old ones along one axis."""
        return WHOLE

    def check(self, call: Call, height: int, width: int) -> None:
        for place in (height, width):
            call.require_size(call.axes[place], "the cropped part depends on it")

    def spatial(self, node: Node) -> Pair:
        """The positions of height and width among the input's axes."""
        return (1, 2) if node.args["data_format"] == "channels_first" else (0, 1)

    def sizes(self, node: Node) -> tuple[int | None, int | None]:
        height, width = (node.inputs[0].axes[place].size for place in self.spatial(node))
        return ax.known_size(height), ax.known_size(width)

    def prepare(self, node: Node, view: View, lowering: Lowering) -> View:
        """The images as floats, dimensions `batch channel height width`."""
        height, width = self.spatial(node)
        channel = 3 - height - width
        floats = cast_to_float32(lowering, view)
        return lowering.arrange(floats, tuple(floats.axes[i] for i in (0, channel + 1, height + 1, width + 1)))

    def finish(self, node: Node, lowering: Lowering, source: View, tensor: str) -> View:
        """The view of `batch channel height width` after a change of the sizes."""
        dims, axes = list(source.dims), list(source.axes)
        for dim, place in zip((2, 3), self.spatial(node), strict=True):
            axis = node.outputs[0].axes[place]
            if node.inputs[0].axes[place].size != axis.size:
                dims[dim] = axes[place + 1] = lowering.factor(axis.name, axis.size)
        return replace(source, tensor=tensor, dims=tuple(dims), axes=tuple(axes), mask=None)


def crop(lowering: Lowering, tensor: str, starts: Pair, sizes: Pair) -> str:
    """A window of `batch channel height width`."""
    ends = (starts[0] + sizes[0], starts[1] + sizes[1])
    bounds = [lowering.constant(np.asarray(v, np.int64), n) for v, n in ((starts, "starts"), (ends, "ends"))]
    return lowering.node("Slice", tensor, *bounds, lowering.constant(np.asarray((2, 3), np.int64), "axes"))


def widest_window(old: Pair, new: Pair) -> tuple[Pair, Pair]:
    """The largest window of the old image that has the new one's proportions, in the middle: starts and sizes."""
    (height, width), (new_height, new_width) = old, new
    kept = (
        max(min(height, int(width * new_height / new_width)), 1),
        max(min(width, int(height * new_width / new_height)), 1),
    )
    return ((height - kept[0]) // 2, (width - kept[1]) // 2), kept


def resample(
    lowering: Lowering,
    tensor: str,
    old: tuple[int | None, int | None],
    new: Pair,
    interpolation: str = "bilinear",
    *,
    antialias: bool = False,
) -> str:
    """`batch channel height width` brought to a new height and width. Sizes that are None need `Resize`."""
    if old == new:
        return tensor
    if interpolation == "nearest" and None not in old:
        for axis, before, after in zip((2, 3), old, new, strict=True):
            if before is not None and before != after:
                chosen = lowering.constant(nearest_indices(before, after), "pixels")
                tensor = lowering.node("Gather", tensor, chosen, axis=axis)
        return tensor
    if not antialias and interpolation in ("bilinear", "nearest"):
        how: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        if interpolation == "nearest":
            how |= {"mode": "nearest", "nearest_mode": "round_prefer_ceil"}
        return lowering.node("Resize", tensor, *_target(lowering, tensor, old, new), **how)
    for axis, before, after in zip((3, 2), old[::-1], new[::-1], strict=True):
        if before is None or before == after:
            continue
        weights = matrix(interpolation, before, after, antialias=antialias)
        if axis == 3:
            tensor = lowering.node("MatMul", tensor, lowering.constant(weights.T, "weights"))
        else:
            tensor = lowering.node("MatMul", lowering.constant(weights, "weights"), tensor)
    return tensor


def _target(lowering: Lowering, tensor: str, old: tuple[int | None, int | None], new: Pair) -> tuple[str, ...]:
    """What Resize reads behind its input. Its `axes` would say it shortly, but ONNX Runtime 1.32 moves transposes
    past a Resize as if it had none."""
    if None not in old:
        scales = np.ones(4, np.float32)
        for i, (before, after) in enumerate(zip(old, new, strict=True)):
            scale = np.float32(after) / np.float32(before)
            while int((before or 0) * float(scale)) < after:  # the new size is the product, cut to an integer
                scale = np.nextafter(scale, np.float32(np.inf))
            scales[2 + i] = scale
        return "", lowering.constant(scales, "scales")
    kept = lowering.node("Shape", tensor, end=2)
    sizes = lowering.node("Concat", kept, lowering.constant(np.asarray(new, np.int64), "sizes"), axis=0)
    return "", "", sizes


class Resizing(ImageResizing):
    """Resizes images to `height` by `width` pixels by interpolation.

    In ONNX a `Resize`, or, for the methods that runtimes compute differently (`bicubic`, `lanczos`, `area`,
    `antialias`), two matrix products with TensorFlow's kernel weights. Integers become floats, which Keras would round.

    Input axes:  `batch height width channel`
    Output axes: the same, of the new sizes
    """

    kind = "Resizing"
    combines = "mean"
    args = {
        "height": a.integer("The new height in pixels."),
        "width": a.integer("The new width in pixels."),
        "interpolation": a.choice("Interpolation method.", INTERPOLATIONS, "bilinear"),
        "crop_to_aspect_ratio": a.boolean("Whether to crop to the new aspect ratio first.", False),
        "pad_to_aspect_ratio": a.boolean("Whether to pad to the new aspect ratio first.", False),
        "fill_mode": a.choice("How to pad: always with `fill_value`.", ["constant"], "constant"),
        "fill_value": a.number("Value of the padding.", 0.0),
        "antialias": a.boolean("Whether to antialias when the image gets smaller.", False),
        "data_format": a.data_format(),
    }

    def check(self, call: Call, height: int, width: int) -> None:
        args = call.args
        keeps = [name for name in ("crop_to_aspect_ratio", "pad_to_aspect_ratio") if args[name]]
        if len(keeps) == 2:
            call.fail("NN208", "`Resizing` takes either `crop_to_aspect_ratio` or `pad_to_aspect_ratio`", keeps[1])
        is_any_size = not keeps and not args["antialias"] and args["interpolation"] in ("bilinear", "nearest")
        if not is_any_size:
            for place in (height, width):
                call.require_size(call.axes[place], "the aspect ratio or weights depend on it")

    def runs_only_on_tensorflow(self, node: Node) -> bool:
        return bool(node.args["interpolation"] == "area")

    def window(self, args: Args, old: int, new: int) -> Window:
        if args["crop_to_aspect_ratio"] or args["pad_to_aspect_ratio"]:
            return WHOLE
        return Window(1) if old == new else window(args["interpolation"], old, new, antialias=args["antialias"])

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        args, old = node.args, self.sizes(node)
        new: Pair = (args["height"], args["width"])
        view = self.prepare(node, inputs[0], lowering)
        tensor, size = view.tensor, old
        if None not in old and (args["crop_to_aspect_ratio"] or args["pad_to_aspect_ratio"]):
            known = (old[0] or 1, old[1] or 1)
            if args["crop_to_aspect_ratio"]:
                starts, size = widest_window(known, new)
                tensor = crop(lowering, tensor, starts, size) if size != known else tensor
            else:
                tensor, size = self.pad(lowering, tensor, known, new, args["fill_value"])
        how = args["interpolation"]
        return [
            self.finish(node, lowering, view, resample(lowering, tensor, size, new, how, antialias=args["antialias"]))
        ]

    def pad(self, lowering: Lowering, tensor: str, old: Pair, new: Pair, value: float) -> tuple[str, Pair]:
        """Padded alike at both ends to nearly the new proportions."""
        ends = (
            max(int(old[1] * new[0] / new[1]) - old[0], 0) // 2,
            max(int(old[0] * new[1] / new[0]) - old[1], 0) // 2,
        )
        if not any(ends):
            return tensor, old
        pads = lowering.constant(np.asarray([0, 0, *ends, 0, 0, *ends], np.int64), "pads")
        made = lowering.node("Pad", tensor, pads, *([lowering.scalar(value)] if value else []))
        return made, (old[0] + 2 * ends[0], old[1] + 2 * ends[1])


class CenterCrop(ImageResizing):
    """Crops the centre of each image, `height` by `width` pixels.

    An image that is smaller in one dimension is cropped to the new aspect ratio and resized. Integers become floats.

    Input axes:  `batch height width channel`
    Output axes: the same, of the new sizes
    """

    kind = "CenterCrop"
    args = {
        "height": a.integer("The new height in pixels."),
        "width": a.integer("The new width in pixels."),
        "data_format": a.data_format(),
    }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        height, width = self.sizes(node)
        old, new = (height or 1, width or 1), (node.args["height"], node.args["width"])
        view = self.prepare(node, inputs[0], lowering)
        if old == new:
            return [view]
        if old[0] >= new[0] and old[1] >= new[1]:
            starts = ((old[0] - new[0]) // 2, (old[1] - new[1]) // 2)
            return [self.finish(node, lowering, view, crop(lowering, view.tensor, starts, new))]
        return [self.finish(node, lowering, view, smart_resize(lowering, view.tensor, old, new))]


def smart_resize(lowering: Lowering, tensor: str, old: Pair, new: Pair) -> str:
    """Keras' `smart_resize`: cut to the new proportions, then resized."""
    starts, size = widest_window(old, new)
    if size != old:
        tensor = crop(lowering, tensor, starts, size)
    return resample(lowering, tensor, size, new)


class RandomCrop(ImageResizing):
    """In training crops a random part of the images, `height` by `width` pixels; at inference resizes the whole image.

    At inference, and if an image is not larger, the largest window of the new aspect ratio is resized, as in Keras'
    documentation; Keras' code returns images of the old size there. Integers become floats.

    Input axes:  `batch height width channel`
    Output axes: the same, of the new sizes
    """

    kind = "RandomCrop"
    moves_pixels = True
    left_out = "Keras does not crop at inference"
    args = {
        "height": a.integer("The new height in pixels."),
        "width": a.integer("The new width in pixels."),
        "seed": SEED,
        "data_format": a.data_format(),
    }

    def to_keras(self, node: Node) -> KerasCallable:
        """Keras' own, which leaves images alone at inference, and a Resizing, which in training finds them right."""
        import keras

        arguments = self.keras_arguments(node)
        sizes = {key: arguments[key] for key in ("height", "width", "data_format")}
        name = keras_name(node.name)
        crop = keras.layers.RandomCrop(**arguments, name=f"{name}.crop")
        resize = keras.layers.Resizing(**sizes, crop_to_aspect_ratio=True, name=f"{name}.resize")
        made: KerasCallable = keras.Sequential([crop, resize], name=name)
        return made

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        height, width = self.sizes(node)
        view = self.prepare(node, inputs[0], lowering)
        new = (node.args["height"], node.args["width"])
        return [self.finish(node, lowering, view, smart_resize(lowering, view.tensor, (height or 1, width or 1), new))]


LAYERS = (Resizing(), CenterCrop(), RandomCrop())
