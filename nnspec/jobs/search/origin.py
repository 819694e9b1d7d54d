"""What a search is made of: one that is resumed goes on with the same spec, data and space."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.diagnostics import Fix, SpecError
from nnspec.jobs.resuming import AGAIN, find_origin
from nnspec.pipeline import Checked
from nnspec.search.plan import SearchPlan
from nnspec.search.space import value_key


def origin_of(checked: Checked, plan: SearchPlan) -> dict[str, object]:
    """What the search is made of, by name; its budget may be another when it is resumed."""
    space = "; ".join(
        f"{p.path}: {[*map(value_key, p.choices or ())]} {p.range} "
        f"{[(q, [*map(value_key, v)]) for q, v in p.when.items()]}"
        for p in plan.space
    )
    settings = [plan.goal, plan.is_maximized, plan.is_pruned, plan.warmup, plan.sampler, plan.generation, plan.seed]
    return {**find_origin(checked), "search space": space, "search settings": repr(settings)}


def refuse_other(before: Mapping[str, object], now: Mapping[str, object], plan: SearchPlan) -> None:
    """Compares what an interrupted search was made of with what this one is.

    Raises:
        SpecError: NN522 where they differ.
    """
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if changed:
        shown = ", ".join(changed[:5])
        message = f"the interrupted search had another {shown}, so it cannot be resumed with this one"
        raise SpecError.single("NN522", message, plan.span, fixes=[Fix(AGAIN)])
