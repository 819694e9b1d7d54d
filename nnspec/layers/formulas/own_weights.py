"""Declared weights: named axes, initializer or values, and whether they are trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Unpack

from nnspec.catalogue import keras_objects
from nnspec.data.sources import paths
from nnspec.data.sources.array_header import ArrayHeader, read_npy, read_npz
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Fix, Span, SpecError
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document.types import JsonSchema, Plain
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import Args, Node, Weight
from nnspec.layers.kit.call import Call
from nnspec.layers.kit.fault import Details, Fault
from nnspec.layers.kit.weight_objects import NORMS, check_weight_object
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    import numpy

Object = str | Mapping[str, Plain] | None  # of Keras, by its name, or with its arguments
MAX_VALUES = 10_000  # numbers in a spec; a longer table is a file
AXIS_NAME = r"^[A-Za-z_][A-Za-z0-9_\-]*$"

# What a declared weight has, each with its schema and description.
PROPERTIES: dict[str, JsonSchema] = {
    "axes": {
        "type": "object",
        "description": "Its axes in order, each with a size; null: the size of that axis in the layer's input.",
        "propertyNames": {"pattern": AXIS_NAME},
        "additionalProperties": {"type": ["integer", "null"], "minimum": 1},
    },
    "initializer": {
        "allOf": [{"$ref": "#/definitions/nullable_initializer"}],
        "description": "Initializer; default: zeros.",
    },
    "regularizer": {
        "allOf": [{"$ref": "#/definitions/nullable_regularizer"}],
        "description": "Regularizer: a penalty added to the loss.",
    },
    "constraint": {
        "allOf": [{"$ref": "#/definitions/nullable_constraint"}],
        "description": "Constraint, applied after each training step.",
    },
    "trainable": {
        "type": ["boolean", "null"],
        "description": "Whether training changes it; default: true, but false with `values` or `file`.",
    },
    "values": {
        "type": ["number", "array", "null"],
        "description": f"Its values as nested lists, one level per axis; at most {MAX_VALUES:,}.",
    },
    "file": {
        "type": ["string", "null"],
        "description": "A NumPy file with its values, below the spec's folder: `table.npy`, or `tables.npz/name`.",
    },
}


@dataclass(frozen=True, kw_only=True, repr=False)
class OwnWeight:
    """A declared weight.

    Attributes:
        axes: all of known size.
        values: a number, or lists within lists, where the spec has them.
        file: the NumPy file that has them, and the array in it.
    """

    name: str
    axes: Axes
    is_trainable: bool
    initializer: Object = None
    regularizer: Object = None
    constraint: Object = None
    values: Plain = None
    file: Path | None = None
    member: str | None = None

    def __repr__(self) -> str:
        """All that it is, but not where it stands."""
        said = (self.initializer, self.regularizer, self.constraint, self.values, self.file, self.member)
        return f"OwnWeight({self.name}, {ax.names(self.axes)}, {self.sizes}, {self.is_trainable}, {said})"

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(_known(axis) for axis in self.axes)

    @property
    def shape(self) -> tuple[int, int]:
        """As Keras keeps it: a table of rows along the first axis."""
        sizes = self.sizes
        return (sizes[0] if sizes else 1, math.prod(sizes[1:]))

    @property
    def weight(self) -> Weight:
        return Weight(self.name, self.shape, self.is_trainable)

    @property
    def formula(self) -> str:
        return "·".join(str(size) for size in self.sizes) or "1"

    def constant(self) -> numpy.ndarray | None:
        """The values that the spec or a file gives it, in the order of its axes; None where neither does.

        Raises:
            SourceError: where the file cannot be read any more.
        """
        if self.file is not None:
            from nnspec.data.sources.array_load import load_npy, load_npz

            found = load_npy(self.file) if self.member is None else load_npz(self.file, self.member)
            return np.asarray(found, np.float32).reshape(self.sizes)
        return None if self.values is None else np.asarray(self.values, np.float32).reshape(self.sizes)


def own_weight(call: Call, name: str, body: Args, known: Mapping[str, Axis], arg: str | None = None) -> OwnWeight:
    """The weight that a spec declares.

    Args:
        body: the keys of `PROPERTIES`.
        known: axes that give sizes where the weight's own are null.
        arg: the argument under which it is declared by its name; None: the layer's body declares it.

    Raises:
        Fault: NN313, NN354 or NN369, at its key; NN501, NN510 for a file.
    """
    reader = _Reader(call, name, body, arg)
    axes = tuple(reader.axis(axis, size, known) for axis, size in body["axes"].items())
    given = [key for key in ("values", "file", "initializer") if body.get(key) is not None]
    if len(given) > 1:
        reader.fail(
            given[1],
            f"{reader.what} has both `{given[0]}` and `{given[1]}`",
            fixes=[Fix("keep one of them")],
        )
    trainable = body.get("trainable")
    file, member = reader.file([_known(axis) for axis in axes])
    reader.check_values([_known(axis) for axis in axes])
    made = OwnWeight(
        name=name,
        axes=axes,
        is_trainable=given[:1] not in (["values"], ["file"]) if trainable is None else bool(trainable),
        **{key: body.get(key) for key in ("initializer", "regularizer", "constraint", "values")},
        file=file,
        member=member,
    )
    for family in ("initializer", "regularizer", "constraint"):
        if body.get(family) is not None:
            check_weight_object(call, arg or family, f"{family}s", body[family], reader.what, made.sizes)
    if len(axes) > 2 and keras_objects.canonical("constraints", made.constraint or "NonNeg")[0] in NORMS:
        reader.fail(
            "constraint", f"a norm constraint needs a weight with one or two axes, but {reader.what} has {len(axes)}"
        )
    return made


@dataclass(frozen=True)
class _Reader:
    """Reads the parts of a weight's body, and reports their faults."""

    call: Call
    name: str
    body: Args
    arg: str | None

    @property
    def what(self) -> str:
        return f"weight `{self.name}`"

    def span(self, key: str) -> Span:
        """The place of one of its keys."""
        node: SourceNode | None = self.call.body if self.arg is None else self.call.node(self.arg)
        for step in [*([] if self.arg is None else [self.name]), key]:
            below = node.get(step) if isinstance(node, MappingNode) else None
            node = below or node
        return self.call.kind_span if node is None else node.span

    def fail(self, key: str, message: str, code: str = "NN369", **details: Unpack[Details]) -> NoReturn:
        raise Fault(replace(self.call.diagnostic(code, message, self.arg or key, **details), span=self.span(key)))

    def axis(self, name: str, size: int | None, known: Mapping[str, Axis]) -> Axis:
        there = known.get(name)
        if size is None:
            if there is None:
                names = ", ".join(f"`{axis}`" for axis in known)
                self.fail(
                    "axes",
                    f"{self.what} must be as long as the axis `{name}` of the input of `{self.call.kind}`, which has "
                    f"{names or 'no axes'}",
                    fixes=[Fix(f"write its size: `{name}: 10`")],
                    about=[name],
                )
            size = self.call.require_size(there, f"{self.what} is as long")
        return ax.fresh(name, int(size), self.call.name, is_learned=True, is_laid_out=ax.names_places(name))

    def check_values(self, sizes: Sequence[int]) -> None:
        values = self.body.get("values")
        if values is None:
            return
        shape = _shape(values)
        if shape is None:
            self.fail("values", f"`values` of {self.what} must be numbers in nested lists of equal length")
        if math.prod(shape) > MAX_VALUES:
            self.fail(
                "values",
                f"`values` of {self.what} are {math.prod(shape)} numbers; a spec can have at most {MAX_VALUES}",
                fixes=[Fix("save them with `numpy.save`, and name the file: `file: table.npy`")],
            )
        if shape != tuple(sizes):
            self.fail("values", f"`values` of {self.what} have the shape {shape}, but its axes are {tuple(sizes)}")

    def file(self, sizes: Sequence[int]) -> tuple[Path | None, str | None]:
        text, folder = self.body.get("file"), self.call.folder
        if text is None or folder is None:
            return None, None
        name, _, member = text.partition(".npz/")
        shown = f"{name}.npz" if member else text
        place, where = self.span("file"), self.call.diagnostic("NN369", "", self.arg or "file").path
        try:
            path = paths.resolve(shown, folder, place, where)
        except SpecError as error:
            raise Fault(error.diagnostics[0]) from None
        if not path.is_file():
            raise Fault(paths.missing_file(shown, path, place, where))
        try:
            header = self.header(path, member)
        except SourceError as error:
            self.fail("file", f"`{text}`, the file of {self.what}, cannot be read: {error}")
        if header.kind not in "fiu" or header.shape != tuple(sizes):
            self.fail(
                "file",
                f"`{text}` has shape {header.shape} and dtype {header.descr}, but {self.what} needs "
                f"numbers of shape {tuple(sizes)}",
            )
        return path, member or None

    def header(self, path: Path, member: str) -> ArrayHeader:
        if not member:
            return read_npy(path)
        found = read_npz(path).get(member)
        if found is None:
            raise SourceError(f"it has no array `{member}`")
        if isinstance(found, SourceError):
            raise found
        return found


def _shape(values: Plain) -> tuple[int, ...] | None:
    """The lengths of lists within lists; None where they are uneven or hold other things than numbers."""
    if not isinstance(values, list):
        is_number = isinstance(values, int | float) and not isinstance(values, bool) and math.isfinite(values)
        return () if is_number else None
    shapes = {_shape(value) for value in values}
    if len(shapes) != 1 or None in shapes:
        return None
    (inner,) = shapes
    return (len(values), *(inner or ()))


def _known(axis: Axis) -> int:
    assert isinstance(axis.size, int), "declared weights have sizes"
    return axis.size


def declared(node: Node) -> tuple[OwnWeight, ...]:
    """The weights that a node declares."""
    found: tuple[OwnWeight, ...] = node.args["own"]
    return found
