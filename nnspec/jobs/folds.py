"""Cross-validation: trains and evaluates a model for each fold, before the one that is deployed.

Each fold loads the data by its own plan, so that whatever is fitted to rows is fitted to its training rows alone. A
fold that is finished is not trained again when an interrupted build goes on.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

from nnspec.data.section.fold_plan import final_of, fold_of
from nnspec.document.types import JsonObject
from nnspec.jobs import artifact
from nnspec.pipeline import Checked
from nnspec.progress import Progress

FOLDER, FILE = "folds", "folds.json"
_NOT_METRICS = ("samples", "targets", "threshold", "support")
_NOT_NESTED = ("by_series", "by_group")  # other series are in other folds


def final_model(checked: Checked) -> Checked:
    """The spec as the deployed model is trained: with the splits that `final` names."""
    return checked if checked.data is None else replace(checked, data=final_of(checked.data))


def folds_of(checked: Checked) -> list[Checked]:
    """The spec with the splits of each fold; empty where rows are divided once."""
    if checked.data is None or checked.data.split.folds is None:
        return []
    return [replace(checked, data=fold_of(checked.data, fold)) for fold in range(checked.data.split.folds)]


def run_folds(
    checked: Checked, folder: Path, progress: Progress, train_fold: Callable[[Checked, Path], None], *, resume: bool
) -> JsonObject:
    """Trains and evaluates every fold; writes folds.json.

    Args:
        train_fold: leaves metrics.json in the folder that it is given.

    Returns:
        `{"folds": {output: metrics}}`, the means over the test rows of the folds, with `deviation` and the baseline's;
        empty where there are no folds.
    """
    folds = folds_of(checked)
    found: list[Mapping[str, JsonObject]] = []
    for number, fold in enumerate(folds, 1):
        own = folder / FOLDER / str(number)
        metrics = own / "metrics.json"
        if not (resume and metrics.is_file() and not (own / "checkpoint").exists()):
            own.mkdir(parents=True, exist_ok=True)
            progress.say(f"fold {number} of {len(folds)}")
            train_fold(fold, own)
            shutil.rmtree(own / "checkpoint", ignore_errors=True)  # without one, a fold is finished
            (own / "model.keras").unlink(missing_ok=True)  # the final model is the one that is deployed
        found.append(json.loads(metrics.read_text(encoding="utf-8"))["test"])
    if not found:
        return {}
    means = {output: mean_of([fold[output] for fold in found]) for output in found[0]}
    artifact.write_json(folder / FILE, {"folds": found, "mean": means})
    progress.say(describe_folds(means))
    return {"folds": means}


def nested_means(folds: Sequence[Mapping[str, object]]) -> JsonObject:
    """The same of metrics by class, step, column or share: of what every fold has, each with its deviation."""
    found: JsonObject = {}
    for name in folds[0]:
        tables = [table for fold in folds if isinstance(table := fold.get(name), Mapping)]
        if name in _NOT_NESTED or len(tables) < len(folds):
            continue
        means, deviations = _statistics(tables)
        own = {**means, **({"deviation": deviations} if deviations else {}), **nested_means(tables)}
        if own:
            found[name] = own
    return found


def mean_of(folds: Sequence[JsonObject]) -> JsonObject:
    """The mean of every metric over the folds, with its deviation, and those of the baseline.

    The deviation is that of a sample (n - 1). Samples are the sum; metrics that a fold lacks are left out. Those by
    class, step or column have their own.
    """
    means, deviations = _statistics(folds)
    naive, spread = _statistics([fold.get("baseline") or {} for fold in folds])
    name = (folds[0].get("baseline") or {}).get("name")
    samples = sum(int(fold["samples"]) for fold in folds)
    return {
        "samples": samples,
        **means,
        "deviation": deviations,
        **nested_means([{name: part for name, part in fold.items() if name != "baseline"} for fold in folds]),
        "baseline": {"name": name, **naive, "deviation": spread} if name is not None else None,
    }


def _statistics(folds: Sequence[Mapping[str, object]]) -> tuple[dict[str, float], dict[str, float]]:
    means, deviations = dict[str, float](), dict[str, float]()
    for name in folds[0]:
        values = [fold.get(name) for fold in folds]
        numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if name not in _NOT_METRICS and len(numbers) == len(folds) and all(map(math.isfinite, numbers)):
            means[name], deviations[name] = fmean(numbers), stdev(numbers)
    return means, deviations


def describe_folds(means: Mapping[str, JsonObject]) -> str:
    """A table: every metric's mean and deviation beside the baseline's."""
    rows = [("output", "metric", "mean of folds", "baseline")]
    for output, metrics in means.items():
        naive = metrics["baseline"] or {}
        for name, deviation in metrics["deviation"].items():
            beside = f"{naive[name]:.4g} ± {naive['deviation'][name]:.2g} ({naive['name']})" if name in naive else ""
            rows.append((output, name, f"{metrics[name]:.4g} ± {deviation:.2g}", beside))
        for share, deviation in metrics.get("coverage", {}).get("deviation", {}).items():
            value = metrics["coverage"][share]
            rows.append((output, f"coverage of {float(share):.0%}", f"{value:.4g} ± {deviation:.2g}", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
