"""Writes `report.html`: gathers what is to be shown, and fills the template."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.data.arrays.gathered import is_gathered
from nnspec.data.arrays.mapped import LARGE
from nnspec.data.arrays.summary import summarize
from nnspec.data.dataset import Dataset
from nnspec.ir.axes import describe
from nnspec.ir.graph import Graph
from nnspec.report.network import show_network
from nnspec.report.outcome import Outcome
from nnspec.report.plots import Plot, curves, plots_of
from nnspec.report.rendering import render

_WORST = 10
_MOST_CLASSES = 24
_MOST_GIVEN = 8
Metrics = Mapping[str, Mapping[str, Mapping[str, Any]]]  # `{split: {output: {metric: value}}}`


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its caption, its head, and its rows, whose first cell names them.

    Attributes:
        exact: the whole numbers behind cells that show rounded ones, by row and column.
        shares: of a confusion matrix, how dark each cell is: from 0 to 1.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    exact: Mapping[tuple[int, int], float] = field(default_factory=dict)
    shares: Mapping[tuple[int, int], float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a build knows when its report is written."""

    graph: Graph
    description: str
    dataset: Dataset
    outcomes: Sequence[Outcome]
    is_in_order: bool
    metrics: Metrics
    history: Sequence[dict[str, float]]
    best_epoch: int
    verification: Mapping[str, object]
    versions: Mapping[str, str]
    hashes: Mapping[str, str]


def write_report(path: Path, results: Results) -> None:
    """Writes the page; without matplotlib, one without plots that says how to have them."""
    from nnspec.diagnostics.extras import install_command, is_installed

    has_plots = is_installed("plots")
    text = render(
        "report.html.j2",
        results=results,
        shown=show_network(results.graph),
        how_to_lay_out=install_command("plots"),
        metrics=metric_tables(results.metrics),
        curves=curves(results.history, results.best_epoch) if has_plots else [],
        plots=_plots(results) if has_plots else {},
        how_to_draw="" if has_plots else install_command("plots"),
        tables={outcome.name: _tables(outcome) for outcome in results.outcomes},
        data=data_tables(results.dataset),
        rounded=rounded,
        described=describe,
    )
    path.write_text(text, encoding="utf-8")


def _plots(results: Results) -> dict[str, list[Plot]]:
    return {outcome.name: plots_of(outcome, results.is_in_order) for outcome in results.outcomes}


def rounded(value: object) -> str:
    """A number with four significant digits; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return str(value)
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    return "not a number" if math.isnan(float(value)) else f"{float(value):.4g}"


def metric_tables(metrics: Metrics) -> list[Table]:
    """A table an output: its metrics on every split, beside those of the baseline."""
    splits = list(metrics)
    return [_metric_table(name, splits, metrics) for name in (metrics[splits[0]] if splits else {})]


def _metric_table(name: str, splits: list[str], metrics: Metrics) -> Table:
    first = metrics[splits[0]][name]
    baseline = first.get("baseline") or {}
    keys = [key for key, value in first.items() if isinstance(value, int | float)]
    rows: list[tuple[str, ...]] = []
    exact: dict[tuple[int, int], float] = {}
    for key in keys:
        cells = [key]
        for split in splits:
            value = metrics[split][name].get(key)
            exact[len(rows), len(cells)] = float("nan") if value is None else float(value)
            naive = (metrics[split][name].get("baseline") or {}).get(key)
            cells.append("" if value is None else rounded(value))
            if naive is not None:
                exact[len(rows), len(cells)] = float(naive)
            cells.append("" if naive is None else rounded(naive))
        rows.append(tuple(cells))
    head = ("metric", *(each for split in splits for each in (split, f"{split}, {baseline.get('name', 'baseline')}")))
    return Table(caption=f"Metrics of {name}", head=head, rows=tuple(rows), exact=exact)


def _tables(outcome: Outcome) -> list[Table]:
    return [*([confusion(outcome)] if outcome.is_class else []), worst(outcome)]


def confusion(outcome: Outcome) -> Table:
    """How often which class is taken for which; of many classes, those that are confused most."""
    truth, guess = outcome.truth.reshape(-1).astype(int), outcome.guess.reshape(-1).astype(int)
    count = len(outcome.classes)
    counts = np.zeros((count, count), int)
    np.add.at(counts, (truth, guess), 1)
    if count > _MOST_CLASSES:
        wrong = counts * (1 - np.eye(count, dtype=int))
        order = [i for i in np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CLASSES] if wrong.flat[i]]
        pairs = tuple(
            (outcome.classes[i // count], outcome.classes[i % count], str(wrong.flat[i])) for i in map(int, order)
        )
        return Table(caption="Classes that are confused most", head=("true", "said", "samples"), rows=pairs)
    rows = tuple((name, *map(str, counts[i])) for i, name in enumerate(outcome.classes))
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return Table(
        caption="Confusion matrix: a row a true class, a column a class that the model says",
        head=("true class", *outcome.classes),
        rows=rows,
        shares={(i, j + 1): float(shares[i, j]) for i in range(count) for j in range(count)},
    )


def worst(outcome: Outcome) -> Table:
    """The samples that the model is most wrong about."""
    order = np.argsort(-np.nan_to_num(outcome.errors), kind="stable")[:_WORST]
    names = list(outcome.given)[:_MOST_GIVEN]
    rows = []
    for i in map(int, order):
        truth, guess = (_said(outcome, values[i]) for values in (outcome.truth, outcome.guess))
        rows.append(
            (
                f"row {outcome.rows[i]}",
                truth,
                guess,
                f"{outcome.errors[i]:.4g}",
                *(rounded(outcome.given[n][i]) for n in names),
            )
        )
    error = "1 less the true class' probability" if outcome.is_class else "absolute error"
    return Table(
        caption=f"The {len(rows)} samples of the {outcome.split} rows that the model is most wrong about",
        head=("sample", f"true {outcome.name}", "predicted", error, *names),
        rows=tuple(rows),
    )


def _said(outcome: Outcome, values: np.ndarray) -> str:
    shown = [outcome.classes[int(v)] if outcome.is_class else f"{v:.4g}" for v in values[:6]]
    return ", ".join(shown) + (" …" if len(values) > 6 else "")


def data_tables(dataset: Dataset) -> list[Table]:
    """Samples a split, and the range of every input's values in each."""
    rows = tuple(
        (name, f"{split.size:,}", str(dataset.left_out.get(name, 0))) for name, split in dataset.splits.items()
    )
    tables = [Table(caption="Samples", head=("split", "samples", "left out for missing values"), rows=rows)]
    ranges = []
    for name in next(iter(dataset.splits.values())).x:
        for split_name, split in dataset.splits.items():
            values = split.raw.get(name, split.x[name])
            if values.dtype.kind in "biuf" and values.size:
                if is_gathered(values) or values.nbytes > LARGE:
                    summary = summarize(values)
                    measured = [summary.low, summary.mean, summary.deviation, summary.high]
                else:
                    wide = values.astype(np.float64)
                    measured = [float(measure(wide)) for measure in (np.nanmin, np.nanmean, np.nanstd, np.nanmax)]
                statistics = [f"{figure:.4g}" for figure in measured]
                ranges.append((name, split_name, " × ".join(map(str, values.shape[1:])) or "1", *statistics))
    if ranges:
        head = ("input", "split", "values a sample", "least", "mean", "deviation", "greatest")
        tables.append(Table(caption="Values of the inputs, as they are in the data", head=head, rows=tuple(ranges)))
    return tables
