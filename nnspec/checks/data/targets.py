"""Checks that the spec says which targets of padded sequences count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nnspec.checks.context import Context
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Related, Severity
from nnspec.document import Mapping
from nnspec.inference.counted import followed_axes, padded_axes
from nnspec.ir.graph import Node, Output
from nnspec.layers.kit.edits import add_key


def check_targets(context: Context) -> Iterator[Diagnostic]:
    """NN540: an error where padding is certain, else a warning."""
    plan = context.plan
    if plan is None:
        return
    padded = padded_axes(context.graph, plan)
    for output in context.graph.outputs.values():
        yield from _check_masked_copy(context, output)
        target = plan.outputs.get(output.name)
        if target is None or target.counts_in_part:
            continue
        pairs = dict(followed_axes(context.graph, output))
        axis = next((name for name, origin in pairs.items() if origin in padded), output.value.mask)
        if axis is None or axis == output.class_axis:
            continue
        inputs = padded.get(pairs.get(axis, ""), ())
        if inputs and output.value.mask is None and _ends_mask(context, output):
            continue  # by `unmask` the spec says that padding counts
        yield _report_undeclared(context, output, target, axis, inputs)


def _check_masked_copy(context: Context, output: Output) -> Iterator[Diagnostic]:
    """A reconstruction has a mask, but the data do not say what the padding of its input is."""
    plan, mask = context.plan, output.value.mask
    copy = None if plan is None else plan.copies.get(output.name)
    source = None if plan is None or copy is None else plan.inputs.get(copy.input)
    if mask is None or copy is None or source is None or source.pad_value is not None:
        return
    yield Diagnostic(
        "NN540",
        f"output `{output.name}` reconstructs the masked steps of `{mask}` too: the spec must say which are padding",
        copy.span,
        path=copy.where,
        notes=("padded steps would count in the loss, in every metric, and in the baseline",),
        fixes=(
            Fix(f"add the value that is masked as padding to `data.inputs.{source.name}`: `pad_value: 0`"),
            Fix("if every step counts, remove the mask before the output with `unmask`"),
        ),
    )


def _report_undeclared(
    context: Context, output: Output, target: SlotPlan, axis: str, inputs: Sequence[str]
) -> Diagnostic:
    plan, name = context.plan, output.name
    assert plan is not None
    fixes = list(_fixes(context, output, target, axis, inputs))
    is_certain = output.value.mask is not None or any(plan.inputs[given].lengths for given in inputs)
    source = next((plan.inputs[given] for given in inputs), None)
    related: tuple[Related, ...] = ()
    if source is not None:
        key = "lengths" if source.lengths else "pad_value"
        related = (Related(source.span_of(key), f"input `{source.name}` is padded"),)
    return Diagnostic(
        "NN540",
        f"output `{name}` has a target for each step of `{axis}`, which is padded: the spec must say which count",
        target.span,
        path=target.where(),
        related=related,
        notes=("targets of padding would count in the loss, in every metric, and in the baseline",),
        fixes=(
            *fixes,
            Fix("if such targets have a separate label or number, set it: `ignore: -1`"),
            Fix("if every target counts, remove the mask before the output with `unmask`"),
        ),
        severity=Severity.ERROR if is_certain else Severity.WARNING,
    )


def _fixes(context: Context, output: Output, target: SlotPlan, axis: str, inputs: Sequence[str]) -> Iterator[Fix]:
    """Certain where the steps of the targets are those of one input, whose padding the data or a mask know."""
    plan = context.plan
    assert plan is not None
    pairs = dict(followed_axes(context.graph, output))
    body = context.node("data", "outputs", output.name)
    if not isinstance(body, Mapping) or axis not in pairs or target.is_windowed:
        return
    if len(inputs) == 1:
        source = plan.inputs[inputs[0]]
        key, value = "padded_like", source.name
        if source.lengths and source.source.identity == target.source.identity and target.array:
            key, value = "lengths", _levels_of(source, context, set(pairs.values()))
        yield _certain(f"add `{key}: {value}`", add_key(body, key, value))
    elif not inputs:
        yield from _like_the_mask(context, output, body, pairs[axis])


def _levels_of(source: SlotPlan, context: Context, followed: Collection[str]) -> str:
    """The arrays of an input's lengths, of as many levels as the targets follow."""
    padded = padded_axes(context.graph, context.plan) if context.plan is not None else {}
    count = sum(source.name in inputs for axis, inputs in padded.items() if axis in followed)
    kept = source.lengths[: max(1, count)]
    return kept[0] if len(kept) == 1 else f"[{', '.join(kept)}]"


def _like_the_mask(context: Context, output: Output, body: Mapping, origin: str) -> Iterator[Fix]:
    """Where one layer makes the mask of an input: what it takes for padding is the input's `pad_value`."""
    plan = context.plan
    assert plan is not None
    readers = [
        (node, wanted)
        for node in context.graph.nodes
        if (wanted := node.layer.masked_value(node)) is not None and node.inputs[0].node in context.graph.inputs
    ]
    names = {node.inputs[0].node for node, _ in readers}
    if len(readers) != 1 or not names <= plan.inputs.keys():
        return
    node, wanted = readers[0]
    value, source = node.inputs[0], plan.inputs[node.inputs[0].node]
    given = context.node("data", "inputs", source.name)
    is_its_axis = value.axes[0].name == origin and value.dtype != "string"
    if not is_its_axis or source.is_windowed or source.pad_value is not None or not isinstance(given, Mapping):
        return
    first, second = add_key(given, "pad_value", f"{wanted:g}"), add_key(body, "padded_like", source.name)
    if first and second:
        yield _certain(
            f"declare that they are padded like input `{source.name}`, whose padding is what `{node.name}` masks",
            (*first, *second),
        )


def _certain(message: str, edits: tuple[Edit, ...]) -> Fix:
    return Fix(message, edits, Applicability.MACHINE) if edits else Fix(message)


def _ends_mask(context: Context, output: Output) -> bool:
    """Whether an `unmask` precedes an output."""
    by_name: dict[str, Node] = {node.name: node for node in context.graph.nodes}
    waiting, seen = [output.value.node], set()
    while waiting:
        node = by_name.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        if node.layer.ends_mask:
            return True
        seen.add(node.name)
        waiting += [value.node for value in node.inputs]
    return False
