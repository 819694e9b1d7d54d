"""Raw columns in the deployed graph: one input each, encoded and joined to the array that the network reads.

The nodes compute what `nnspec.data.prepare.encodings` does in NumPy.

Words are looked up by the LabelEncoder of ai.onnx.ml, as the layers StringLookup and TextVectorization are: ONNX
Runtime keeps its table as a hash map, so that a row costs the same whether there are 50 or 50,000 categories, and both
the file and a load grow with them linearly. Comparing with every word (`Equal`) would cost rows times categories; the
standard domain has no lookup of strings at all. Cells of several words are cut by StringSplit, which is in operator set
20 and later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import cast

import numpy as np

from nnspec.backends.onnx.builder import onnx_type
from nnspec.backends.onnx.dates import encode_date
from nnspec.backends.onnx.export import ColumnPort
from nnspec.backends.onnx.lowering import Lowering
from nnspec.backends.onnx.view import Group, View
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.category import CategoryEncoding
from nnspec.data.prepare.encodings.columns import FEATURE, STEP, EncodedInput
from nnspec.data.prepare.encodings.date import DateEncoding
from nnspec.data.prepare.encodings.multi_hot import MultiHotEncoding
from nnspec.data.prepare.encodings.number import NumberEncoding
from nnspec.data.prepare.encodings.truth import UNKNOWN, TruthEncoding
from nnspec.data.prepare.functions import LARGEST
from nnspec.diagnostics import CompilerBug
from nnspec.ir.opset import OPSET_OF_SPLIT


def column_ports(deployment: Deployment) -> dict[str, list[ColumnPort]]:
    """The graph's inputs for each input of the network that is made of columns."""
    return {
        name: [
            ColumnPort(port, encoding.dtype, tuple(i for i, axis in enumerate(encoded.axes) if axis == STEP))
            for port, encoding in encoded.ports.items()
        ]
        for name, encoded in deployment.columns.items()
    }


def encode_columns(lowering: Lowering, encoded: EncodedInput, ports: Mapping[str, View]) -> View:
    """The network's input from the graph's: dimensions `batch *step feature`, axes as the network has them."""
    pieces = [piece for run in runs(encoded.ports) for piece in _encode_run(lowering, run, ports)]
    tensor = pieces[0] if len(pieces) == 1 else lowering.node("Concat", *pieces, axis=-1)
    if encoded.dtype != "float32":
        tensor = lowering.node("Cast", tensor, to=onnx_type(encoded.dtype))
    outer = next(iter(ports.values())).dims
    features = lowering.factor("feature", len(encoded.features))
    groups: dict[str, Group] = {FEATURE: features, STEP: outer[-1]}
    axes = (outer[0], *(groups.get(axis, ()) for axis in encoded.axes))
    return View(tensor, (*outer, features), axes, encoded.dtype)


Run = Sequence[tuple[str, Encoding]]


def runs(ports: Mapping[str, Encoding]) -> Iterator[Run]:
    """Neighbouring columns that the same nodes can encode together: numbers of one function, not each by itself."""

    def likeness(item: tuple[int, tuple[str, Encoding]]) -> object:
        place, (_, encoding) = item
        is_plain = isinstance(encoding, NumberEncoding) and not encoding.has_indicator
        return (encoding.transform,) if isinstance(encoding, NumberEncoding) and is_plain else place

    for _, group in groupby(enumerate(ports.items()), likeness):
        yield [item for _, item in group]


def _encode_run(lowering: Lowering, run: Run, ports: Mapping[str, View]) -> Iterator[str]:
    first = run[0][1]
    if isinstance(first, NumberEncoding):
        numbers = [cast("NumberEncoding", encoding) for _, encoding in run]
        tensors = [ports[port].tensor for port, _ in run]
        yield _encode_numbers(lowering, numbers, tensors)
        if first.has_indicator:
            yield _indicator(lowering, first, tensors[0])
    elif isinstance(first, CategoryEncoding):
        yield _encode_category(lowering, first, ports[run[0][0]])
    elif isinstance(first, MultiHotEncoding):
        yield _encode_multi_hot(lowering, first, ports[run[0][0]].tensor)
    elif isinstance(first, TruthEncoding):
        yield from _encode_truth(lowering, first, ports[run[0][0]].tensor)
    elif isinstance(first, DateEncoding):
        yield encode_date(lowering, first, ports[run[0][0]].tensor)
    else:
        raise CompilerBug(f"no ONNX nodes are written for columns of kind {first.kind}")


def _indicator(lowering: Lowering, number: NumberEncoding, tensor: str) -> str:
    """1 where a number is missing."""
    is_gap = lowering.node("IsNaN", tensor)
    for marker in number.markers:
        is_gap = lowering.node("Or", is_gap, lowering.node("Equal", tensor, lowering.scalar(marker)))
    return _add_last_axis(lowering, lowering.node("Cast", is_gap, to=onnx_type("float32")))


def _encode_truth(lowering: Lowering, truth: TruthEncoding, tensor: str) -> Iterator[str]:
    lowering.graph.domains["ai.onnx.ml"] = 2
    numbers = lowering.node(
        "LabelEncoder",
        tensor,
        domain="ai.onnx.ml",
        keys_strings=list(truth.table),
        values_floats=list(truth.table.values()),
        default_float=UNKNOWN,
    )
    yield _encode_numbers(lowering, [truth.number], [numbers])
    if truth.number.has_indicator:
        yield _indicator(lowering, truth.number, numbers)


