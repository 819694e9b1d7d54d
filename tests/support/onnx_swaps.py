"""Swaps of the kind that nobody notices: a reshape in place of a transpose, and sizes of a reshape the wrong way round.

Each keeps the shape of every value, so that the changed graph runs. `without_weights` makes a large model small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

KEPT = 4096  # elements of a constant


@dataclass(frozen=True)
class Swap:
    """A changed model, the node that was changed, and how."""

    model: ModelProto
    node: str
    how: str


def without_weights(model: ModelProto) -> ModelProto:
    """The same graph, with large constants said to lie in another file."""
    for tensor in model.graph.initializer:
        if int(np.prod(tensor.dims)) > KEPT:
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
            tensor.data_location = TensorProto.EXTERNAL
            del tensor.external_data[:]
            entry = tensor.external_data.add()
            entry.key, entry.value = "location", "weights.bin"
    return model


def swaps(model: ModelProto, shapes: dict[str, Sequence[int]]) -> Iterator[Swap]:
    """One swap at every Transpose, and at every Reshape that has one.

    Args:
        shapes: the sizes of values for one input that was fed, those of open axes unlike all others.
    """
    for index, node in enumerate(model.graph.node):
        if node.op_type not in ("Transpose", "Reshape") or not {node.input[0], node.output[0]} <= shapes.keys():
            continue
        before, after = list(shapes[node.input[0]]), list(shapes[node.output[0]])
        if node.op_type == "Transpose":
            (order,) = [list(a.ints) for a in node.attribute if a.name == "perm"] or [list(range(len(before)))[::-1]]
            if changes_order(before, order):
                yield Swap(_reshape_instead(model, index, order), node.name or node.output[0], "reshape for transpose")
        else:
            pair = swappable(before, after)
            if pair is not None:
                yield Swap(_sizes_swapped(model, index, after, pair), node.name or node.output[0], "sizes swapped")


def changes_order(sizes: Sequence[int], order: Sequence[int]) -> bool:
    """Whether a transpose moves values, and a reshape to its sizes does something else than nothing."""
    moved = [axis for axis in order if sizes[axis] != 1]
    return moved != sorted(moved)


def swappable(before: Sequence[int], after: Sequence[int]) -> tuple[int, int] | None:
    """Two neighbouring axes of a reshape's result that are not pieces of one axis: the wrong way round, values mix."""
    places = np.arange(int(np.prod(before))).reshape(before)
    result = places.reshape(after)
    long = [i for i, size in enumerate(after) if size > 1]
    for first, second in pairwise(long):
        sources = [_followed(result, before, axis) for axis in (first, second)]
        if not sources[0] & sources[1]:
            return first, second
    return None


def _followed(result: np.ndarray, before: Sequence[int], axis: int) -> set[int]:
    """The axes of the operand that change along one axis of the result."""
    line = np.moveaxis(result, axis, 0).reshape(result.shape[axis], -1)[:, 0]
    at = np.unravel_index(line, before)
    return {i for i, index in enumerate(at) if len(set(index.tolist())) > 1}


def _reshape_instead(model: ModelProto, index: int, order: Sequence[int]) -> ModelProto:
    """A reshape to the transpose's sizes, which are computed, since some may be open."""
    changed = _copy(model)
    node = changed.graph.node[index]
    stem = f"swap/{index}"
    perm = numpy_helper.from_array(np.asarray(order, np.int64), f"{stem}/perm")
    changed.graph.initializer.append(perm)
    new = [
        helper.make_node("Shape", [node.input[0]], [f"{stem}/shape"]),
        helper.make_node("Gather", [f"{stem}/shape", perm.name], [f"{stem}/target"]),
        helper.make_node("Reshape", [node.input[0], f"{stem}/target"], list(node.output), name=node.name),
    ]
    _replace(changed.graph, index, new)
    return changed


def _sizes_swapped(model: ModelProto, index: int, after: Sequence[int], pair: tuple[int, int]) -> ModelProto:
    changed = _copy(model)
    node = changed.graph.node[index]
    stem, order = f"swap/{index}", list(range(len(after)))
    order[pair[0]], order[pair[1]] = pair[1], pair[0]
    perm = numpy_helper.from_array(np.asarray(order, np.int64), f"{stem}/perm")
    changed.graph.initializer.append(perm)
    new = [
        helper.make_node(node.op_type, list(node.input), [f"{stem}/right"], name=f"{node.name}/sizes"),
        helper.make_node("Shape", [f"{stem}/right"], [f"{stem}/shape"]),
        helper.make_node("Gather", [f"{stem}/shape", perm.name], [f"{stem}/target"]),
        helper.make_node("Reshape", [node.input[0], f"{stem}/target"], [f"{stem}/wrong"], name=node.name),
        helper.make_node("Transpose", [f"{stem}/wrong"], list(node.output), perm=order),
    ]
    new[0].attribute.extend(node.attribute)
    _replace(changed.graph, index, new)
    return changed


def _replace(graph: GraphProto, index: int, new: Sequence[object]) -> None:
    nodes = [*graph.node[:index], *new, *graph.node[index + 1 :]]
    del graph.node[:]
    graph.node.extend(nodes)  # type: ignore[arg-type]


def _copy(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def shapes_of(model: ModelProto, sizes: dict[str, int] | None = None) -> dict[str, list[int]]:
    """The sizes of the values of a graph where each open axis has a size of its own, by ONNX's shape inference."""
    import onnx

    fixed = _copy(model)
    given: dict[str, int] = dict(sizes or {})
    for value in fixed.graph.input:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.WhichOneof("value") != "dim_value":
                name = dimension.dim_param or f"{value.name}?"
                dimension.dim_value = given.setdefault(name, 3 if not given else 22 + 11 * len(given))
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    found = onnx.shape_inference.infer_shapes(fixed, data_prop=True)
    result: dict[str, list[int]] = {}
    for value in (*found.graph.value_info, *found.graph.input, *found.graph.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(d.WhichOneof("value") == "dim_value" for d in dims):
            result[value.name] = [d.dim_value for d in dims]
    return result
