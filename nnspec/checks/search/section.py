"""Checks the section `search`: its goal, its ranges and conditions, and that the spec takes its values.

Every value is tried by itself, with those that its conditions ask for, in the phases that see no axes: what they refuse
is refused whatever the other values are. Whole points are checked by `nnspec search`, before they cost anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.search.goal import check_goal
from nnspec.checks.search.space import check_conditions, check_ranges
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Fix, Report, SpecError, did_you_mean
from nnspec.document import Mapping
from nnspec.document.types import Plain
from nnspec.expansion.aliases import with_kinds, with_kinds_in_path
from nnspec.expansion.expand import expand
from nnspec.expansion.overrides import apply_overrides, names_variable, path_steps
from nnspec.expansion.resolved import flow
from nnspec.ir.graph import Graph
from nnspec.search.plan import SearchPlan, read_search
from nnspec.search.space import Parameter, Point
from nnspec.validation.validate import validate_document, validate_expanded

MOST_TRIED = 64  # choices of one parameter
_NO_SUCH_KEY = ("NN112", "NN201")


def check_search(root: Mapping, graph: Graph, data: DataPlan | None) -> Iterator[Diagnostic]:
    """NN594 to NN598.

    Args:
        root: the document as written.
    """
    section = root.get("search")
    if not isinstance(section, Mapping):
        return
    plan = read_search(section)
    yield from check_goal(plan, graph, data)
    found = [*check_ranges(plan), *check_conditions(plan)]
    yield from found
    faulty = {diagnostic.path for diagnostic in found}
    for parameter in plan.space:
        if where(parameter) not in faulty:
            yield from _check_values(root, plan, parameter)


def where(parameter: Parameter) -> str:
    return f"search.space.{parameter.path}"


def _check_values(root: Mapping, plan: SearchPlan, parameter: Parameter) -> Iterator[Diagnostic]:
    """NN595 where the path leads to nothing, NN596 where the spec does not take a value there."""
    steps = path_steps(parameter.path)
    if not steps or steps[0] == "search":
        yield _no_such_path(parameter, f"`{parameter.path}` is not a path of the spec; paths look like `vars.units`")
        return
    declared = root.get("vars")
    if steps[0] == "vars" and len(steps) == 2 and not names_variable(root, str(steps[1])):
        known = declared.entries if isinstance(declared, Mapping) else {}
        yield _no_such_path(parameter, f"the spec has no variable `{steps[1]}`{did_you_mean(str(steps[1]), known)}")
        return
    tried = list(_values(parameter))
    base = _conditions_of(plan, parameter)
    faults = [_first_error(root, {**base, parameter.path: value}) for _, value in tried]
    wrong = [fault for fault in faults if fault is not None]
    if len(wrong) == len(tried) and all(fault.code in _NO_SUCH_KEY for fault in wrong):
        yield _no_such_path(parameter, f"`{parameter.path}` does not exist in this spec: {wrong[0].message}")
        return
    for (key, value), fault in zip(tried, faults, strict=True):
        if fault is not None:
            yield Diagnostic(
                "NN596",
                f"`{flow(value)}` is not valid at `{parameter.path}`: {fault.message}",
                parameter.span_of(key),
                path=where(parameter),
                notes=(f"`nnspec check` with this value reports {fault.code}", *fault.notes[:2]),
                fixes=(Fix("remove the value, or correct it"),),
            )


def _no_such_path(parameter: Parameter, message: str) -> Diagnostic:
    return Diagnostic(
        "NN595",
        message,
        parameter.key_span,
        path=where(parameter),
        fixes=(
            Fix("name a value as `--set` does, such as `vars.units`, `training.batch_size` or `model[2].Dense.units`"),
        ),
    )


def _values(parameter: Parameter) -> Iterator[tuple[str, Plain]]:
    """Values to try, each with the key of its span: all choices, or both ends of a range."""
    if parameter.choices is not None:
        yield from ((f"choices[{i}]", value) for i, value in enumerate(parameter.choices[:MOST_TRIED]))
    elif parameter.range is not None:
        yield from (("from", parameter.range.low), ("to", parameter.range.high))


def _conditions_of(plan: SearchPlan, parameter: Parameter) -> Point:
    """A point with values that make a parameter one that a trial sets: the first of each condition, and so on up."""
    needed = {parameter.path}
    for other in reversed(plan.space):
        if other.path in needed:
            needed |= other.when.keys()
    point: Point = {}
    for other in plan.space:
        if other.path in needed - {parameter.path}:
            wanted = [p.when[other.path] for p in plan.space if p.path in needed and other.path in p.when]
            point[other.path] = wanted[-1][0]
    return point


def _first_error(root: Mapping, point: Point) -> Diagnostic | None:
    """What the phases before axes are inferred refuse of the spec with these values; None where they take it."""
    report = Report()
    try:
        changed = with_kinds(apply_overrides(root, {with_kinds_in_path(path): flow(v) for path, v in point.items()}))
        assert isinstance(changed, Mapping)
        validate_document(changed, report)
        report.raise_errors()
        expanded = expand(changed, report)
        report.raise_errors()
        validate_expanded(changed, expanded, report)
        report.raise_errors()
    except SpecError as error:
        return next((diagnostic for diagnostic in error.diagnostics if diagnostic.is_error), None)
    return None
