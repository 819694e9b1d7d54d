"""Reductions over axes: mean, sum, extremes, spread and norms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.operation import Operation, Rule

_BY = {
    "Mean": "mean",
    "Average": "mean",  # without weights
    "Sum": "sum",
    "Max": "max",
    "Min": "min",
    "Amax": "max",
    "Amin": "min",
    "Prod": "prod",
    "Std": "std",
    "Var": "var",
    "Logsumexp": "logsumexp",
}
_LENGTHS: Mapping[object, str] = {None: "l2", 2: "l2", "euclidean": "l2", 1: "l1"}


def reduce_axes(op: Operation, read: Read, by: str, places: Sequence[int], *, keepdims: bool) -> Read:
    names = [op.name(read, place) for place in sorted(set(places))]
    body: dict[str, object] = {"axis": names if len(names) > 1 else names[0], "by": by}
    return op.add("reduce", {**body, "keepdims": True} if keepdims else body, [read])


def _reduce(op: Operation) -> Read | None:
    read = op.read
    if len(op.tensors) > 1 or op.config.get("initial") is not None or op.config.get("where") is not None:
        return None
    places = op.places(op.config.get("axis"), len(op.axes(read)))
    return reduce_axes(op, read, _BY[op.kind], places, keepdims=bool(op.config.get("keepdims")))


def _length(op: Operation) -> Read | None:
    """The length of vectors; of matrices only where that is the root of all squares, as along one axis."""
    read, order = op.read, op.config.get("ord")
    places = op.places(op.config.get("axis"), len(op.axes(read)))
    is_matrix = len(places) > 1
    by = {None: "l2", "fro": "l2"}.get(order) if is_matrix else _LENGTHS.get(order)
    if by is None:
        return None
    return reduce_axes(op, read, by, places, keepdims=bool(op.config.get("keepdims")))


def _range(op: Operation) -> Read:
    """How far the largest lies above the smallest."""
    places = op.places(op.config.get("axis"), len(op.axes(op.read)))
    most, least = (
        reduce_axes(op, op.read, by, places, keepdims=bool(op.config.get("keepdims"))) for by in ("max", "min")
    )
    return op.add("Subtract", {}, [most, least])


def _moments(op: Operation) -> list[Read]:
    """Mean and variance; those over the batch are refused."""
    places = op.places(op.config["axes"], len(op.axes(op.read)))
    return [reduce_axes(op, op.read, by, places, keepdims=bool(op.config.get("keepdims"))) for by in ("mean", "var")]


RULES: Mapping[str, Rule] = {**dict.fromkeys(_BY, _reduce), "Norm": _length, "Ptp": _range, "Moments": _moments}