def _add_last_axis(lowering: Lowering, tensor: str) -> str:
    """The values along a further last axis of size 1."""
    return lowering.node("Unsqueeze", tensor, lowering.constant(np.asarray([-1], np.int64), "last"))


def _encode_numbers(lowering: Lowering, numbers: Sequence[NumberEncoding], tensors: Sequence[str]) -> str:
    """Gaps filled, the function, and scaled: each constant has a value for each column."""

    def row(values: Sequence[float], hint: str) -> str:
        return lowering.constant(np.asarray(values, np.float32), hint)

    spread = [_add_last_axis(lowering, tensor) for tensor in tensors]
    tensor = spread[0] if len(spread) == 1 else lowering.node("Concat", *spread, axis=-1)
    fills = [np.nan if number.fill is None else number.fill for number in numbers]
    if not np.all(np.isnan(fills)):
        is_gap = lowering.node("IsNaN", tensor)
        for markers in zip_longest(*(n.markers if n.fill is not None else () for n in numbers), fillvalue=np.nan):
            is_gap = lowering.node("Or", is_gap, lowering.node("Equal", tensor, row(markers, "marker")))
        tensor = lowering.node("Where", is_gap, row(fills, "fill"), tensor)
    function = numbers[0].transform
    if function == "log1p":
        tensor = lowering.node("Log", lowering.node("Add", tensor, lowering.scalar(1.0)))
    elif function is not None:
        tensor = lowering.node({"log": "Log", "sqrt": "Sqrt", "asinh": "Asinh"}[function], tensor)
    offsets, divisors = [number.offset for number in numbers], [number.divisor for number in numbers]
    if any(offsets):
        tensor = lowering.node("Sub", tensor, row(offsets, "offset"))
    if any(divisor != 1.0 for divisor in divisors):
        tensor = lowering.node("Div", tensor, row(divisors, "divisor"))
    return tensor


def _encode_category(lowering: Lowering, category: CategoryEncoding, view: View) -> str:
    lowering.graph.domains["ai.onnx.ml"] = 2
    table = category.table
    codes = lowering.node(
        "LabelEncoder",
        view.tensor,
        domain="ai.onnx.ml",
        keys_strings=list(table),
        values_int64s=list(table.values()),
        default_int64=category.unknown,
    )
    if category.form == "index":
        return lowering.node("Cast", _add_last_axis(lowering, codes), to=onnx_type("float32"))
    depth = lowering.constant(np.asarray(category.size, np.int64), "depth")
    return lowering.node("OneHot", codes, depth, lowering.constant(np.asarray([0, 1], np.float32), "off_on"))


def columns_opset(deployment: Deployment) -> int:
    """The operator set that the encodings of columns need."""
    encodings = [one for encoded in deployment.columns.values() for one in encoded.ports.values()]
    return OPSET_OF_SPLIT if any(isinstance(one, MultiHotEncoding) for one in encodings) else 0


def _encode_multi_hot(lowering: Lowering, words: MultiHotEncoding, tensor: str) -> str:
    """A place beyond the last one is written nowhere: that of what is no word. A cell that is missing has none else."""
    lowering.graph.domains["ai.onnx.ml"] = 2
    separator = lowering.constant(np.asarray(words.separator, object), "separator")
    closed = lowering.node("StringConcat", tensor, separator)  # so that there is a word, if an empty one
    split, _ = lowering.nodes("StringSplit", closed, outputs=2, delimiter=words.separator)
    table = words.table
    codes = lowering.node(
        "LabelEncoder",
        split,
        domain="ai.onnx.ml",
        keys_strings=list(table),
        values_int64s=list(table.values()),
        default_int64=words.unknown,
    )
    depth = lowering.constant(np.asarray(words.size, np.int64), "depth")
    each = lowering.node("OneHot", codes, depth, lowering.constant(np.asarray([0, 1], np.float32), "off_on"))
    found = lowering.node("ReduceMax", each, lowering.constant(np.asarray([-2], np.int64), "words"), keepdims=0)
    if not words.takes_gaps:
        return found
    gaps = lowering.node(
        "LabelEncoder",
        tensor,
        domain="ai.onnx.ml",
        keys_strings=list(words.gaps),
        values_int64s=[1] * len(words.gaps),
        default_int64=0,
    )
    is_gap = _add_last_axis(lowering, lowering.node("Cast", gaps, to=onnx_type("bool")))
    return lowering.node("Where", is_gap, lowering.constant(words.gap_row, "gap"), found)


def undo_function(lowering: Lowering, view: View, function: str) -> View:
    """The inverse of a function that targets went through, as `nnspec.data.prepare.functions` has it."""
    largest = lowering.scalar(float(LARGEST))
    if function == "sqrt":
        ready = lowering.elementwise("Max", view, lowering.scalar(0.0))
        return lowering.elementwise("Mul", ready, ready.tensor)
    if function == "asinh":
        return lowering.elementwise(
            "Sinh", lowering.elementwise("Clip", view, lowering.scalar(-float(LARGEST)), largest)
        )
    ready = lowering.elementwise("Exp", lowering.elementwise("Min", view, largest))
    return lowering.elementwise("Sub", ready, lowering.scalar(1.0)) if function == "log1p" else ready
