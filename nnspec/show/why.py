"""A page about one layer of a network: the effect of its arguments, its weights, and its receptive field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from nnspec.diagnostics.lists import joined
from nnspec.diagnostics.values import as_yaml
from nnspec.ir import axes as ax
from nnspec.ir.coverage import find_holes, list_positions
from nnspec.ir.graph import Field, Graph, Node, Value, Weight, Window
from nnspec.ir.layer_failure import failure, say
from nnspec.layers.kit.args import REQUIRED
from nnspec.layers.kit.documentation import summary
from nnspec.layers.kit.explanations import with_count
from nnspec.layers.registry import REGISTRY
from nnspec.show.table import input_size, shape


@dataclass(frozen=True)
class Told:
    """An argument and what it did."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is to be said of one layer.

    Attributes:
        reads: each input with its axes.
        makes: each output with its axes.
        text: what the layer did as a whole, where more is to be said than the summary does.
        parameters: the formula with this layer's numbers and what it comes to.
        sees: how far it sees, alone and in the network.
        inner: the same of the layers that it wraps.
    """

    name: str
    kind: str
    line: int
    summary: str
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    text: str
    arguments: tuple[Told, ...]
    weights: tuple[Told, ...]
    parameters: str
    sees: tuple[str, ...]
    notes: tuple[str, ...]
    inner: tuple[Page, ...] = ()

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    def to_text(self) -> str:
        lines = [f"{self.name}: {self.kind}, line {self.line}", "", self.summary]
        lines += ["", *(f"reads  {each}" for each in self.reads), *(f"makes  {each}" for each in self.makes)]
        if self.text:
            lines += ["", self.text]
        lines += _told(self.arguments, "arguments")
        for part in self.inner:
            lines += ["", f"inside: {part.kind}. {part.summary}"]
            lines += ["", *(f"reads  {each}" for each in part.reads), *(f"makes  {each}" for each in part.makes)]
            if part.text:
                lines += ["", part.text]
            lines += _told(part.arguments, "arguments")
        lines += _told(self.weights, "weights")
        lines += ["", f"parameters: {self.parameters}" if self.weights else self.parameters]
        if self.sees:
            lines += ["", *self.sees]
        if self.notes:
            lines += ["", *(f"note: {note}" for note in self.notes)]
        return "\n".join(line.rstrip() for line in lines) + "\n"


def explain_node(graph: Graph, node: Node) -> Page:
    """The page of a node of this graph."""
    return _page(graph, node, is_inner=False)


def _page(graph: Graph, node: Node, *, is_inner: bool) -> Page:
    told = _sentences(node)
    inner = [part for part in (node.inner, node.backward, *node.cells) if part is not None]
    weights = {**(_sentences(node.inner) if node.inner is not None else {}), **told}
    return Page(
        name=node.name,
        kind=node.kind,
        line=node.span.line,
        summary=summary(node.layer),
        reads=tuple(f"{_source(value)} {ax.describe(value.axes)}" for value in node.inputs),
        makes=tuple(_describe_value(value) for value in node.outputs),
        text=told.get("", ""),
        arguments=tuple(_arguments(node, told)),
        weights=() if is_inner else tuple(Told(w.name, shape(w.shape), _weight(w, weights)) for w in node.weights),
        parameters="" if is_inner else _parameters(node),
        sees=() if is_inner else tuple(_sees(graph, node)),
        notes=() if is_inner else node.notes,
        inner=tuple(_page(graph, part, is_inner=True) for part in inner),
    )


def _sentences(node: Node) -> dict[str, str]:
    """What the layer says of this node.

    Raises:
        SpecError: NN217 where that fails, and the layer is another package's.
    """
    try:
        told = node.layer.why(node)
        if not isinstance(told, dict):
            raise TypeError(f"`why` returns {type(told).__name__}, not a dict")
    except Exception as error:
        raise failure(node.layer, None, node.span, f"fails to describe `{node.name}`: {say(error)}") from error
    return told


def _source(value: Value) -> str:
    return value.node if value.port == "output" else f"{value.node}.{value.port}"


def _describe_value(value: Value) -> str:
    return ax.describe(value.axes) if value.port == "output" else f"{value.port} {ax.describe(value.axes)}"


def _arguments(node: Node, told: dict[str, str]) -> Iterator[Told]:
    """What the spec sets or the layer has to say of; defaults that change nothing are left out."""
    for name, arg in node.layer.args.items():
        value = node.args.get(name)
        is_set = name in node.given or arg.default is REQUIRED or value != arg.default
        if name in told:
            yield Told(name, _written(value), told[name])
        elif is_set and value is not None:
            yield Told(name, _written(value), arg.description)
    if node.args.get("trainable") is False:
        yield Told("trainable", "false", "Training does not change its weights.")


def _written(value: object) -> str:
    """As a spec has it; of a layer that is wrapped its kind, since it has a part of its own."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in REGISTRY:
        return str(next(iter(value)))
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, list) else as_yaml(value)


