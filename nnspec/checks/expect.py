"""Checks that the properties under `expect` hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nnspec.checks.bounds import ALL, HOW, Bound, parse_bound
from nnspec.checks.context import Context
from nnspec.checks.data.later_targets import causal_fixes
from nnspec.diagnostics import Diagnostic, Edit, Fix, Related, Span, did_you_mean, nearest
from nnspec.diagnostics.values import as_yaml
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document import Scalar, Sequence, format_path, to_plain
from nnspec.ir import axes as ax
from nnspec.ir.causality import is_causal, looking_ahead, steps_ahead
from nnspec.ir.coverage import find_holes, list_positions
from nnspec.ir.graph import Field, Graph, Node, Value

Path = tuple[str | int, ...]


def check_expectations(context: Context) -> Iterator[Diagnostic]:
    section = context.node("expect")
    if not isinstance(section, MappingNode):
        return
    graph = context.graph
    outputs = {name: output.value for name, output in graph.outputs.items()}
    nodes = {node.name: node for node in graph.nodes}
    for key, node in section.entries.items():
        path: Path = ("expect", key)
        if key == "outputs":
            for name, body, here in _bodies(node, path):
                if name not in outputs:
                    yield _unknown(f"`expect` names output `{name}`, which does not exist", name, outputs, *here)
                    continue
                yield from _value(graph, f"output `{name}`", outputs[name], body, here[1])
        elif key == "layers":
            for name, body, here in _bodies(node, path):
                if name not in nodes:
                    yield _unknown(f"`expect` names layer `{name}`, which does not exist", name, nodes, *here)
                    continue
                yield from _value(graph, f"layer `{name}`", nodes[name].outputs[0], body, here[1])
                yield from _counts(f"layer `{name}`", nodes[name], body, here[1])
        else:
            yield from _counts(f"`{graph.name}`", graph, section, ("expect",), only=key)


def _bodies(node: SourceNode, path: Path) -> Iterator[tuple[str, MappingNode, tuple[Span, Path]]]:
    """The expectations of each name, with the name's span."""
    if isinstance(node, MappingNode):
        for name, body in node.entries.items():
            if isinstance(body, MappingNode):
                yield name, body, (node.key_span(name), (*path, name))


def _unknown(message: str, name: str, known: Iterable[str], span: Span, path: Path) -> Diagnostic:
    names = list(known)
    close = nearest(name, names)
    return Diagnostic(
        "NN401",
        f"{message}{did_you_mean(name, names)}",
        span,
        path=format_path(path),
        notes=("known names: " + ", ".join(f"`{n}`" for n in names[-12:]),),
        fixes=tuple(Fix(f"use `{c}`", (Edit(span, c),)) for c in close),
    )


def _unmet(
    message: str, node: SourceNode, path: Path, actual: str | None, *, related: tuple[Related, ...] = ()
) -> Diagnostic:
    """An expectation that does not hold; `actual` is what the spec would have to say."""
    fixes = (Fix(f"if that is intended, expect {actual}", (Edit(node.span, actual),)),) if actual is not None else ()
    return Diagnostic("NN331", message, node.span, path=format_path(path), fixes=fixes, related=related)


def _bound(node: SourceNode, path: Path, *, more: str = "") -> Bound | Diagnostic:
    bound = parse_bound(to_plain(node))
    if bound is not None:
        return bound
    written = to_plain(node)
    return Diagnostic(
        "NN332", (f"`{written}` is not a valid bound"), node.span, path=format_path(path), notes=(HOW + more,)
    )


# ------------------------------------------------------------------------------------------------- counts


def _counts(
    what: str, owner: Graph | Node, body: MappingNode, path: Path, only: str | None = None
) -> Iterator[Diagnostic]:
    for key in ("parameters", "trainable_parameters"):
        node = body.get(key)
        if node is None or (only is not None and key != only):
            continue
        bound = _bound(node, (*path, key))
        if isinstance(bound, Diagnostic):
            yield bound
            continue
        actual = getattr(owner, key)
        if not bound.admits(actual):
            kind = "parameters" if key == "parameters" else "trainable parameters"
            formula = owner.formula if isinstance(owner, Node) and key == "parameters" else ""
            counted = f" ({formula})" if formula else ""
            message = f"{what} has {actual:,} {kind}{counted}, but `expect` asks for {bound}"
            yield _unmet(message, node, (*path, key), bound.around(actual))


# ------------------------------------------------------------------------------------------------- values


def _value(graph: Graph, what: str, value: Value, body: MappingNode, path: Path) -> Iterator[Diagnostic]:
    axes = body.get("axes")
    if isinstance(axes, MappingNode):
        yield from _axes(what, value, axes, (*path, "axes"))
    reach = body.get("receptive_field")
    if isinstance(reach, MappingNode):
        for name, node in reach.entries.items():
            here = (*path, "receptive_field", name)
            unknown = _unknown_axis(graph, what, name, reach.key_span(name), here)
            yield from [unknown] if unknown else _reach(graph, what, value, name, node, here)
    for axis, named in causal_axes(body):
        here = (*path, "causal")
        unknown = _unknown_axis(graph, what, axis, named.span, here)
        yield from [unknown] if unknown else _causal(graph, what, value, axis, named, here)


def causal_axes(body: MappingNode) -> Iterator[tuple[str, Scalar]]:
    """The axes along which a value must be causal, with their spans."""
    causal = body.get("causal")
    for node in causal.items if isinstance(causal, Sequence) else (causal,):
        if isinstance(node, Scalar) and isinstance(node.value, str):
            yield node.value, node


