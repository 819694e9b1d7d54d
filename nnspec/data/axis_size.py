"""The size of an input's axis from its data, without loading a file: what `auto` stands for."""

from __future__ import annotations

from nnspec.data.checks.columns import features_of, words_of
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.named import find_column, require_array
from nnspec.data.prepare.fit import SEQUENCE_NAMES, FitError, file_axes, step_axis
from nnspec.data.section.feature_count import feature_names
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Diagnostic, SpecError

MOST_NAMED = 200  # features of one input
NUMBER = "write the number"


def axis_size(name: str, axis: str, axes: list[str], plan: DataPlan | None) -> tuple[int | None, str, str]:
    """The size; where it is not known, None, why not, and what to do.

    Args:
        axes: all axes of the input.
        plan: None where the spec has no data.

    Raises:
        SpecError: where the data cannot be read, NN501 to NN510.
    """
    slot = plan.inputs.get(name) if plan is not None else None
    if plan is None or slot is None:
        return None, f"`data.inputs` has no entry for `{name}`", f"add `data`, or {NUMBER}"
    steps = step_axis(tuple((each, None) for each in axes)) if plan.window is not None and slot.is_windowed else None
    if plan.window is not None and steps is not None and axis == steps:
        return len(plan.window.rows_of(slot)), "", ""
    if not slot.columns:
        return _of_array(plan, slot, axis, [each for each in axes if each != steps])
    if not slot.encodings:
        return len(slot.columns), "", ""
    files = PlanFacts(plan)
    if files.facts(slot.source) is None:
        raise SpecError(files.diagnostics)
    faults = [
        found
        for column in slot.encodings
        if isinstance(
            found := find_column(files, slot.source, column.name, column.span, slot.where("columns")), Diagnostic
        )
    ]
    if faults:
        raise SpecError(faults)
    features = features_of(plan, files, slot)
    if features is None:
        return None, f"the values of `{slot.source.shown}` cannot be read without loading", NUMBER
    return sum(count for _, count in features), "", ""


def _of_array(plan: DataPlan, slot: SlotPlan, axis: str, axes: list[str]) -> tuple[int | None, str, str]:
    """The size of an array's axis, by its name, or by its place where the data names none.

    Args:
        axes: those of the input that a row of the data has.
    """
    found = require_array(plan, slot)
    called = found.what or (f"array `{slot.array}`" if slot.array else f"`{slot.source.shown}`")
    try:
        layout = file_axes(slot, len(found.shape))
    except FitError as error:
        return None, str(error), NUMBER
    names = list(layout.names) if layout.names is not None else axes
    sizes: list[int | None] = [None] * len(slot.lengths)  # of sequences: each may be as long as it likes
    sizes += [size for place, size in enumerate(found.shape) if place != (layout.sample or 0)]
    if len(slot.lengths) == 1 and layout.names is not None:  # end to end, along any of the axes
        sizes = [
            None if each.lower() in SEQUENCE_NAMES else size for each, size in zip(names, found.shape, strict=True)
        ]
    if len(names) != len(sizes) or axis not in names:
        shape = " × ".join(map(str, found.shape))
        return None, f"{called} has shape {shape}, which does not say what the size of `{axis}` is", NUMBER
    size = sizes[names.index(axis)]
    if size is None:
        return None, f"samples of {called} have different lengths", f"leave the size open: `{axis}: null`"
    return size, "", ""


def named_features(plan: DataPlan | None) -> dict[str, list[str]]:
    """By input, what the features are called that its columns become; only inputs that say how they are encoded.

    A file that cannot be read names none, and an input of very many features is left out.
    """
    encoded = {name: slot for name, slot in (plan.inputs if plan is not None else {}).items() if slot.encodings}
    if plan is None or not encoded:
        return {}
    files = PlanFacts(plan)
    found: dict[str, list[str]] = {}
    for name, slot in encoded.items():
        try:
            features = features_of(plan, files, slot) if files.facts(slot.source) is not None else None
        except SourceError:  # which `check` reports
            continue
        if features is None or sum(count for _, count in features) > MOST_NAMED:
            continue
        found[name] = []
        for column, _ in features:
            rule = plan.missing_rule(column.name)
            words = words_of(files, slot, column) if column.has_places else None
            found[name] += feature_names(column, words, rule)
    return found
