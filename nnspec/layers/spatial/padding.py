"""ZeroPadding and Cropping over one to three axes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size
from nnspec.ir.graph import Args, Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.sliding_windows import spatial_positions
from nnspec.lazy import np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View

Pairs = tuple[tuple[int, int], ...]


def as_pairs(value: Any, rank: int) -> Pairs:
    """Keras' `1`, `[1, 2]` or `[[1, 2], [3, 4]]` as (before, after) for each axis."""
    if rank == 1:
        return (_pair(value),)
    return (_pair(value),) * rank if isinstance(value, int) else tuple(_pair(part) for part in value)


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _amounts(rank: int, description: str, default: a.Default) -> a.Arg:
    number = {"type": "integer", "minimum": 0}
    pair = {"type": ["integer", "array"], "minimum": 0, "items": number, "minItems": 2, "maxItems": 2}
    items = number if rank == 1 else pair
    length = 2 if rank == 1 else rank
    schema = {"type": ["integer", "array"], "minimum": 0, "items": items, "minItems": length, "maxItems": length}
    return a.Arg(schema, description, default)


class EdgeLayer(Layer):
    """Base of padding and cropping: changes the ends of the spatial axes."""

    rank: ClassVar[int]
    amount: ClassVar[str]
    steps = True

    def pairs(self, args: Args) -> Pairs:
        return as_pairs(args[self.amount], self.rank)

    def infer(self, call: Call) -> Inferred:
        require_channel_axis(call, self.rank + 1, f"{self.rank} spatial and one channel axis")
        places, _ = spatial_positions(self.rank, call.args.get("data_format"))
        check_steps(call, places)
        axes: list[Axis] = list(call.axes)
        windows: dict[int, Window] = {}
        for place, (before, after) in zip(places, self.pairs(call.args), strict=True):
            if before or after:
                axes[place] = ax.resized(axes[place], self.new_size(call, axes[place], before, after), call.name)
                windows[place] = Window(1, 1, self.shift(before))
        return Inferred((tuple(axes),), windows=windows)

    @abstractmethod
    def new_size(self, call: Call, axis: Axis, before: int, after: int) -> Size:
        """The size with these ends."""

    @abstractmethod
    def shift(self, before: int) -> int:
        """How many positions ahead an output position sees."""

    def why(self, node: Node) -> dict[str, str]:
        places, _ = spatial_positions(self.rank, node.args.get("data_format"))
        before, after = node.inputs[0].axes, node.outputs[0].axes
        parts = [
            f"{pair[0]} before and {pair[1]} after: {say.size_change(before[place], after[place])}"
            for place, pair in zip(places, self.pairs(node.args), strict=True)
        ]
        what = "Zeros are added at the ends" if self.amount == "padding" else "Positions are removed from the ends"
        return {self.amount: f"{what}, {lists.joined(parts)}."}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        places, _ = spatial_positions(self.rank, node.args.get("data_format"))
        both = [(p, pair) for p, pair in zip(places, self.pairs(node.args), strict=True) if any(pair)]
        if not both:
            return [replace(inputs[0], mask=None)]
        axes = [1 + place for place, _ in both]
        ready, dims = separate_dims(lowering, inputs[0], axes)
        tensor = self.change(node, lowering, ready, dims, [pair for _, pair in both], [place for place, _ in both])
        out = node.outputs[0].axes
        groups = [lowering.factor(out[place].name, out[place].size) for place, _ in both]
        return [replace_dims(ready, tensor, dims, axes, groups)]

    @abstractmethod
    def change(
        self,
        node: Node,
        lowering: Lowering,
        view: View,
        dims: list[int],
        pairs: list[tuple[int, int]],
        places: list[int],
    ) -> str:
        """The tensor with other ends along these dimensions."""


