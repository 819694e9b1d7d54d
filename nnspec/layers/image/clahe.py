"""Contrast limited adaptive histogram equalization (Zuiderveld 1994)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.image.base import VALUE_RANGE, ImageLayer
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.normalization.rescaling import cast_to_float32
from nnspec.lazy import np

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasConfig

LEVELS = 256


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Contrast-limited adaptive histogram equalization (CLAHE), in training and at inference.

    Each tile's histogram of 256 levels is clipped at `clip_limit`, the excess is distributed evenly, and the cumulative
    sum maps levels to new ones; a pixel interpolates between the four nearest tiles. Integers become floats.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "ContrastLimitedAdaptiveHistogramEqualization"
    args = {
        "value_range": VALUE_RANGE,
        "clip_limit": a.number(
            "Maximum count per level, in multiples of a uniform histogram; 0: no limit.", 4.0, minimum=0
        ),
        "tile_grid_size": a.sizes("Number of tiles along height and width.", 2, [8, 8]),
        "data_format": a.data_format(),
    }

    def computes_in_float32(self, node: Node) -> bool:
        return True

    def infer(self, call: Call) -> Inferred:
        height, width, channel = self.places(call)
        call.require_size(call.axes[channel], "each has separate tiles")
        for place, tiles in zip((height, width), a.as_tuple(call.args["tile_grid_size"], 2), strict=True):
            size = call.require_size(call.axes[place], "it is cut into tiles")
            if -(-size // tiles) * tiles - size > size:
                call.fail(
                    "NN312",
                    f"`{call.axes[place].name}` has {size} pixels, which are too few for {tiles} tiles",
                    "tile_grid_size",
                    about=[call.axes[place].name],
                )
        whole = WHOLE
        return Inferred((call.axes,), ("float32",), windows={height: whole, width: whole})

    def keras_arguments(self, node: Node) -> KerasConfig:
        return {**super().keras_arguments(node), "tile_grid_size": a.as_tuple(node.args["tile_grid_size"], 2)}

    # ------------------------------------------------------------------------------------------------ ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        is_first = node.args["data_format"] == "channels_first"
        order = (2, 3, 1) if is_first else (1, 2, 3)
        view = cast_to_float32(lowering, inputs[0])
        ready = lowering.arrange(view, tuple(view.axes[i] for i in (0, order[2], order[0], order[1])))
        height, width, channels = (ax.known_size(node.inputs[0].axes[i - 1].size) or 1 for i in order)
        tiles = Tiles((height, width), a.as_tuple(node.args["tile_grid_size"], 2), channels)
        low, high = (float(value) for value in node.args["value_range"])
        is_scaled = (low, high) != (0.0, 255.0)
        tensor = ready.tensor
        if is_scaled:
            tensor = lowering.node("Sub", tensor, lowering.scalar(low))
            tensor = lowering.node("Div", tensor, lowering.scalar(high - low))
            tensor = lowering.node("Mul", tensor, lowering.scalar(255.0))
        for dim, old, new in zip((2, 3), tiles.old, tiles.padded, strict=True):
            if new > old:
                mirrored = np.concatenate([np.arange(old), np.arange(old - 1, old - 1 - (new - old), -1)])
                tensor = lowering.node("Gather", tensor, lowering.constant(mirrored, "mirrored"), axis=dim)
        tensor = self.equalize(node, lowering, tensor, tiles)
        if tiles.padded != tiles.old:
            bounds = [
                lowering.constant(np.asarray(v, np.int64), n) for v, n in (((0, 0), "starts"), (tiles.old, "ends"))
            ]
            tensor = lowering.node("Slice", tensor, *bounds, lowering.constant(np.asarray((2, 3), np.int64), "axes"))
        if is_scaled:
            tensor = lowering.node("Mul", tensor, lowering.scalar((high - low) / 255.0))
            tensor = lowering.node("Add", tensor, lowering.scalar(low))
        return [replace(ready, tensor=tensor, mask=None)]

    def equalize(self, node: Node, lowering: Lowering, tensor: str, tiles: Tiles) -> str:
        """`batch channel height width` of whole tiles, each level mapped."""
        from nnspec.backends.onnx.builder import onnx_type

        def shaped(value: str, *shape: int) -> str:
            return lowering.node("Reshape", value, lowering.constant(np.asarray(shape, np.int64), "shape"))

        inside = lowering.node("Clip", tensor, lowering.scalar(0.0), lowering.scalar(255.0))
        levels = shaped(lowering.node("Cast", inside, to=onnx_type("int64")), 0, -1)
        maps = shaped(self.write_maps(node, lowering, levels, tiles, shaped), 0, -1)
        result: str | None = None
        for offset, weight in tiles.neighbours():
            places = lowering.node("Add", levels, lowering.constant(offset, "places"))
            found = lowering.node("GatherElements", maps, places, axis=1)
            part = lowering.node("Mul", found, lowering.constant(weight, "weights"))
            result = part if result is None else lowering.node("Add", result, part)
        assert result is not None
        return shaped(result, 0, tiles.channels, *tiles.padded)

    def write_maps(self, node: Node, lowering: Lowering, levels: str, tiles: Tiles, shaped: Callable[..., str]) -> str:
        """For each tile and channel, what each level becomes: axes `batch tile level`."""
        from nnspec.backends.onnx.builder import onnx_type

        last, start = (lowering.constant(np.asarray([n], np.int64), f"axis_{n}") for n in (2, 0))
        one = lowering.constant(np.asarray([1], np.int64), "axis_1")
        total = lowering.node("ReduceSum", levels, one, keepdims=1)
        nothing = lowering.node("Cast", lowering.node("Mul", total, start), to=onnx_type("float32"))
        count = tiles.grid[0] * tiles.grid[1] * tiles.channels
        empty = lowering.node("Add", nothing, lowering.constant(np.zeros((1, count * LEVELS), np.float32), "empty"))
        ones = lowering.node("Add", nothing, lowering.constant(np.ones((1, tiles.pixels), np.float32), "ones"))
        places = lowering.node("Add", levels, lowering.constant(tiles.own(), "places"))
        counted = shaped(
            lowering.node("ScatterElements", empty, places, ones, axis=1, reduction="add"), 0, count, LEVELS
        )
        area = tiles.size[0] * tiles.size[1]
        limit = node.args["clip_limit"] * area / LEVELS
        if limit > 0:
            kept = lowering.node("Min", counted, lowering.scalar(limit))
            excess = lowering.node("ReduceSum", lowering.node("Sub", counted, kept), last, keepdims=1)
            counted = lowering.node("Add", kept, lowering.node("Mul", excess, lowering.scalar(1 / LEVELS)))
        running = lowering.node("CumSum", counted, lowering.constant(np.asarray(2, np.int64), "level"))
        least = lowering.node("Gather", running, start, axis=2)
        span = lowering.node("Sub", lowering.scalar(float(area)), least)
        is_flat = lowering.node("Equal", span, lowering.scalar(0.0))
        span = lowering.node("Where", is_flat, lowering.scalar(1.0), span)
        risen = lowering.node("Mul", lowering.node("Sub", running, least), lowering.scalar(255.0))
        return lowering.node("Clip", lowering.node("Div", risen, span), lowering.scalar(0.0), lowering.scalar(255.0))


class Tiles:
    """The tile of each pixel of `channel height width`, and the tiles to interpolate between.

    Maps have the memory order `row column channel level`.
    """

    def __init__(self, old: tuple[int, int], grid: tuple[int, ...], channels: int) -> None:
        self.old, self.grid, self.channels = old, (grid[0], grid[1]), channels
        self.size = (-(-old[0] // grid[0]), -(-old[1] // grid[1]))
        self.padded = (self.size[0] * grid[0], self.size[1] * grid[1])
        self.pixels = channels * self.padded[0] * self.padded[1]

    def own(self) -> np.ndarray:
        """Where the map of each pixel's own tile begins: axes `1 pixel`."""
        return self._begin(*(np.arange(n) // size for n, size in zip(self.padded, self.size, strict=True)))

    def neighbours(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each of the four nearest tiles, where its map begins and how much it counts: axes `1 pixel` each."""
        sides = []
        for count, size, tiles in zip(self.padded, self.size, self.grid, strict=True):
            place = ((np.arange(count, dtype=np.float32) - np.float32(size / 2)) / np.float32(size)).astype(np.float64)
            before = np.floor(place)
            sides.append([(np.clip(before + i, 0, tiles - 1), np.abs(1 - i - (place - before))) for i in (0, 1)])
        return [
            (self._begin(rows, columns), self._spread(np.outer(above, left)).astype(np.float32))
            for rows, above in sides[0]
            for columns, left in sides[1]
        ]

    def _begin(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        tile = rows.astype(np.int64)[:, None] * self.grid[1] + columns.astype(np.int64)[None, :]
        channel = np.arange(self.channels)[:, None, None]
        return np.asarray(((tile * self.channels + channel) * LEVELS).reshape(1, -1))

    def _spread(self, plane: np.ndarray) -> np.ndarray:
        return np.broadcast_to(plane, (self.channels, *plane.shape)).reshape(1, -1)


LAYERS = (ContrastLimitedAdaptiveHistogramEqualization(),)
