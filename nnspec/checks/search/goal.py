"""Checks the goal of a search: a split, an output and a metric that a build writes, and its direction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Fix, Severity, did_you_mean, nearest, quoted
from nnspec.ir.graph import Graph
from nnspec.search.goals import is_of_a_part, known_metrics
from nnspec.search.plan import SearchPlan

_SPLITS = ("train", "validation", "test")


def check_goal(plan: SearchPlan, graph: Graph, data: DataPlan | None) -> Iterator[Diagnostic]:
    """NN594: an error where no build has such a metric, a warning where it would not choose what is meant."""
    splits = [part.name for part in data.split.parts] if data is not None else list(_SPLITS)
    if data is not None and data.split.folds is not None:
        splits.append("folds")  # the means over the folds
    split, _, rest = plan.goal.partition(".")
    output, _, metric = rest.partition(".")
    metrics = known_metrics(graph.outputs[output]) if output in graph.outputs else None
    if split not in splits:
        if split == "validation":
            message = f"the goal `{plan.goal}` needs a validation split, which the data does not have"
            yield _fault(plan, message, "add `validation` to `data.split`")
            return
        yield _fault(
            plan, f"the goal `{plan.goal}` names no split{_suggest_goal(plan.goal, splits, graph)}", _splits(splits)
        )
    elif output not in graph.outputs:
        outputs = quoted(graph.outputs)
        yield _fault(
            plan,
            f"the goal `{plan.goal}` names no output{_suggest_goal(plan.goal, splits, graph)}",
            f"outputs: {outputs}",
        )
    elif not metric or (metrics is not None and metric not in metrics and not is_of_a_part(metric)):
        close = did_you_mean(metric, metrics or {}) if metric else ""
        message = (
            f"output `{output}` has no metric `{metric}`{close}"
            if metric
            else f"the goal `{plan.goal}` names no metric"
        )
        yield _fault(plan, message, f"metrics: {quoted(metrics or {})}")
    else:
        yield from _warnings(plan, split, metric, metrics or {})


def _warnings(plan: SearchPlan, split: str, metric: str, metrics: Mapping[str, bool | None]) -> Iterator[Diagnostic]:
    if split == "test":
        yield _fault(
            plan,
            "the goal is a metric of the test split: it would be too good for the winner, which is chosen by it",
            "use `validation`, and keep `test` for the winner",
            Severity.WARNING,
        )
    if split == "train":
        yield _fault(
            plan,
            "the goal is a metric of the training split: the winner is the one that fits its own rows best",
            "use `validation`",
            Severity.WARNING,
        )
    is_higher_better = metrics.get(metric)
    if is_higher_better is not None and is_higher_better != plan.is_maximized:
        better, word = ("higher", "maximize") if is_higher_better else ("lower", "minimize")
        yield _fault(
            plan,
            f"this would find the worst `{metric}`: {better} is better",
            f"write `{word}: {plan.goal}`",
            Severity.WARNING,
        )


def _suggest_goal(goal: str, splits: list[str], graph: Graph) -> str:
    """A suggestion: a goal of this metric, or one that is spelled nearly so."""
    known = [f"{s}.{name}.{m}" for s in splits for name, o in graph.outputs.items() for m in known_metrics(o) or {}]
    order = sorted(known, key=lambda each: not each.startswith("validation."))
    ends = [each for each in order if each.endswith((f".{goal}", f".{goal.rpartition('.')[2]}"))]
    close = ends[:1] or nearest(goal, order)
    return f"; did you mean `{close[0]}`?" if close else ""


def _splits(splits: list[str]) -> str:
    return f"write `split.output.metric`, with one of the splits {quoted(splits)}"


def _fault(plan: SearchPlan, message: str, fix: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic("NN594", message, plan.goal_span, path="search.goal", fixes=(Fix(fix),), severity=severity)
