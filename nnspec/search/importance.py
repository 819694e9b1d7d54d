"""Which parameters the differences between trials come from: functional ANOVA, by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from nnspec.search.plan import SearchPlan
from nnspec.search.sampling import direction, to_frozen_trial
from nnspec.search.trials import COMPLETE, Finished

LEAST = 4  # complete trials


def importances_of(plan: SearchPlan, trials: Sequence[Finished]) -> dict[str, float]:
    """By path, the share of the goal's variance that it explains; conditional ones are left out.

    Empty where the complete trials are too few, or do not differ.
    """
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    complete = [trial for trial in trials if trial.outcome.state == COMPLETE]
    everywhere = [p.path for p in plan.space if all(p.path in trial.point for trial in complete)]
    varying = [path for path in everywhere if len({repr(trial.point[path]) for trial in complete}) > 1]
    if len(complete) < LEAST or not varying or len({trial.outcome.value for trial in complete}) == 1:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(direction=direction(plan))
        study.add_trials([to_frozen_trial(plan, trial, is_told=False) for trial in complete])
        found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0), params=varying)
    return {path: float(found[path]) for path in varying}
