"""The number of units that the head of an output needs: of classes or values, without loading a file."""

from __future__ import annotations

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.named import require_array
from nnspec.data.checks.splits import slot_labels
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.diagnostics import SpecError
from nnspec.document import Mapping, Scalar, Sequence
from nnspec.ir.levels import DEFAULT


def class_count(name: str, output: Mapping, plan: DataPlan | None) -> tuple[int | None, str, str]:
    """The number; where it is not known, None, why not, and what to do.

    Args:
        output: what the spec says of the output.
        plan: None where the spec has no data.

    Raises:
        SpecError: where the data cannot be read, NN501 to NN560.
    """
    task = output.get("task")
    kind = task.value if isinstance(task, Scalar) else None
    if kind == "binary":
        return 1, "", ""
    if kind == "none":
        return None, f"output `{name}` has no targets", "set `units` to a number"
    if kind in ("regression", "quantiles"):
        return _value_count(name, output, plan, is_quantiles=kind == "quantiles")
    known = _declared_count(output)
    slot = plan.outputs.get(name) if plan is not None else None
    if known is None and plan is not None and slot is not None:
        if kind == "multilabel":
            known = len(slot.columns) or None
        elif slot.classes is not None and slot.classes.kind != "labels":
            known = slot.classes.count
        else:
            files = PlanFacts(plan)
            known = len(set(slot_labels(files, slot) or ())) or None
            if known is None and files.diagnostics:
                raise SpecError(files.diagnostics)
    if known is not None:
        return known, "", ""
    say = f"list them under `outputs`: `{name}: {{task: {kind}, classes: [a, b, c]}}`, or set `units` to a number"
    if plan is None:
        return None, f"output `{name}` lists no `classes` and the spec has no data to count them in", say
    if slot is None:
        return None, f"output `{name}` lists no `classes` and `data` has no entry for it", say
    return (
        None,
        f"output `{name}` lists no `classes` and its data must be loaded before they can be counted",
        say,
    )


def _value_count(
    name: str, output: Mapping, plan: DataPlan | None, *, is_quantiles: bool
) -> tuple[int | None, str, str]:
    """The values, or levels of them, of each column, and of each step of a horizon that is a list."""
    levels = output.get("levels")
    count = 1
    if is_quantiles:
        count = len(levels.items) if isinstance(levels, Sequence) else len(DEFAULT)
    slot = plan.outputs.get(name) if plan is not None else None
    if plan is not None and slot is not None and not slot.columns:
        values = _values_of_array(plan, slot)
        if values is not None:
            return count * values, "", ""
    if plan is None or slot is None or not slot.columns:
        each = f", of which each takes {count} units" if is_quantiles else ""
        return None, f"the data does not say how many values output `{name}` has{each}", "set `units` to a number"
    steps = len(plan.window.horizon) if plan.window is not None and plan.window.has_steps and slot.is_windowed else 1
    return count * len(slot.columns) * steps, "", ""


def _values_of_array(plan: DataPlan, slot: SlotPlan) -> int | None:
    """How many values a row of an array has; None where that is not all that its axes may mean."""
    found = require_array(plan, slot)
    if slot.lengths or slot.axes or slot.is_windowed or not 1 <= len(found.shape) <= 2:
        return None
    return 1 if len(found.shape) == 1 else found.shape[1]


def _declared_count(output: Mapping) -> int | None:
    """The classes that the output names, or how many it says there are."""
    classes = output.get("classes")
    if isinstance(classes, Sequence):
        return len(classes.items)
    return int(classes.value) if isinstance(classes, Scalar) and isinstance(classes.value, int | float) else None
