"""The section `search` as a record. Standard library only: `nnspec check` reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nnspec.diagnostics import Span
from nnspec.document import Mapping, Node, Sequence, to_plain
from nnspec.document.types import Plain
from nnspec.lazy import dataclass
from nnspec.search.space import Parameter, Range, in_order, value_key

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DEFAULT_TRIALS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """The whole section.

    Attributes:
        goal: a metric of metrics.json as the spec has it, `split.output.metric`.
        trials: how many trainings at most; None: as many as there is time for.
        seconds: after how many no trial begins; None: there is no such limit.
        space: in the order in which a trial sets them.
        declared: as written, also those that no trial could set.
        generation: how many trials are chosen together.
    """

    goal: str
    is_maximized: bool
    trials: int | None
    seconds: float | None
    space: tuple[Parameter, ...]
    declared: tuple[Parameter, ...]
    is_pruned: bool
    warmup: int
    sampler: str
    generation: int
    seed: int
    span: Span
    goal_span: Span


def read_search(section: Mapping) -> SearchPlan:
    """The plan of a section that the schema accepts."""
    plain = to_plain(section)
    goal = section.entries["goal"]
    assert isinstance(goal, Mapping)
    direction, metric = next(iter(plain["goal"].items()))
    space = section.entries["space"]
    assert isinstance(space, Mapping)
    declared = tuple(_read_parameter(path, node, space.key_span(path)) for path, node in space.entries.items())
    declared = tuple(_with_choices_of(parameter, declared) for parameter in declared)
    time = plain.get("time")
    return SearchPlan(
        goal=metric,
        is_maximized=direction == "maximize",
        trials=plain.get("trials", None if time else DEFAULT_TRIALS),
        seconds=None if time is None else parse_duration(time),
        space=tuple(in_order(declared)),
        declared=declared,
        is_pruned=plain.get("pruning", "none") == "median",
        warmup=plain.get("warmup", 1),
        sampler=plain.get("sampler", "tpe"),
        generation=plain.get("generation", 4),
        seed=plain.get("seed", 0),
        span=section.span,
        goal_span=goal.entries[direction].span,
    )


def parse_duration(text: str) -> float:
    """`30m` as 1800."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text)
    assert found is not None
    return float(found[1]) * SECONDS[found[2]]


def _read_parameter(path: str, node: Node, key_span: Span) -> Parameter:
    if isinstance(node, Sequence):
        return Parameter(
            path=path, choices=tuple(to_plain(node)), span=node.span, key_span=key_span, spans=_items(node)
        )
    assert isinstance(node, Mapping)
    plain, spans = to_plain(node), {key: value.span for key, value in node.entries.items()}
    choices = node.get("choices")
    if isinstance(choices, Sequence):
        spans |= _items(choices)
    has_range = plain.get("from") is not None and plain.get("to") is not None
    return Parameter(
        path=path,
        choices=tuple(plain["choices"]) if choices is not None else None,
        range=Range(low=plain["from"], high=plain["to"], step=plain.get("step"), is_log=plain.get("scale") == "log")
        if has_range
        else None,
        when={key: (value,) for key, value in (plain.get("when") or {}).items()},
        span=node.span,
        key_span=key_span,
        spans=spans,
    )


def _items(node: Sequence) -> dict[str, Span]:
    return {f"choices[{i}]": item.span for i, item in enumerate(node.items)}


def _choices_meant(wanted: Plain, choices: tuple[Plain, ...]) -> Iterator[Plain]:
    """The choices that a condition means; what means none stays as it is."""
    if any(value_key(choice) == value_key(wanted) for choice in choices):
        yield wanted
    elif isinstance(wanted, list):
        for each in wanted:
            yield from _choices_meant(each, choices)
    else:
        named: list[Plain] = [choice for choice in choices if isinstance(choice, dict) and list(choice) == [wanted]]
        yield from named or [wanted]


def _with_choices_of(parameter: Parameter, declared: tuple[Parameter, ...]) -> Parameter:
    """The parameter with its conditions as choices of the others.

    A list that is no choice means any of its items, and a name, as of an optimizer, the choices that give it arguments.
    """
    if not parameter.when:
        return parameter
    by_path = {other.path: other for other in declared}
    when: dict[str, tuple[Plain, ...]] = {}
    for path, (wanted,) in parameter.when.items():
        when[path] = tuple(_choices_meant(wanted, (by_path[path].choices if path in by_path else None) or ()))
    return Parameter(
        path=parameter.path,
        choices=parameter.choices,
        range=parameter.range,
        when=when,
        span=parameter.span,
        key_span=parameter.key_span,
        spans=parameter.spans,
    )