def expected_causal(section: SourceNode | None, graph: Graph) -> Iterator[tuple[str, Value, str, Span]]:
    """What is expected to be causal: in words, its value, the input axis and the place. The names have been checked."""
    values = {
        "outputs": {name: output.value for name, output in graph.outputs.items()},
        "layers": {node.name: node.outputs[0] for node in graph.nodes},
    }
    for key, known in values.items():
        node = section.get(key) if isinstance(section, MappingNode) else None
        for name, body, _ in _bodies(node, ()) if node is not None else ():
            for axis, place in causal_axes(body):
                yield f"{key[:-1]} `{name}`", known[name], axis, place.span


def _axes(what: str, value: Value, node: MappingNode, path: Path) -> Iterator[Diagnostic]:
    """Names and order of all axes, and their sizes where they are given."""
    wanted: Mapping[str, str | int | None] = to_plain(node)
    actual = {axis.name: ax.size_to_json(axis.size) for axis in value.axes}
    sizes_agree = all(size is None or str(size) == str(actual.get(name)) for name, size in wanted.items())
    if list(wanted) != list(actual) or not sizes_agree:
        said = ", ".join(name if size is None else f"{name} {size}" for name, size in wanted.items())
        right = as_yaml(actual)
        is_long = node.span.line != node.span.end_line
        unmet = _unmet(f"{what} has axes {ax.describe(value.axes)}, but `expect` asks for ({said})", node, path, right)
        yield Diagnostic(unmet.code, unmet.message, unmet.span, path=unmet.path) if is_long else unmet


def _unknown_axis(graph: Graph, what: str, name: str, span: Span, path: Path) -> Diagnostic | None:
    """Receptive fields and causality are about the axes of inputs."""
    known = list(dict.fromkeys(axis.name for value in graph.inputs.values() for axis in value.axes))
    if name in known:
        return None
    return Diagnostic(
        "NN306",
        f"`expect` names axis `{name}` for {what}, but no input has this axis{did_you_mean(name, known)}",
        span,
        path=format_path(path),
        notes=("axes of the inputs: " + ", ".join(f"`{n}`" for n in known),),
        fixes=tuple(Fix(f"use `{c}`", (Edit(span, c),)) for c in nearest(name, known)),
    )


def _reach(graph: Graph, what: str, value: Value, axis: str, node: SourceNode, path: Path) -> Iterator[Diagnostic]:
    field = value.fields.get(axis, Field(0, 1, None))
    total = next(a.size for v in graph.inputs.values() for a in v.axes if a.name == axis)
    sees_all = field.size is None or (isinstance(total, int) and field.size >= total)
    if to_plain(node) == ALL:
        missed = find_holes(graph, value, axis)
        if missed:
            yield _unmet(
                f"{what} never sees {len(missed)} of {total} positions of `{axis}`, but `expect` asks for all: "
                f"{list_positions(missed)}",
                node,
                path,
                None,
            )
        elif not sees_all:
            yield _unmet(
                f"{what} sees {field.size} of {total} positions of `{axis}`, but `expect` asks for all",
                node,
                path,
                str(field.size),
            )
        return
    bound = _bound(node, path, more=f"; here `{ALL}` is allowed too")
    if isinstance(bound, Diagnostic):
        yield bound
        return
    if field.size is None:
        if bound.high != float("inf"):
            message = f"{what} sees all of `{axis}`, whose length is unknown, but `expect` asks for {bound} positions"
            yield _unmet(message, node, path, ALL)
    elif not bound.admits(field.size):
        said = f"sees {field.size} positions of `{axis}`" if field.size else f"does not depend on `{axis}`"
        if isinstance(total, int) and field.size > total:
            said += f" ({total} and padding)"
        yield _unmet(
            f"{what} {said}, but `expect` asks for {bound}",
            node,
            path,
            bound.around(field.size),
        )


def _causal(graph: Graph, what: str, value: Value, axis: str, node: SourceNode, path: Path) -> Iterator[Diagnostic]:
    found = looking_ahead(graph, value, axis)
    if found is None:
        yield from _made_anew(graph, what, value, axis, node, path)
        return
    carrier, first = found
    ahead = steps_ahead(carrier.fields[axis])
    seen = "later positions" if ahead is None else f"{ahead} position{'s' if ahead != 1 else ''} ahead"
    who = "it" if carrier is value else f"`{carrier.node}`, which it reads,"
    yield Diagnostic(
        "NN333",
        f"{what} must be causal along `{axis}`, but {who} sees {seen}",
        node.span,
        path=format_path(path),
        notes=(f"`{first.name}` ({first.kind}) is the first layer that looks ahead",),
        related=(Related(first.span, f"`{first.name}` looks ahead"),),
        fixes=tuple(causal_fixes(first)),
    )


def _made_anew(graph: Graph, what: str, value: Value, axis: str, node: SourceNode, path: Path) -> Iterator[Diagnostic]:
    """An axis of the same name and length that a layer made of all positions: of which it cannot be causal."""
    source = next((found for given in graph.inputs.values() for found in given.axes if found.name == axis), None)
    own = next((found for found in value.axes if found.name == axis), None)
    if own is None or source is None or own.origin == axis or own.size != source.size or axis not in value.fields:
        return
    owner = own.atoms[0].key.rpartition(".")[0] if own.atoms else value.node
    maker = next((found for found in graph.nodes if found.name == owner), None)
    if is_causal(value.fields[axis]):
        return
    yield Diagnostic(
        "NN333",
        f"{what} must be causal along `{axis}`, but `{owner}` computes each position of that axis from all of its "
        "input",
        node.span,
        path=format_path(path),
        related=() if maker is None else (Related(maker.span, f"`{axis}` is created here"),),
        fixes=(Fix("rename it if its positions are different ones, such as those of a forecast: `as: horizon`"),),
    )
