"""One use of a layer: its inputs and arguments, with spans for diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, NoReturn, Unpack

from nnspec.diagnostics import (
    Applicability,
    AxisRef,
    Diagnostic,
    Edit,
    Fix,
    KeyRef,
    NodeRef,
    Reason,
    Ref,
    Related,
    Report,
    Severity,
    Span,
)
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document import Scalar, format_path, to_plain
from nnspec.document import Sequence as SequenceNode
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import LayerKind, Node, Value
from nnspec.layers.kit.axis_names import is_named_otherwise, near_axes
from nnspec.layers.kit.edits import insert_before, insert_items
from nnspec.layers.kit.fault import Details, Fault
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Maker:
    """The source of a node, for fixes.

    Attributes:
        body: that of its item.
    """

    layer: LayerKind
    kind_span: Span
    body: MappingNode | None


@dataclass(kw_only=True)
class Call:
    """One use of a layer: its inputs and arguments, with spans for diagnostics.

    Attributes:
        args: every argument, defaults filled in.
        reader_kinds: the kinds of the layers that read the result; `output` for an output of the graph.
        given: the arguments that the spec names.
        over: the axis names that the spec says it runs along, if it says.
        axis_name: `as`, the name for the axis that it makes.
        item_body: the body of the list item, which is that of a wrapper where this layer stands inside one.
        makes_axis: whether it takes `as`.
        infer_inner: the wrapped layer that a part of the body says, as a node.
        make_node: the node of a layer that no part of the body says, such as a stack of the cells in a list.
        ordered_axes: the axes that some `over` declares to have an order; all calls of a network share it.
        makers: the nodes before it, by name.
        assumed: faults that have one remedy: what follows is inferred as if it had been made.
        stripped: the names of the axes that wrappers go over: the item reads them before those that this layer reads.
        folder: the spec's folder, below which files of constants lie; None where no file is looked at.
    """

    name: str
    kind: str
    kind_span: Span
    item_span: Span
    body: MappingNode | None
    inputs: tuple[Value, ...]
    args: dict[str, Any]  # as `Args`, while it is filled in
    report: Report
    path: tuple[str | int, ...] = ()
    axis_name: str | None = None
    over: tuple[str, ...] | None = None
    infer_inner: Callable[..., Node] | None = None
    constraints: list[str] = field(default_factory=list)
    reader_kinds: tuple[str, ...] = ()
    item_body: MappingNode | None = None
    stripped: tuple[str, ...] = ()
    makes_axis: bool = False
    make_node: Callable[..., Node] | None = None
    ordered_axes: set[str] = field(default_factory=set)
    makers: dict[str, Maker] = field(default_factory=dict)
    assumed: list[Diagnostic] = field(default_factory=list)
    folder: Path | None = None

    @property
    def input(self) -> Value:
        return self.inputs[0]

    @property
    def axes(self) -> Axes:
        return self.inputs[0].axes

    @property
    def given(self) -> frozenset[str]:
        return frozenset(self.body.entries) if self.body else frozenset()

    def node(self, arg: str) -> SourceNode | None:
        return self.body.get(arg) if self.body else None

    def span(self, arg: str | None = None) -> Span:
        """The place of an argument's value, or of the layer's kind."""
        node = self.node(arg) if arg is not None else None
        return node.span if node is not None else self.kind_span

    def diagnostic(
        self,
        code: str,
        message: str,
        arg: str | None = None,
        *,
        label: str = "",
        notes: Sequence[str] = (),
        fixes: Sequence[Fix] = (),
        related: Sequence[Related] = (),
        severity: Severity = Severity.ERROR,
        about: Sequence[Axis | Value | str | None] = (),
        reason: Reason | None = None,
    ) -> Diagnostic:
        """A diagnostic at an argument's value, or at the layer.

        Args:
            about: what it is about: axes, values, or names of either; other names are keys. None is left out.
        """
        steps = (*self.path, self.kind, *([arg] if arg and arg in self.given else []))
        return Diagnostic(
            code=code,
            message=message,
            span=self.span(arg),
            label=label,
            path=format_path(steps),
            notes=tuple(notes),
            related=tuple(related),
            fixes=tuple(fixes),
            severity=severity,
            reason=reason,
            about=tuple(dict.fromkeys(ref for thing in about if thing is not None for ref in self.refs(thing))),
        )

    def refs(self, thing: Axis | Value | str) -> list[Ref]:
        """What a diagnostic is about, as its fields say it."""
        if isinstance(thing, Axis):
            of = next((value.node for value in self.inputs if any(axis is thing for axis in value.axes)), "")
            return [AxisRef(thing.name, of)]
        if isinstance(thing, Value):
            return [NodeRef(thing.node)]
        names = {name for value in self.inputs for axis in value.axes for name in (axis.name, *_atom_names(axis))}
        found: list[Ref] = [AxisRef(thing)] if thing in names else []
        found += [NodeRef(thing)] if any(value.node == thing for value in self.inputs) else []
        return found or [KeyRef(thing) if thing in self.args else AxisRef(thing)]

    def fail(self, code: str, message: str, arg: str | None = None, **details: Unpack[Details]) -> NoReturn:
        """Ends the inference of this node.

        Raises:
            Fault: always.
        """
        raise Fault(self.diagnostic(code, message, arg, **details))

    def assume(self, code: str, message: str, arg: str | None = None, **details: Unpack[Details]) -> None:
        """An error whose fix is certain: the layer is inferred as the fix would have it, and so are its readers."""
        self.assumed.append(self.diagnostic(code, message, arg, **details))

    def warn(self, code: str, message: str, arg: str | None = None, **details: Unpack[Details]) -> None:
        self.report.add(replace(self.diagnostic(code, message, arg, **details), severity=Severity.WARNING))

    # ----------------------------------------------------------------------------------------------- axes

    def require_rank(self, *ranks: int, what: str = "", fixes: Sequence[Fix] = ()) -> None:
        if len(self.axes) not in ranks:
            wanted = f"{', '.join(str(rank) for rank in ranks[:-1])} or {ranks[-1]}" if ranks[1:] else str(ranks[0])
            wanted += " axis" if ranks == (1,) else " axes"
            hint = f" ({what})" if what else ""
            self.fail(
                "NN310",
                f"`{self.kind}` needs {wanted}{hint}, but its input has {len(self.axes)}: {ax.describe(self.axes)}",
                notes=("the batch axis is not counted",),
                fixes=fixes,
                about=[*self.axes],
            )

    def require_size(self, axis: Axis, why: str) -> int:
        """The axis' size as a number; weights need it."""
        if not isinstance(axis.size, int):
            self.fail(
                "NN313",
                f"`{self.kind}` needs to know how long `{axis.name}` is ({why}), but its size is `{axis.size}`",
                fixes=[Fix(f"give `{axis.name}` a fixed size under `inputs:`")],
                about=[axis.name],
            )
        return axis.size

    def require_float(self, values: Sequence[Value] | None = None) -> None:
        """Every input (or these) must hold floats of one dtype: the layer computes with them."""
        for value in self.inputs if values is None else values:
            if not value.dtype.startswith("float"):
                self.fail(
                    "NN407",
                    f"`{self.kind}` needs floats, but `{value.node}` has dtype {value.dtype}",
                    notes=["for class or word ids, use an `Embedding`"],
                    fixes=[Fix("for counts and measurements, declare `dtype: float32` under `inputs:`")],
                    about=[value.node],
                )
        self.require_one_dtype(values)

    def require_one_dtype(self, values: Sequence[Value] | None = None) -> None:
        """Every input (or these) must hold what the first one holds."""
        for value in self.inputs if values is None else values:
            if value.dtype != self.input.dtype:
                self.fail(
                    "NN407",
                    f"`{self.kind}` has inputs of two dtypes: `{self.input.node}` is {self.input.dtype}, "
                    f"`{value.node}` is {value.dtype}",
                    fixes=[Fix("give both the same `dtype` under `inputs:`; for ids, use an `Embedding`")],
                    about=[self.input.node, value.node],
                )

    def axis_index(self, value: str | int, arg: str, axes: Axes | None = None) -> int:
        """The position (from 0, batch left out) of an axis given by name or by Keras' index."""
        axes = self.axes if axes is None else axes
        if isinstance(value, str):
            position = ax.index_of(axes, value)
            if position is None:
                place = self._place(arg, value)
                fixes = []
                if place is not None:
                    sure = Applicability.MACHINE if is_named_otherwise(value, axes) else Applicability.MAYBE
                    fixes = [Fix(f"use `{c}`", (Edit(place.span, c),), sure) for c in near_axes(value, axes)]
                message = f"`{self.kind}` has no axis `{value}` in its input {ax.describe(axes)}"
                self._fail_at(place, "NN306", message, arg, fixes=fixes, about=[value, *axes])
            return position
        index = int(value)
        position = index - 1 if index > 0 else len(axes) + index
        if value == 0 or not 0 <= position < len(axes):
            meaning = "the batch axis" if value == 0 else "out of range"
            self._fail_at(
                self._place(arg, value),
                "NN306",
                f"axis {value} of `{self.kind}` is {meaning}: its input is {ax.describe(axes)}, counted from 1 "
                f"as in Keras",
                arg,
                about=axes,
            )
        return position

    def _place(self, arg: str, value: str | int) -> Scalar | None:
        """Where an axis is named: the argument, an item of it, or a key (`split: {time: …}`)."""
        node = self.node(arg)
        for item in node.items if isinstance(node, SequenceNode) else [node]:
            if isinstance(item, Scalar) and item.value == value:
                return item
        return self.body.keys.get(str(value)) if self.body is not None else None

    def _fail_at(self, place: Scalar | None, code: str, message: str, arg: str, **details: Unpack[Details]) -> NoReturn:
        """As `fail`, at a place inside the argument.

        Raises:
            Fault: always.
        """
        diagnostic = self.diagnostic(code, message, arg, **details)
        raise Fault(diagnostic if place is None else replace(diagnostic, span=place.span))

    def made_names(self, default: str, count: int) -> list[str]:
        """The names of the axes that it makes: what `as` says, else the default, numbered where there are several.

        Raises:
            Fault: NN307 where `as` gives another number of names.
        """
        node = self.node("as")
        given = None if node is None else to_plain(node)
        if isinstance(given, list):
            if len(given) != count:
                self.fail("NN307", f"`{self.kind}` makes {count} axes, but `as` names {len(given)}", "as")
            return [str(name) for name in given]
        stem = given if isinstance(given, str) else default
        return [stem] if count == 1 else [f"{stem}_{i}" for i in range(1, count + 1)]

    def require_unique(self, axes: Axes, arg: str | None = None) -> Axes:
        """The axes, whose names must differ; one that is made here and that the spec gives no name gets a number."""
        if self.makes_axis and "as" not in self.given:
            axes = self._numbered(axes)
        seen: set[str] = set()
        for axis in axes:
            if axis.name in seen:
                self.fail(
                    "NN307",
                    f"`{self.kind}` would make two axes named `{axis.name}`: {ax.describe(axes)}",
                    arg or ("as" if "as" in self.given else None),
                    fixes=[Fix(f"give the new axis another name{' with `as:`' if self.makes_axis else ''}")],
                    reason=Reason.AXES_OF_ONE_NAME,
                    about=[axis.name],
                )
            seen.add(axis.name)
        return axes

    def _numbered(self, axes: Axes) -> Axes:
        """The axes, of which those that this layer makes are called `unit_2` where `unit` is another one's name."""
        own = {axis.name for axis in axes}
        if len(own) == len(axes) and own.isdisjoint(self.stripped):
            return axes
        read = {axis for value in self.inputs for axis in value.axes}
        taken = {axis.name for axis in axes if axis in read} | set(self.stripped)
        result = []
        for axis in axes:
            if axis.is_learned and axis not in read:
                names = chain((axis.name,), (f"{axis.name}_{i}" for i in count(2)))
                axis = axis.renamed(next(name for name in names if name not in taken))
            result.append(axis)
            taken.add(axis.name)
        return tuple(result)

    # ----------------------------------------------------------------------------------------------- fixes

    def permute_item(self, order: Sequence[str]) -> str:
        """`permute: [time, feature]`, as the item that holds this layer would need it before."""
        return f"permute: [{', '.join((*self.stripped, *order))}]"

    def insert_before(
        self, message: str, items: Sequence[str], applicability: Applicability = Applicability.MAYBE
    ) -> Fix:
        """A fix that writes layer items before this one, where the source is a block list."""
        return insert_before(self.item_span, self.item_body, message, items, applicability)


def _atom_names(axis: Axis) -> list[str]:
    return [atom.name for atom in axis.atoms]


__all__ = ["Call", "Fault", "insert_items"]