def _weight(weight: Weight, told: dict[str, str]) -> str:
    count = with_count(f"{weight.count:,}", "number") if weight.count != 1 else "1 number"
    frozen = "" if weight.is_trainable else ", not changed by training"
    own = told.get(weight.name) or told.get(weight.name.removeprefix("forward_").removeprefix("backward_"))
    return f"{own}: {count}{frozen}" if own else f"{count}{frozen}"


def _parameters(node: Node) -> str:
    if not node.weights:
        return "It has no weights."
    text = f"{node.formula} = {node.parameters:,}" if node.formula else f"{node.parameters:,}"
    if node.trainable_parameters != node.parameters:
        text += f", {node.trainable_parameters:,} of them trained"
    if node.shared is not None:
        text += f"; shared with every use of `{node.shared}`"
    return text


# ------------------------------------------------------------------------------------------------- how far it sees


def _sees(graph: Graph, node: Node) -> Iterator[str]:
    for place, window in sorted(node.windows.items()):
        axis = node.inputs[0].axes[place]
        if axis.size != 1 and not (ax.is_unordered(axis) and window.span is not None):
            yield _alone(axis, window)
    for name, field in node.outputs[0].fields.items():
        source = next((a for v in graph.inputs.values() for a in v.axes if a.name == name), None)
        if source is not None and not ax.is_unordered(source):
            yield _within(graph, name, field)
            missed = find_holes(graph, node.outputs[0], name)
            if missed:
                yield f"Between the first and the last of them {len(missed)} are never read: {list_positions(missed)}."


def _alone(axis: ax.Axis, window: Window) -> str:
    if window.span is None:
        upto = f"every position of `{axis.name}` up to its own" if window.ahead is not None else f"all of `{axis.name}`"
        return f"In its input it sees {upto}."
    if window.span == 1 and window.stride == 1:
        return f"In its input it sees one position of `{axis.name}`, {_moved(window)}."
    apart = "" if window.stride == 1 else f"; neighbours are {window.stride} apart"
    return f"In its input it sees {with_count(int(window.span), 'position')} of `{axis.name}`{apart}."


def _moved(window: Window) -> str:
    if window.ahead is None:
        return "counted from the end"
    distance = with_count(abs(window.ahead), "position")
    return "its own" if window.ahead == 0 else f"{distance} {'after' if window.ahead > 0 else 'before'} its own"


def _within(graph: Graph, name: str, field: Field) -> str:
    """`In the network a position sees 7 positions of `time`: itself and 6 before it, of 10 that there are.`"""
    total = input_size(graph, name)
    size = field.size
    if size is None or (isinstance(total, int) and size >= total and field.ahead is None):
        return f"In the network it sees all of `{name}` ({total})."
    parts = []
    if not field.phases and field.behind is not None and (field.ahead or 0) >= 0 and field.behind >= 0:
        parts = ["itself"]
        parts += [f"{_count(field.behind)} before it"] if field.behind else []
        parts += [f"{_count(field.ahead)} after it"] if field.ahead else []
    what = f": {joined(parts)}" if parts and size > 1 else ""
    short = isinstance(total, int) and size > total
    padding = f" ({total} exist; the others are padding)" if short else f" of {total}"
    stride = "" if field.stride == 1 else f" Neighbours are {field.stride} positions of the input apart."
    if field.stride < 0:
        stride = f" Neighbours are {with_count(-field.stride, 'position')} of the input apart, from last to first."
    return f"In the network it sees {with_count(size, 'position')} of `{name}`{padding}{what}.{stride}"


def _count(number: object) -> str:
    return str(number)


def _told(items: tuple[Told, ...], heading: str) -> list[str]:
    if not items:
        return []
    return ["", f"{heading}:", *(f"  {item.name} {item.value}: {item.text}" for item in items)]
