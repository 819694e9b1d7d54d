"""Chooses the points of a generation with Optuna: a function of the plan, the generation and the results before it.

Nothing else decides: neither how many workers there are, nor which of them is ready first, nor whether the search was
interrupted. So a search that goes on chooses what it would have chosen.
"""

from __future__ import annotations

import hashlib
import json
import random
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from nnspec.document.types import Plain
from nnspec.search.plan import SearchPlan
from nnspec.search.space import Parameter, Point, all_points, count_points, value_key
from nnspec.search.trials import COMPLETE, PRUNED, Finished

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

MOST_REPEATS = 64  # draws in a row that give a point which is known


def choose_points(plan: SearchPlan, generation: int, finished: Sequence[Finished]) -> list[Point]:
    """The points of a generation, none of which was tried before; fewer than it has room for where no others are left.

    Args:
        finished: all trials of the generations before, by number.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    known = {_key(trial.point) for trial in finished}
    seed = _seed(plan.seed, generation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls its sampler for several parameters at once experimental
        study = optuna.create_study(direction=direction(plan), sampler=_sampler(plan, seed))
        study.add_trials([to_frozen_trial(plan, trial, is_told=False) for trial in finished])
        points = list(_draw_points(plan, study, known))
    if len(points) < plan.generation and count_points(plan.space) is not None:
        left = [point for point in all_points(plan.space) if _key(point) not in known]
        random.Random(seed).shuffle(left)
        points += left[: plan.generation - len(points)]
    return points


def _draw_points(plan: SearchPlan, study: Study, known: set[str]) -> Iterable[Point]:
    """Points that are not known yet, which they are then."""
    found = repeats = 0
    while found < plan.generation and repeats < MOST_REPEATS:
        point = _suggested(plan.space, study.ask())
        if _key(point) in known:
            repeats += 1
            continue
        known.add(_key(point))
        found, repeats = found + 1, 0
        yield point


def _suggested(space: Sequence[Parameter], trial: Trial) -> Point:
    point: Point = {}
    for parameter in space:
        if not parameter.is_set_by(point):
            continue
        value = trial._suggest(parameter.path, distribution(parameter))
        if parameter.choices is not None:
            point[parameter.path] = parameter.choices[labels(parameter).index(value)]
        else:
            assert parameter.range is not None
            point[parameter.path] = parameter.range.rounded(value)
    return point


def _sampler(plan: SearchPlan, seed: int) -> BaseSampler:
    from optuna.samplers import RandomSampler, TPESampler

    if plan.sampler == "random":
        return RandomSampler(seed=seed)
    has_conditions = any(parameter.when for parameter in plan.space)
    return TPESampler(seed=seed, multivariate=True, group=has_conditions, constant_liar=True)


def distribution(parameter: Parameter) -> BaseDistribution:
    """A parameter as Optuna has it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    numbers = parameter.range
    if numbers is None:
        return CategoricalDistribution(labels(parameter))
    low, high, step = numbers.low, numbers.high, numbers.step
    if step is not None:  # Optuna warns of a range that its last step does not reach
        high = low + int((high - low) / step + 1e-9) * step
    if numbers.is_whole:
        return IntDistribution(int(low), int(high), log=numbers.is_log, step=int(step or 1))
    return FloatDistribution(float(low), float(high), log=numbers.is_log, step=None if step is None else float(step))


def labels(parameter: Parameter) -> tuple[bool | int | float | str | None, ...]:
    """What Optuna calls the choices: themselves where it can tell them apart, else their texts."""
    choices = parameter.choices or ()
    plain = [choice for choice in choices if choice is None or isinstance(choice, bool | int | float | str)]
    if len(plain) == len(choices) and len(set(plain)) == len(choices):
        return tuple(plain)
    return tuple(value_key(choice) for choice in choices)


def to_frozen_trial(plan: SearchPlan, trial: Finished, *, is_told: bool) -> FrozenTrial:
    """A trial as Optuna has it.

    Args:
        is_told: with its real state, for the journal. Else a trial without a value is one that was pruned at once: to
            the sampler it is the worst, rather than nothing.
    """
    from optuna.trial import TrialState, create_trial

    outcome = trial.outcome
    space = {parameter.path: parameter for parameter in plan.space if parameter.path in trial.point}
    parameters: dict[str, object] = {}
    for path, parameter in space.items():
        value: Plain = trial.point[path]  # type: ignore[assignment]
        if parameter.choices is not None:
            texts = [value_key(choice) for choice in parameter.choices]
            parameters[path] = labels(parameter)[texts.index(value_key(value))]
        else:
            parameters[path] = value
    without_value = TrialState.FAIL if is_told else TrialState.PRUNED
    state = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED}.get(outcome.state, without_value)
    return create_trial(
        state=state,
        value=outcome.value if state == TrialState.COMPLETE else None,
        params=parameters,
        distributions={path: distribution(parameter) for path, parameter in space.items()},
        intermediate_values=dict(enumerate(outcome.epochs, 1)),
        user_attrs={"outcome": outcome.to_json(), "point": json.dumps(dict(trial.point))} if is_told else {},
    )


def direction(plan: SearchPlan) -> Literal["minimize", "maximize"]:
    """As Optuna has it."""
    return "maximize" if plan.is_maximized else "minimize"


def _seed(seed: int, generation: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{generation}".encode()).digest()[:4], "big")


def _key(point: Mapping[str, object]) -> str:
    return value_key(dict(point))  # type: ignore[arg-type]
