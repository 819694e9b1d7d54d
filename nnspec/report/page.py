"""Writes `report.html`: gathers what is to be shown, and fills the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnspec.data.units import with_unit
from nnspec.document.types import JsonObject
from nnspec.ir.axes import describe
from nnspec.ir.graph import Graph
from nnspec.report.data_tables import data_tables, leakage_of
from nnspec.report.glimpses import Glimpses
from nnspec.report.network import show_network
from nnspec.report.outcome import Outcome
from nnspec.report.plots import curves, plots_of
from nnspec.report.plotting import Plot
from nnspec.report.rendering import render
from nnspec.report.tables import (
    Metrics,
    Table,
    confusion,
    fold_tables,
    format_number,
    metric_tables,
    part_tables,
)
from nnspec.report.worst import worst_samples
from nnspec.training.metrics.outcome import MetricValues
from nnspec.training.metrics.score import HEADLINE, IN_UNITS


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a build knows when its report is written.

    Attributes:
        overview: as in data.json.
        split: the one that outcomes are of.
        folds: the metrics of each fold's test rows.
        units: by output, what it is measured in, in words; empty where nobody said.
        is_scaled: whether the network learns other numbers than the data have, so that its curves are in another scale.
    """

    graph: Graph
    description: str
    overview: JsonObject
    split: str
    outcomes: Sequence[Outcome]
    is_in_order: bool
    metrics: Metrics
    folds: Sequence[Mapping[str, MetricValues]]
    history: Sequence[dict[str, float]]
    best_epoch: int
    verification: JsonObject
    versions: Mapping[str, str]
    hashes: Mapping[str, str]
    units: Mapping[str, str]
    is_scaled: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """What is told of an output."""

    metrics: Table
    folds: Sequence[Table]
    plots: Sequence[Plot]
    samples: Sequence[Table]
    parts: Sequence[Table]


@dataclass(frozen=True)
class Card:
    """A metric that stands at the top of the page, and what it is."""

    value: str
    exact: float
    text: str


def write_report(path: Path, results: Results) -> None:
    """Writes the page; without matplotlib, one without plots that says how to have them."""
    from nnspec.diagnostics.extras import install_command, is_installed

    has_plots = is_installed("plots")
    text = render(
        "report.html.j2",
        results=results,
        cards=cards(results),
        shown=show_network(results.graph),
        how_to_lay_out=install_command("plots"),
        sections=sections(results, has_plots=has_plots),
        curves=curves(results.history, results.best_epoch) if has_plots else [],
        how_to_draw="" if has_plots else install_command("plots"),
        data=data_tables(results.overview),
        leakage=leakage_of(results.overview),
        rounded=format_number,
        described=describe,
    )
    path.write_text(text, encoding="utf-8")


def sections(results: Results, *, has_plots: bool) -> dict[str, Section]:
    """What is told of each output."""
    glimpses = Glimpses()
    outcomes = {outcome.name: outcome for outcome in results.outcomes}
    found = {}
    for name, metrics in metric_tables(results.metrics, results.units).items():
        outcome = outcomes.get(name)
        found[name] = Section(
            metrics=metrics,
            folds=fold_tables(results.folds, name),
            plots=plots_of(outcome, results.is_in_order) if outcome is not None and has_plots else [],
            samples=[] if outcome is None else _samples(outcome, glimpses),
            parts=part_tables(results.metrics, results.split, name),
        )
    return found


def _beside(metric: str, value: float, baseline: MetricValues) -> str:
    """The naive prediction's metric, and whether the model's is the better one."""
    naive = float(baseline[metric])
    is_better = value < naive if metric in IN_UNITS else value > naive
    return f"; {'better' if is_better else 'no better'} than {baseline['name']}, {format_number(baseline[metric])}"


def _samples(outcome: Outcome, glimpses: Glimpses) -> list[Table]:
    return [*([confusion(outcome)] if outcome.is_class else []), worst_samples(outcome, glimpses)]


def cards(results: Results) -> list[Card]:
    """The metric of each output that is compared with the baseline's first, and how the deployed file compares."""
    found = []
    for name, values in results.metrics.get(results.split, {}).items():
        headline = HEADLINE[results.graph.outputs[name].task]
        if values.get(headline) is not None:
            baseline = values.get("baseline") or {}
            beside = _beside(headline, float(values[headline]), baseline) if headline in baseline else ""
            unit = results.units.get(name, "") if headline in IN_UNITS else ""
            text = f"{with_unit(headline, unit)} of {name}, {results.split} rows{beside}"
            found.append(Card(format_number(values[headline]), float(values[headline]), text))
    compared = [each["max_relative_error"] for each in results.verification.get("outputs", {}).values()]
    if compared:
        worst_of_all = max(compared)
        found.append(Card(f"{worst_of_all:.2g}", worst_of_all, "largest relative difference of the file from Keras"))
    return found
