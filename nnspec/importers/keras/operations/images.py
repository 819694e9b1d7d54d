"""Resizing of images, by operations rather than layers."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.operation import Operation, Rule

_DEFAULTS = {
    "interpolation": "bilinear",
    "antialias": False,
    "crop_to_aspect_ratio": False,
    "pad_to_aspect_ratio": False,
    "fill_value": 0.0,
}


def _resized(op: Operation) -> Read | None:
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


RULES: Mapping[str, Rule] = {"Resize": _resized}
