"""Images: resizing, patches, pixels of blocks as channels, pooling and gray, by operations rather than layers."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import Constant, Numbers
from nnspec.importers.keras.operations.formulas import add_formula
from nnspec.importers.keras.operations.operation import Operation, Rule
from nnspec.importers.keras.operations.reductions import reduce_axes

_DEFAULTS = {
    "interpolation": "bilinear",
    "antialias": False,
    "crop_to_aspect_ratio": False,
    "pad_to_aspect_ratio": False,
    "fill_value": 0.0,
}
_GRAY: Numbers = [0.2989, 0.5870, 0.1140]  # of red, green and blue, as Keras has them


def _resize(op: Operation) -> Read | None:
    """Only floats: of integers the operation rounds, and the layer does not."""
    read, size = op.read, op.config.get("size") or op.argument(1, "size")
    if len(op.axes(read)) != 3 or not read.value.dtype.startswith("float") or not isinstance(size, list | tuple):
        return None
    if op.config.get("fill_mode", "constant") != "constant":
        return None
    height, width = (int(length) for length in size if isinstance(length, int | float))
    given = {key: op.config.get(key, default) for key, default in _DEFAULTS.items()}
    body = {"height": height, "width": width, **{k: v for k, v in given.items() if v != _DEFAULTS[k]}}
    if op.config.get("data_format") == "channels_first":
        body["data_format"] = "channels_first"
    return op.add("Resizing", body, [read])


def _pair(given: object) -> list[int]:
    """A size of both axes, or one of each."""
    return [int(one) for one in given] if isinstance(given, list | tuple) else [int(str(given))] * 2


def _is_image(op: Operation) -> bool:
    """Whether it reads (height, width, channel), which the rules here go by."""
    is_first = op.config.get("data_format") == "channels_first"
    return len(op.axes(op.read)) == 3 and not op.call.distributed and not is_first


def _patches(op: Operation) -> Read | None:
    """Both axes cut in pieces, those that overlap with positions taken twice; the pixels of a patch become one axis."""
    config, sizes = op.config, op.sizes(op.read)
    size = _pair(config["size"])
    if not _is_image(op) or len(size) != 2 or None in sizes:
        return None
    strides, rate = _pair(config.get("strides") or size), _pair(config.get("dilation_rate", 1))
    read, parts, names = op.read, [], []
    for place, (piece, stride, apart) in enumerate(zip(size, strides, rate, strict=True)):
        length, reach = int(sizes[place] or 0), (piece - 1) * apart + 1
        before = 0
        if config.get("padding") == "same":
            missing = max(0, (-(-length // stride) - 1) * stride + reach - length)
            before, length = missing // 2, length + missing
            if missing:
                read = op.add("pad", {"axes": {op.name(read, place): [before, missing - before]}}, [read])
        count = (length - reach) // stride + 1
        taken = [row * stride + pixel * apart for row in range(count) for pixel in range(piece)]
        name = op.name(read, place)
        if taken == list(range(len(taken))):
            read = op.add("slice", {name: {"stop": len(taken)}}, [read]) if len(taken) < length else read
        else:
            read = op.add("take", {name: taken}, [read])
        parts.append((name, count, piece))
        names += [op.new_name(f"patch_{name}", read), op.new_name(f"{name}_in_patch", read)]
    (height, rows, _), (width, columns, _) = parts
    split = {height: {names[0]: rows, names[1]: None}, width: {names[2]: columns, names[3]: None}}
    read = op.permuted(op.add("split", split, [read]), [0, 2, 1, 3, 4])
    return op.add("merge", {op.new_name("pixel", read): [op.name(read, place) for place in (2, 3, 4)]}, [read])


def _one_by_one(op: Operation, kind: str, body: Mapping[str, object], read: Read) -> Read:
    """A layer of both axes, or where those are open, of one after the other: a reshape infers one size."""
    if None not in op.sizes(read):
        return op.add(kind, dict(body), [read])
    for name, said in body.items():
        read = op.add(kind, {name: said}, [read])
    return read


def _to_space(op: Operation) -> Read | None:
    """Channels as the pixels of a block, row by row."""
    if not _is_image(op):
        return None
    block, read = int(op.config["block_size"]), op.read
    height, width, channel = (op.name(read, place) for place in range(3))
    y, x, rest = (op.new_name(stem, read) for stem in ("y", "x", "part"))
    read = op.add("split", {channel: {y: block, x: block, rest: None}}, [read])
    read = op.permuted(read, [0, 2, 1, 3, 4])
    read = _one_by_one(op, "merge", {height: [height, y], width: [width, x]}, read)
    return op.add("rename", {rest: channel}, [read])


def _to_depth(op: Operation) -> Read | None:
    """The pixels of a block as channels, row by row."""
    if not _is_image(op):
        return None
    block, read = int(op.config["block_size"]), op.read
    height, width, channel = (op.name(read, place) for place in range(3))
    y, x, row, column = (op.new_name(stem, read) for stem in ("y", "x", "row", "column"))
    read = _one_by_one(op, "split", {height: {row: None, y: block}, width: {column: None, x: block}}, read)
    read = op.permuted(read, [0, 2, 1, 3, 4])
    read = op.add("merge", {channel: [y, x, channel]}, [read])
    return op.add("rename", {row: height, column: width}, [read])


def _pool(op: Operation) -> Read | None:
    rank = len(op.axes(op.read)) - 1
    if rank not in (1, 2, 3) or op.call.distributed:
        return None
    body: dict[str, object] = {"pool_size": op.config["pool_size"]}
    if op.config.get("strides") is not None:
        body["strides"] = op.config["strides"]
    for key, default in (("padding", "valid"), ("data_format", "channels_last")):
        if op.config.get(key) not in (None, default):
            body[key] = op.config[key]
    return op.add(f"{'Max' if op.kind == 'MaxPool' else 'Average'}Pooling{rank}D", body, [op.read])


def _gray(op: Operation) -> Read | None:
    """Rounded down again where the pixels are integers, which no formula says."""
    read = op.read
    if not _is_image(op) or not read.value.dtype.startswith("float"):
        return None
    if op.sizes(read)[2] == 1:
        return read
    weighted = add_formula(op, "{0} * {1}", [read, Constant(_GRAY, "float32")])
    return reduce_axes(op, weighted, "sum", [2], keepdims=True)


RULES: Mapping[str, Rule] = {
    "Resize": _resize,
    "ExtractPatches": _patches,
    "DepthToSpace": _to_space,
    "SpaceToDepth": _to_depth,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "RGBToGrayscale": _gray,
}
