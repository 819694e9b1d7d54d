"""Checks ranges and conditions of a search: each must hold values, and each condition must be one that can hold."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic, Fix, did_you_mean, quoted
from nnspec.expansion.resolved import flow
from nnspec.search.plan import SearchPlan
from nnspec.search.space import Parameter, is_below, value_key

_EXAMPLE = "write a list, as in `[8, 16]`, or a range, as in `{from: 1.0e-4, to: 0.1, scale: log}`"


def check_ranges(plan: SearchPlan) -> Iterator[Diagnostic]:
    """NN597: parameters without values, ranges that are empty or that their scale or step does not allow."""
    for parameter in plan.declared:
        found = _fault_of_choices(parameter) if parameter.choices is not None else _fault_of_range(parameter)
        if found is not None:
            key, message, fix = found
            path = f"search.space.{parameter.path}"
            yield Diagnostic("NN597", message, parameter.span_of(key), path=path, fixes=(Fix(fix),))


def _fault_of_choices(parameter: Parameter) -> tuple[str, str, str] | None:
    if parameter.range is not None or {"from", "to", "step", "scale"} & parameter.spans.keys():
        return "choices", f"`{parameter.path}` has both `choices` and a range", "keep one of them"
    seen: dict[str, int] = {}
    for i, value in enumerate(parameter.choices or ()):
        if seen.setdefault(value_key(value), i) != i:
            return f"choices[{i}]", f"the choice `{flow(value)}` of `{parameter.path}` is listed twice", "remove one"
    return None


def _fault_of_range(parameter: Parameter) -> tuple[str, str, str] | None:
    path, numbers = parameter.path, parameter.range
    if numbers is None:
        missing = next((key for key in ("from", "to") if key not in parameter.spans), "from")
        if not {"from", "to"} & parameter.spans.keys():
            return "", f"`{path}` has no values to choose from", _EXAMPLE
        return "", f"the range of `{path}` has no `{missing}`", f"add `{missing}`"
    low, high, step = numbers.low, numbers.high, numbers.step
    if low >= high:
        said = f"the range of `{path}` begins at {low:g}, which is not below its end, {high:g}"
        return "from", said, "swap them" if low > high else "set the value in the spec instead"
    if numbers.is_log and low <= 0:
        return (
            "from",
            f"the logarithmic range of `{path}` begins at {low:g}, but logarithms need more than 0",
            ("start it above 0, or use `scale: linear`"),
        )
    if numbers.is_log and step is not None and not (numbers.is_whole and step == 1):
        return (
            "step",
            f"the range of `{path}` is logarithmic and has a `step`, which cannot be combined",
            ("remove `step` or `scale: log`, or list the values"),
        )
    if step is not None and step > high - low:
        return (
            "step",
            f"the step {step:g} of `{path}` is longer than its range, from {low:g} to {high:g}",
            ("choose a shorter step"),
        )
    return None


def check_conditions(plan: SearchPlan) -> Iterator[Diagnostic]:
    """NN598: conditions that never hold, and paths inside of others that are set whatever those are."""
    by_path = {parameter.path: parameter for parameter in plan.declared}
    set_at_all = {parameter.path for parameter in plan.space}
    for parameter in plan.declared:
        found = list(_faults_of_conditions(parameter, by_path))
        if not found and parameter.path not in set_at_all:
            found = [f"the conditions of `{parameter.path}` depend on each other in a cycle, so no trial can set it"]
        if not found:
            found = list(_faults_of_overlaps(parameter, by_path))
        for message in found:
            yield Diagnostic(
                "NN598",
                message,
                parameter.span_of("when") if parameter.when else parameter.key_span,
                path=f"search.space.{parameter.path}",
                fixes=(Fix("name other paths of the space, each with one of its choices: `when: {vars.cell: lstm}`"),),
            )


def _faults_of_conditions(parameter: Parameter, by_path: dict[str, Parameter]) -> Iterator[str]:
    for path, values in parameter.when.items():
        other = by_path.get(path)
        if other is None:
            known = [name for name in by_path if name != parameter.path]
            yield f"`{parameter.path}` depends on `{path}`, which the space does not have{did_you_mean(path, known)}"
        elif other.choices is None:
            yield f"`{parameter.path}` depends on `{path}`, which has a range: conditions need choices"
        else:
            choices = {value_key(choice) for choice in other.choices}
            strange = [flow(value) for value in values if value_key(value) not in choices]
            if strange:
                listed = quoted([flow(choice) for choice in other.choices])
                yield f"`{parameter.path}` depends on `{path}` being {quoted(strange)}, but its choices are {listed}"


def _faults_of_overlaps(parameter: Parameter, by_path: dict[str, Parameter]) -> Iterator[str]:
    for path in by_path:
        if is_below(parameter.path, path) and path not in parameter.when:
            yield (
                f"`{parameter.path}` is inside `{path}`, which the space replaces as a whole: add `when` with the "
                "choices that it belongs to"
            )
