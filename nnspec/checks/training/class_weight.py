"""Checks that `class_weight` names outputs and labels that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Span, did_you_mean, quoted
from nnspec.diagnostics.lists import enumerated
from nnspec.document import Mapping as MappingNode
from nnspec.document import to_plain
from nnspec.ir.graph import Output
from nnspec.training.class_weight_plan import WEIGHED_TASKS, by_output, is_by_output, unknown_labels

_PATH = ("training", "class_weight")


def check_class_weight(context: Context) -> Iterator[Diagnostic]:
    """NN208 where no output has classes, NN535 where names are none of outputs or labels."""
    node = context.node(*_PATH)
    value = to_plain(node) if node is not None else None
    if value is None:
        return
    graph = context.graph
    named = [name for name, output in graph.outputs.items() if output.task in WEIGHED_TASKS]
    if not named:
        yield _no_classes(context)
        return
    is_split = isinstance(value, dict) and is_by_output(value)
    if isinstance(value, dict) and not is_split and len(named) > 1:
        message = f"`class_weight` gives weights by label, but {len(named)} outputs have classes: {quoted(named)}"
        fix = Fix(f"name the output: `class_weight: {{{named[0]}: {{…}}}}`")
        yield Diagnostic("NN535", message, context.span(*_PATH), path=".".join(_PATH), fixes=(fix,))
        return
    for name, wanted in by_output(graph, value).items():
        if name not in named:
            message = f"`class_weight` names `{name}`, which is not an output with classes{did_you_mean(name, named)}"
            notes = (f"outputs with classes: {quoted(named)}",)
            yield Diagnostic("NN535", message, _span(context, name), path=".".join(_PATH), notes=notes)
            continue
        labels = _labels(context, graph.outputs[name])
        unknown = unknown_labels(wanted, labels) if labels else []
        for label in unknown:
            where = _span(context, name, label) if is_split else _span(context, label)
            guess = did_you_mean(label, [str(each) for each in labels or ()])
            message = f"`class_weight` names `{label}`, which is not a label of output `{name}`{guess}"
            notes = (f"its labels: {enumerated(labels or ())}",)
            yield Diagnostic("NN535", message, where, path=".".join(_PATH), notes=notes)


def _labels(context: Context, output: Output) -> Sequence[object] | None:
    """Those that the spec lists, else those of its data; None where these must be loaded first."""
    if output.classes:
        return output.classes
    slot = context.plan.outputs.get(output.name) if context.plan is not None else None
    if context.plan is not None and slot is not None and slot.classes is None:
        from nnspec.data.checks.facts import PlanFacts
        from nnspec.data.checks.splits import slot_labels

        found = slot_labels(PlanFacts(context.plan), slot)
        if found:
            return sorted(set(found))
    return (0, 1) if output.task == "binary" and context.plan is None else None


def _span(context: Context, *keys: str) -> Span:
    node = context.node(*_PATH, *keys[:-1])
    if isinstance(node, MappingNode) and keys[-1] in node.entries:
        return node.key_span(keys[-1])
    return context.span(*_PATH)


def _no_classes(context: Context) -> Diagnostic:
    tasks = [output.task for output in context.graph.outputs.values()]
    return Diagnostic(
        "NN208",
        f"`class_weight` needs a classification or binary output, but "
        f"{'the output is' if len(tasks) == 1 else 'the outputs are'} "
        f"{quoted(dict.fromkeys(tasks))}",
        context.span(*_PATH),
        path=".".join(_PATH),
        fixes=(Fix("remove `class_weight`"),),
    )
