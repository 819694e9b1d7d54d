"""The plan of one fold, and that of the model which is deployed."""

from __future__ import annotations

from dataclasses import replace

from nnspec.data.section.plan import DataPlan
from nnspec.data.section.split_plan import Part


def fold_of(plan: DataPlan, fold: int) -> DataPlan:
    """The plan with the splits of a fold, from 0: training, validation if the spec asks for it, and test."""
    split = plan.split
    assert split.folds is not None
    tested = 1.0 / (split.folds + 1 if split.is_chronological else split.folds)
    kept = tuple(replace(part, fraction=(part.fraction or 0.0) * (1.0 - tested)) for part in split.parts)
    span = split.spans.get("folds", split.span)
    return replace(plan, split=replace(split, fold=fold, parts=(*kept, Part("test", tested, None, span))))


def final_of(plan: DataPlan) -> DataPlan:
    """The plan of the deployed model: all rows, or what the last fold trains on."""
    split = plan.split
    return fold_of(plan, split.folds - 1) if split.folds is not None and split.final == "last" else plan
