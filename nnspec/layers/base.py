"""What a layer kind is: schema, axes rule, weights rule, Keras lowering and ONNX lowering in one class.

`Layer.infer` sees a `Call` (inputs with named axes, arguments with places in the source) and returns an `Inferred`.
Frameworks are imported only inside `to_keras`; `to_onnx` works on a builder and never imports onnx itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from nnspec import axes as ax
from nnspec.axes import Axes, Axis
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Related, Report, Severity, Span, nearest
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document import Scalar, format_path
from nnspec.graph import Field, Node, Value, Weight
from nnspec.layers.args import REQUIRED, Arg

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Fault(Exception):
    """The node cannot be inferred: one diagnostic, and its readers keep silent."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class Window:
    """How an output position sees an input axis: `span` positions, `stride` apart, `ahead` of them in the future.

    `span` None: all positions. A stride of 1/2 makes two positions of each. Output positions then stand between input
    positions as well: `span` is 1 and the distance between the outermost places that one may see.
    """

    span: int | Fraction | None
    stride: int | Fraction = 1
    ahead: int | Fraction | None = 0


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a layer makes of its inputs.

    Attributes:
        outputs: the axes of each output.
        dtypes: of each output; default that of the first input.
        ports: names of the outputs where there are several.
        weights: in Keras' order.
        formula: how the parameters are counted, with numbers (`4·(4·(1 + 4) + 4)`).
        windows: for input axis positions that the layer slides along or reads whole; others are untouched.
        mask: the axis along which the first output carries a mask, or None.
        masks: the same for every output, where others than the first carry one.
        keras: arguments as Keras takes them, where they differ from the spec's (axis names).
        notes: for `show`.
        inner: the wrapped layer.
        backward: the layer of a Bidirectional that runs backwards, where the spec gives one.
        fields: receptive fields of the outputs where a wrapped layer worked them out; else they follow from `windows`.
    """

    outputs: tuple[Axes, ...]
    dtypes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ("output",)
    weights: tuple[Weight, ...] = ()
    formula: str = ""
    windows: Mapping[int, Window] = field(default_factory=dict)
    mask: str | None = None
    masks: tuple[str | None, ...] = ()
    keras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    inner: Node | None = None
    backward: Node | None = None
    fields: Mapping[str, Field] | None = None


@dataclass
class Call:
    """One use of a layer kind: what it reads and what the spec says, with the places to speak of.

    Attributes:
        args: every argument, defaults filled in.
        reader_kinds: the kinds of the layers that read the result; `output` for an output of the graph.
        given: the arguments that the spec names.
        over: the axis names that the spec says it runs along, if it says.
        axis_name: `as`, the name for the axis that it makes.
    """

    name: str
    kind: str
    kind_span: Span
    item_span: Span
    body: MappingNode | None
    inputs: tuple[Value, ...]
    args: dict[str, Any]
    report: Report
    path: tuple[str | int, ...] = ()
    axis_name: str | None = None
    over: tuple[str, ...] | None = None
    infer_inner: Callable[..., Node] | None = None
    constraints: list[str] = field(default_factory=list)
    reader_kinds: tuple[str, ...] = ()

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
    ) -> Diagnostic:
        steps = (*self.path, self.kind, *([arg] if arg and arg in self.given else []))
        return Diagnostic(
            code,
            message,
            self.span(arg),
            label,
            format_path(steps),
            tuple(notes),
            tuple(related),
            tuple(fixes),
            severity,
        )

    def fail(self, code: str, message: str, arg: str | None = None, **details: Any) -> NoReturn:
        """Ends the inference of this node.

        Raises:
            Fault: always.
        """
        raise Fault(self.diagnostic(code, message, arg, **details))

    def warn(self, code: str, message: str, arg: str | None = None, **details: Any) -> None:
        self.report.add(self.diagnostic(code, message, arg, severity=Severity.WARNING, **details))

    # ----------------------------------------------------------------------------------------------- axes

    def require_rank(self, *ranks: int, what: str = "") -> None:
        if len(self.axes) not in ranks:
            wanted = " or ".join(str(rank) for rank in ranks)
            hint = f" ({what})" if what else ""
            self.fail(
                "NN310",
                f"`{self.kind}` reads {wanted} axes{hint}, but it is given {len(self.axes)}: {ax.describe(self.axes)}",
                notes=("batch is not counted",),
            )

    def require_size(self, axis: Axis, why: str) -> int:
        """The axis' size as a number; weights need it."""
        if not isinstance(axis.size, int):
            self.fail(
                "NN313",
                f"`{self.kind}` needs to know how long `{axis.name}` is ({why}), but its size is `{axis.size}`",
                fixes=[Fix(f"give `{axis.name}` a number under `inputs:`")],
            )
        return axis.size

    def require_float(self) -> None:
        """Every input must hold floats of one dtype: the layer computes with them."""
        for value in self.inputs:
            if not value.dtype.startswith("float"):
                self.fail(
                    "NN407",
                    f"`{self.kind}` computes with floats, but `{value.node}` holds {value.dtype}",
                    notes=["class or word ids become numbers to compute with by an `Embedding`"],
                )
            if value.dtype != self.input.dtype:
                self.fail(
                    "NN407",
                    f"`{self.kind}` reads inputs of two dtypes: `{self.input.node}` holds {self.input.dtype}, "
                    f"`{value.node}` {value.dtype}",
                )

    def axis_index(self, value: Any, arg: str, axes: Axes | None = None) -> int:
        """The position (from 0, batch left out) of an axis given by name or by Keras' index."""
        axes = self.axes if axes is None else axes
        if isinstance(value, str):
            position = ax.index_of(axes, value)
            if position is None:
                known = ax.names(axes)
                fixes = []
                node = self.node(arg)
                if isinstance(node, Scalar):
                    fixes = [Fix(f"use `{c}`", (Edit(node.span, c),)) for c in nearest(value, known)]
                self.fail("NN306", f"`{self.kind}` reads no axis `{value}`, only {ax.describe(axes)}", arg, fixes=fixes)
            return position
        index = int(value)
        position = index - 1 if index > 0 else len(axes) + index
        if value == 0 or not 0 <= position < len(axes):
            meaning = "the batch axis" if value == 0 else "beyond the axes"
            self.fail(
                "NN306",
                f"axis {value} of `{self.kind}` is {meaning}: it reads {ax.describe(axes)}, which Keras counts from 1",
                arg,
            )
        return position

    def require_unique(self, axes: Axes, arg: str | None = None) -> Axes:
        """Axis names of one tensor must differ."""
        seen: set[str] = set()
        for axis in axes:
            if axis.name in seen:
                self.fail(
                    "NN307",
                    f"`{self.kind}` would make two axes named `{axis.name}`: {ax.describe(axes)}",
                    arg or ("as" if "as" in self.given else None),
                    fixes=[Fix("give the new axis another name with `as:`")],
                )
            seen.add(axis.name)
        return axes

    def check_steps(self, positions: Sequence[int]) -> None:
        """The contract of layers that slide or step: the axes at `positions` must be ones that have an order."""
        here = [self.axes[i] for i in positions]
        if self.over is not None:
            if set(self.over) == set(ax.names(here)):
                return
            missing = [name for name in self.over if ax.index_of(self.axes, name) is None]
            if missing:
                self.axis_index(missing[0], "over")
            self.fail(
                "NN309",
                f"`{self.kind}` is meant to run over {_quoted(self.over)}, but it runs over {_quoted(ax.names(here))}",
                "over",
                notes=[f"it reads {ax.describe(self.axes)}"],
                fixes=self.reorder_fixes(
                    [self.axes[self.axis_index(n, "over")] for n in dict.fromkeys(self.over)], positions
                )
                if len(set(self.over)) == len(positions)
                else [Fix(f"name {'the one axis' if len(here) == 1 else f'all {len(here)} axes'} that it runs over")],
            )
        others = [axis for i, axis in enumerate(self.axes) if i not in positions]
        hidden = [axis for axis in others if ax.is_sequence(axis)]  # a sequence that stands where features are read
        wrong = [a for a in here if ax.is_unordered(a) or (len(here) == 1 and hidden and not ax.is_sequence(a))]
        if not wrong:
            return
        candidates = iter(hidden or [axis for axis in others if not ax.is_unordered(axis)])
        wanted = [next(candidates, None) if axis in wrong else axis for axis in here]
        complete = [axis for axis in wanted if axis is not None]
        fixes = self.reorder_fixes(complete, positions) if len(complete) == len(wanted) else []
        first = wrong[0].name
        reason = (
            "which has no order" if ax.is_unordered(wrong[0]) else f"while `{hidden[0].name}` stands among its features"
        )
        written = first if len(here) == 1 else f"[{', '.join(ax.names(here))}]"
        self.fail(
            "NN308",
            f"`{self.kind}` runs along `{first}`, {reason}",
            label=f"reads {ax.describe(self.axes)}",
            notes=[f"where this is meant, say so: `over: {written}`"],
            fixes=fixes,
        )

    def reorder_fixes(self, wanted: Sequence[Axis], positions: Sequence[int]) -> list[Fix]:
        """A permute in front that brings `wanted` to `positions`, the other axes keeping their order."""
        rest = iter(axis for axis in self.axes if axis not in wanted)
        places = dict(zip(positions, wanted, strict=True))
        order = [places[i].name if i in places else next(rest).name for i in range(len(self.axes))]
        return [self.insert_before(f"permute first: {order}".replace("'", ""), [f"permute: [{', '.join(order)}]"])]

    def insert_before(
        self, message: str, items: Sequence[str], applicability: Applicability = Applicability.MAYBE
    ) -> Fix:
        """A fix that writes layer items before this one, where the source is a block list."""
        return insert_items(self.item_span, message, items, applicability)