class ZeroPadding(EdgeLayer):
    """Zeros before and after."""

    short = "padding"
    amount = "padding"

    def new_size(self, call: Call, axis: Axis, before: int, after: int) -> Size:
        more = before + after
        return axis.size + more if isinstance(axis.size, int) else ax.derived(f"({axis.size} + {more})")

    def shift(self, before: int) -> int:
        return -before

    def change(
        self,
        node: Node,
        lowering: Lowering,
        view: View,
        dims: list[int],
        pairs: list[tuple[int, int]],
        places: list[int],
    ) -> str:
        amounts = np.zeros((2, len(view.dims)), np.int64)
        amounts[:, dims] = np.asarray(pairs).T
        return lowering.node("Pad", view.tensor, lowering.constant(amounts.reshape(-1), "pads"))


class Cropping(EdgeLayer):
    """Positions cut off at both ends."""

    short = "cropping"
    amount = "cropping"
    moves_values = True

    def new_size(self, call: Call, axis: Axis, before: int, after: int) -> Size:
        less = before + after
        if not isinstance(axis.size, int):
            return ax.derived(f"({axis.size} - {less})")
        if axis.size <= less:
            call.fail(
                "NN312",
                f"`{self.kind}` crops {less} positions of `{axis.name}`, which has only {axis.size}",
                "cropping",
                about=[axis.name],
            )
        return axis.size - less

    def shift(self, before: int) -> int:
        return before

    def change(
        self,
        node: Node,
        lowering: Lowering,
        view: View,
        dims: list[int],
        pairs: list[tuple[int, int]],
        places: list[int],
    ) -> str:
        sizes = [node.inputs[0].axes[place].size for place in places]
        starts = [before for before, _ in pairs]
        ends = [
            size - after if isinstance(size, int) else (-after if after else np.iinfo(np.int64).max)
            for size, (_, after) in zip(sizes, pairs, strict=True)
        ]
        bounds = [
            lowering.constant(np.asarray(v, np.int64), n)
            for v, n in ((starts, "starts"), (ends, "ends"), (dims, "axes"))
        ]
        return lowering.node("Slice", view.tensor, *bounds)


class ZeroPadding1D(ZeroPadding):
    """Zeros before the first and after the last step of a sequence.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, time longer by both amounts
    """

    kind = "ZeroPadding1D"
    rank = 1
    args = {
        "padding": _amounts(1, "Zeros at each end, or [before, after].", 1),
        "data_format": a.data_format(),
    }


class ZeroPadding2D(ZeroPadding):
    """Zeros around two axes.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, height and width longer
    """

    kind = "ZeroPadding2D"
    rank = 2
    args = {
        "padding": _amounts(2, "Zeros at every end, or a number or [before, after] per axis.", [1, 1]),
        "data_format": a.data_format(),
    }


class ZeroPadding3D(ZeroPadding):
    """Zeros around three axes.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, depth, height and width longer
    """

    kind = "ZeroPadding3D"
    rank = 3
    args = {
        "padding": _amounts(3, "Zeros at every end, or a number or [before, after] per axis.", [[1, 1]] * 3),
        "data_format": a.data_format(),
    }


class Cropping1D(Cropping):
    """Cuts steps off both ends of a sequence.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, time shorter by both amounts
    """

    kind = "Cropping1D"
    rank = 1
    args = {"cropping": _amounts(1, "Steps to crop at each end, or [before, after].", [1, 1])}


class Cropping2D(Cropping):
    """Cuts positions off the ends of two axes.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, height and width shorter
    """

    kind = "Cropping2D"
    rank = 2
    args = {
        "cropping": _amounts(
            2, "Positions to crop at every end, or a number or [before, after] per axis.", [[0, 0], [0, 0]]
        ),
        "data_format": a.data_format(),
    }


class Cropping3D(Cropping):
    """Cuts positions off the ends of three axes.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, depth, height and width shorter
    """

    kind = "Cropping3D"
    rank = 3
    args = {
        "cropping": _amounts(
            3, "Positions to crop at every end, or a number or [before, after] per axis.", [[1, 1]] * 3
        ),
        "data_format": a.data_format(),
    }


LAYERS = (ZeroPadding1D(), ZeroPadding2D(), ZeroPadding3D(), Cropping1D(), Cropping2D(), Cropping3D())
