"""Keras' operations between tensors (`x + y`, `x[:, -1]`, `keras.ops.mean(x, axis=1)`) as layers of a spec.

A functional model keeps them as operations, which have no weights. Those that layers can say are said by layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.importers.keras.items import Read
from nnspec.importers.keras.source import Call, ImportFault, Tensor
from nnspec.ir import axes as ax

_JOINS = frozenset({"Add", "Subtract", "Multiply", "Maximum", "Minimum"})
_OF_A_NUMBER = frozenset({"Add", "Subtract", "Multiply", "TrueDivide", "Divide"})
_POOLED = {"Mean": "GlobalAveragePooling", "Max": "GlobalMaxPooling", "Sum": "GlobalAveragePooling"}
_FUNCTIONS = {"Exp": "exponential"}  # the others are called as the activations are
_WITHOUT = {"alpha": 1.0, "approximate": False, "threshold": 0.5}  # what activations by name have


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation and the means to write layers in its place.

    Attributes:
        reads: the tensors that it reads, in order.
        add: writes a layer of a kind, with a body, over values.
        add_reshape: writes a reshape of a value to sizes, one of which may be -1.
    """

    call: Call
    reads: list[Read]
    add: Callable[[str, Mapping[str, Any], Sequence[Read]], Read]
    add_reshape: Callable[[Call, Read, Sequence[int]], Read]

    @property
    def kind(self) -> str:
        return self.call.kind

    @property
    def config(self) -> Mapping[str, Any]:
        return self.call.config

    @property
    def numbers(self) -> list[float]:
        given = [*self.call.arguments, *self.call.keywords.values()]
        return [float(value) for value in given if isinstance(value, int | float) and not isinstance(value, bool)]

    def sizes(self, read: Read) -> list[int | None]:
        """Sizes without batch; None where they are open."""
        return [ax.static(axis.size) for axis in read.value.axes]

    def reshaped(self, read: Read, sizes: Sequence[int | None]) -> Read | None:
        """The value with other axes of size 1, or with some taken away."""
        if sum(size is None for size in sizes) > 1 or not sizes:
            return None
        return self.add_reshape(self.call, read, [-1 if size is None else size for size in sizes])

    def permuted(self, read: Read, order: Sequence[int]) -> Read:
        """The value with its axes (counted from 0, batch left out) in another order."""
        if list(order) == sorted(order):
            return read
        return self.add("Permute", {"dims": [place + 1 for place in order]}, [read])


def translate_operation(op: Operation, *, is_distributed: bool = False) -> Read:
    """Layers that compute what an operation does.

    Args:
        is_distributed: it stands in a model inside TimeDistributed, whose axes are one more than it counts.

    Raises:
        ImportFault: where none do.
    """
    rules: Sequence[Callable[[Operation], Read | None]] = (
        _joined,
        _scaled,
        _activated,
        _moved,
        _pooled,
        _taken,
        _padded,
    )
    rules = [_added, _scaled, _activated] if is_distributed else [*rules, _others]
    made = next((made for rule in rules if (made := rule(op)) is not None), None)
    if made is None:
        raise ImportFault(
            f"the model computes with the operation `{op.kind}` (`{op.call.name}`), which no layer says",
            help="say it by a layer of Keras in the model, and save that",
        )
    return made


def _place(axis: Any, rank: int) -> int | None:
    """Keras' index of an axis (batch counts) as one from 0 without batch."""
    if not isinstance(axis, int) or axis == 0 or not -rank <= axis <= rank:
        return None
    return axis - 1 if axis > 0 else rank + axis


# ------------------------------------------------------------------------------------------------ arithmetic


def _added(op: Operation) -> Read | None:
    return op.add(op.kind, {}, op.reads) if len(op.reads) == 2 and op.kind in _JOINS else None


def _joined(op: Operation) -> Read | None:
    if len(op.reads) == 2 and op.kind in _JOINS:
        return _added(op)
    if op.kind == "Concatenate":
        axis = int(op.config.get("axis", -1))
        return op.add("Concatenate", {} if axis == -1 else {"axis": axis}, op.reads)
    if op.kind == "Stack":
        rank = len(op.reads[0].value.axes)
        place = _place(op.config.get("axis", 0), rank + 1)
        if place is None:
            return None
        parts = [op.reshaped(read, _with(op.sizes(read), place)) for read in op.reads]
        known = [part for part in parts if part is not None]
        return op.add("Concatenate", {"axis": place + 1}, known) if len(known) == len(parts) else None
    if op.kind == "Matmul" and all(len(read.value.axes) == 2 for read in op.reads):
        left, right = op.reads
        row, column = left.value.axes[0].name, right.value.axes[1].name
        if row == column:
            right = op.add("rename", {column: f"other_{column}"}, [right])
        return op.add("Dot", {"axes": [2, 1]}, [left, right])
    if op.kind == "Square":
        return op.add("Multiply", {}, [op.reads[0]] * 2)
    if op.kind == "Power" and len(op.reads) == 1 and op.numbers in ([2.0], [3.0]) and _is_first(op):
        return op.add("Multiply", {}, [op.reads[0]] * int(op.numbers[0]))
    return None