def insert_items(span: Span, message: str, items: Sequence[str], applicability: Applicability) -> Fix:
    """Writes `items` as list items before the one at `span`; without edits where the list is in flow style."""
    before = span.source.line(span.line)[: span.column - 1]
    if before.strip() != "-":
        return Fix(message, (), Applicability.MAYBE)
    text = "".join(f"{item}\n{before}" for item in items)
    return Fix(message, (Edit(span.start, text),), applicability)


def _quoted(items: Sequence[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)


class Layer:
    """A kind of layer.

    Attributes:
        kind: the key in a spec; for Keras' layers, Keras' name.
        args: Keras' arguments in Keras' order.
        arity: how many inputs it reads, at least and at most (None: any number).
        makes: the default name of the axis that it makes; `as` is accepted where this is set.
        steps: whether it slides or steps along axes; `over` is accepted where this is set.
        short: the argument that a body which is not a mapping stands for (`permute: [a, b]`).
        is_verb: an axis operation of nnspec rather than a Keras layer.
        uses_mask: whether it leaves out what a mask marks as padding.
    """

    kind: ClassVar[str]
    args: ClassVar[Mapping[str, Arg]] = {}
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    makes: ClassVar[str | None] = None
    steps: ClassVar[bool] = False
    short: ClassVar[str | None] = None
    is_verb: ClassVar[bool] = False
    uses_mask: ClassVar[bool] = False

    def required_arguments(self) -> list[str]:
        """Arguments without a default; a layer that has none may be written as a bare word."""
        return [name for name, arg in self.args.items() if arg.default is REQUIRED]

    def normalize(self, name: str, value: Any) -> Any:
        """An argument's value as the layer works with it: `16.0` is a whole number where one is wanted."""
        arg = self.args.get(name)
        if (
            isinstance(value, float)
            and arg is not None
            and value.is_integer()
            and "integer" in arg.schema.get("type", ())
        ):
            return int(value)
        return value

    def adapt_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The body's schema where it is not simply the arguments (short forms of the verbs)."""
        return schema

    def infer(self, call: Call) -> Inferred:
        """Axes, dtypes and weights of the outputs.

        Raises:
            Fault: where the inputs or arguments do not fit.
        """
        raise NotImplementedError(f"{self.kind} has no axes rule")

    def to_keras(self, node: Node) -> Callable[..., Any]:
        """A Keras layer (or a callable over Keras tensors) for the node, not yet called."""
        import keras

        return getattr(keras.layers, self.kind)(name=keras_name(node.name), **self.keras_arguments(node))  # type: ignore[no-any-return]

    def call_keras(self, layer: Callable[..., Any], node: Node, tensors: list[Any]) -> Any:
        """The Keras layer's outputs on Keras tensors: a tensor, or a list where the node has several."""
        return layer(tensors[0] if self.arity == (1, 1) else tensors)

    def keras_weights(self, layer: Any) -> list[Any]:
        """The Keras layer's variables in the order of the node's weights."""
        return list(layer.weights)

    def keras_arguments(self, node: Node) -> dict[str, Any]:
        """The node's arguments as Keras' constructor takes them."""
        from nnspec import catalogue

        result: dict[str, Any] = {}
        for name, arg in self.args.items():
            value = node.args[name]
            result[name] = value if arg.family is None else catalogue.build(arg.family, value)
        return result

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        """Writes ONNX nodes that compute the node from its inputs; returns its outputs."""
        raise NotImplementedError(f"{self.kind} has no ONNX lowering")


def keras_name(name: str) -> str:
    """Keras allows no slash in a name."""
    return name.replace("/", ".")


def sum_formula(*parts: str) -> str:
    return " + ".join(part for part in parts if part)
