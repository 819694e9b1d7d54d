"""Checks that training rows have every class that is listed and weighed: the weight of another does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.checks.data.seen_classes import labels_of_splits
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.splits import slot_labels
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Diagnostic, Fix, Severity, quoted
from nnspec.document import to_plain
from nnspec.ir.graph import Output
from nnspec.training.class_weight_plan import by_output

_PATH = ("training", "class_weight")


def check_weighed(context: Context, files: PlanFacts, output: Output) -> Iterator[Diagnostic]:
    """NN638 for classes that `class_weight` weighs, by number or balanced, and that no training row has."""
    node, slot = context.node(*_PATH), files.plan.outputs.get(output.name)
    if node is None or slot is None:
        return
    wanted = by_output(context.graph, to_plain(node)).get(output.name)
    listed = slot.classes.labels if slot.classes is not None and slot.classes.kind == "list" else output.classes
    if not wanted or not listed:
        return  # classes that are not listed are those of the training rows
    where, seen = (
        "no training row",
        {label for label in labels_of_splits(files.plan, files, slot).get("train", ()) if label},
    )
    if not seen:
        where, seen = "no row", set(slot_labels(files, slot) or ())
    names = {label_key(label): str(label) for label in listed}
    if not seen <= set(names):  # numbers of the classes that the output names
        names = {str(number): str(label) for number, label in enumerate(listed)}
    if not seen or not seen <= set(names):
        return
    absent = [name for key, name in names.items() if key not in seen and (isinstance(wanted, str) or name in wanted)]
    if not absent:
        return
    shown = f"label{'s' * (len(absent) > 1)} {quoted(absent)} of output `{output.name}`"
    if isinstance(wanted, str):
        message = (
            f"`class_weight: balanced` has no weight for {shown}: {where} has {'it' if len(absent) == 1 else 'them'}"
        )
    else:
        message = f"`class_weight` weighs {shown}, which {where} has"
    yield Diagnostic(
        "NN638",
        message,
        context.span(*_PATH),
        path=".".join(_PATH),
        notes=("the network has a unit for such a class, and learns that it never occurs",),
        fixes=(Fix("add training rows of the class, or remove it from `classes` and `class_weight`"),),
        severity=Severity.WARNING,
    )