def _is_first(op: Operation) -> bool:
    """Whether the tensor stands before the number."""
    return isinstance(op.call.arguments[0], Tensor) if op.call.arguments else True


def _scaled(op: Operation) -> Read | None:
    if len(op.reads) != 1:
        return None
    if op.kind == "Negative":
        return op.add("Rescaling", {"scale": -1.0}, op.reads)
    if len(op.numbers) != 1 or op.kind not in _OF_A_NUMBER:
        return None
    (number,) = op.numbers
    if op.kind == "Add":
        return op.add("Rescaling", {"scale": 1.0, "offset": number}, op.reads)
    if op.kind == "Subtract":
        body = {"scale": 1.0, "offset": -number} if _is_first(op) else {"scale": -1.0, "offset": number}
        return op.add("Rescaling", body, op.reads)
    if op.kind == "Multiply":
        return op.add("Rescaling", {"scale": number}, op.reads)
    if not _is_first(op) or not number:
        raise ImportFault(f"the model divides {number} by a value (`{op.call.name}`), which no layer does")
    return op.add("Rescaling", {"scale": 1.0 / number}, op.reads)


def _activated(op: Operation) -> Read | None:
    if len(op.reads) != 1:
        return None
    rank = len(op.reads[0].value.axes)
    if op.kind == "Clip" and op.config.get("x_min") == 0:
        return op.add("ReLU", {"max_value": float(op.config["x_max"])}, op.reads)
    if op.kind == "LeakyRelu":
        return op.add("LeakyReLU", {"negative_slope": float(op.config["negative_slope"])}, op.reads)
    if op.kind == "Elu" and op.config.get("alpha", 1.0) != 1.0:
        return op.add("ELU", {"alpha": float(op.config["alpha"])}, op.reads)
    if op.kind == "Softmax" and _place(op.config.get("axis", -1), rank) not in (None, rank - 1):
        return op.add("Softmax", {"axis": op.config["axis"]}, op.reads)
    if op.kind == "Normalize" and op.config.get("order") == 2 and not op.config.get("epsilon"):
        axis = op.config.get("axis", -1)
        return op.add("UnitNormalization", {} if axis == -1 else {"axis": axis}, op.reads)
    word = _FUNCTIONS.get(op.kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", op.kind).lower()
    word = keras_objects.aliases("activations").get(word, word)
    if word not in keras_objects.names("activations"):
        return None
    if any(op.config.get(key, value) != value for key, value in _WITHOUT.items()):
        return None
    if "axis" in op.config and _place(op.config["axis"], rank) != rank - 1:
        return None
    return op.add("Activation", {"activation": word}, op.reads)


# ------------------------------------------------------------------------------------------------ axes


def _with(sizes: Sequence[int | None], place: int) -> list[int | None]:
    return [*sizes[:place], 1, *sizes[place:]]


def _moved(op: Operation) -> Read | None:
    if len(op.reads) != 1:
        return None
    read = op.reads[0]
    rank = len(read.value.axes)
    if op.kind == "Transpose" and op.config.get("axes"):
        order = [int(i) for i in op.config["axes"]]
        return op.permuted(read, [i - 1 for i in order[1:]]) if order[0] == 0 else None
    if op.kind == "Swapaxes":
        first, second = _place(op.config["axis1"], rank), _place(op.config["axis2"], rank)
        if first is None or second is None:
            return None
        order = list(range(rank))
        order[first], order[second] = second, first
        return op.permuted(read, order)
    if op.kind == "Reshape":
        sizes = [int(size) for size in (op.config.get("newshape") or op.config.get("new_shape") or ())][1:]
        return op.add_reshape(op.call, read, sizes) if sizes else None
    if op.kind == "ExpandDims":
        place = _place(op.config["axis"], rank + 1)
        return op.reshaped(read, _with(op.sizes(read), place)) if place is not None else None
    if op.kind == "Squeeze":
        given = op.config.get("axis")
        listed = [given] if isinstance(given, int) else given
        if listed is None:
            places: list[int | None] = [i for i, size in enumerate(op.sizes(read)) if size == 1]
        else:
            places = [_place(axis, rank) for axis in listed]
        return op.reshaped(read, [size for i, size in enumerate(op.sizes(read)) if i not in places])
    return None


def _pooled(op: Operation) -> Read | None:
    """Means, maxima and sums over axes, by global pooling with the axis that stays at the end."""
    given = op.config.get("axis")
    if op.kind not in _POOLED or len(op.reads) != 1 or given is None:
        return None
    read = op.reads[0]
    sizes = op.sizes(read)
    places = {_place(axis, len(sizes)) for axis in ([given] if isinstance(given, int) else given)}
    kept = [i for i in range(len(sizes)) if i not in places]
    if None in places or len(kept) != 1 or not 1 <= len(places) <= 3:
        return None
    order = [*[i for i in range(len(sizes)) if i in places], *kept]
    made = op.add(f"{_POOLED[op.kind]}{len(places)}D", {}, [op.permuted(read, order)])
    if op.kind == "Sum":
        count = 1
        for place in order[:-1]:
            size = sizes[place]
            if size is None:
                return None
            count *= size
        made = op.add("Rescaling", {"scale": float(count)}, [made])
    if op.config.get("keepdims"):
        return op.reshaped(made, [1 if i in places else size for i, size in enumerate(sizes)])
    return made


def _taken(op: Operation) -> Read | None:
    """`x[:, 2:-1, 0]`: axes are cropped, and those of which one position is left are left out."""
    if op.kind != "GetItem" or len(op.reads) != 1 or len(op.call.arguments) != 2:
        return None
    read = op.reads[0]
    sizes = op.sizes(read)
    keys = _keys(op.call.arguments[1], 1 + len(sizes))
    if keys is None or keys[0] != slice(None):
        return None
    crops: list[tuple[int, int]] = []
    left: list[int | None] = []
    for key, size in zip(keys[1:], sizes, strict=True):
        crop = _crop(key, size)
        if crop is None:
            return None
        crops.append(crop)
        if isinstance(key, slice):
            left.append(None if size is None else size - sum(crop))
    cropped = _cropped(op, read, crops)
    if cropped is None or len(left) == len(sizes):
        return cropped
    return op.reshaped(cropped, left)


def _keys(given: Any, rank: int) -> list[slice | int] | None:
    """An index for each axis; None where it is of another kind (steps, new axes, tensors)."""
    listed = list(given) if isinstance(given, list | tuple) else [given]
    found: list[slice | int] = []
    for key in listed:
        name = key.get("class_name") if isinstance(key, Mapping) else None
        if name == "__ellipsis__":
            found += [slice(None)] * (rank - len(listed) + 1)
        elif name == "__slice__":
            config = key["config"]
            bounds = (config["start"], config["stop"])
            if config["step"] not in (None, 1) or any(not isinstance(b, int | None) for b in bounds):
                return None
            found.append(slice(*bounds))
        elif isinstance(key, int) and not isinstance(key, bool):
            found.append(key)
        else:
            return None
    found += [slice(None)] * (rank - len(found))
    return found if len(found) == rank else None


def _crop(key: slice | int, size: int | None) -> tuple[int, int] | None:
    """How many positions go at an axis' beginning and end; None where that depends on an open size."""
    if size is not None:
        if isinstance(key, int):
            start = key % size
            return (start, size - start - 1)
        start, stop, _ = key.indices(size)
        return (start, size - stop) if stop > start else None
    if isinstance(key, int):
        return None
    start, end = key.start or 0, key.stop
    return (start, 0 if end is None else -end) if start >= 0 and (end is None or end < 0) else None


def _cropped(op: Operation, read: Read, crops: Sequence[tuple[int, int]]) -> Read | None:
    """Cropping layers take the axes before the last one; the last is brought to the front for a while."""
    rank = len(crops)
    if not any(map(any, crops)):
        return read
    if rank == 1:
        size = op.sizes(read)[0]
        column = op.reshaped(read, [size, 1])
        made = op.add("Cropping1D", {"cropping": list(crops[0])}, [column]) if column is not None else None
        return op.reshaped(made, op.sizes(made)[:1]) if made is not None else None
    if rank > 4:
        return None
    if any(map(any, crops[:-1])):
        read = _crop_all(op, read, crops[:-1])
    if any(crops[-1]):
        front = op.permuted(read, [rank - 1, *range(rank - 1)])
        cut = _crop_all(op, front, [crops[-1], *[(0, 0)] * (rank - 2)])
        read = op.permuted(cut, [*range(1, rank), 0])
    return read


def _crop_all(op: Operation, read: Read, crops: Sequence[tuple[int, int]]) -> Read:
    sides = [list(crop) for crop in crops]
    return op.add(f"Cropping{len(sides)}D", {"cropping": sides[0] if len(sides) == 1 else sides}, [read])


def _padded(op: Operation) -> Read | None:
    """Zeros beside the axes before the last one."""
    if op.kind != "Pad" or op.config.get("mode") != "constant" or op.call.keywords.get("constant_values"):
        return None
    batch, *sides = [list(map(int, side)) for side in op.config["pad_width"]]
    if any(batch) or any(sides[-1]) or not 2 <= len(sides) <= 4:
        return None
    padding = sides[:-1]
    return op.add(f"ZeroPadding{len(padding)}D", {"padding": padding[0] if len(padding) == 1 else padding}, op.reads)


def _others(op: Operation) -> Read | None:
    if op.kind == "Cast" and len(op.reads) == 1 and str(op.config.get("dtype")) == op.reads[0].value.dtype:
        return op.reads[0]
    if op.kind == "Repeat" and len(op.reads[0].value.axes) == 2 and op.config.get("axis") in (1, -2):
        return op.add("UpSampling1D", {"size": int(op.config["repeats"])}, op.reads)
    return None
