"""The tables of a report, and how its numbers are written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnspec.report.outcome import Outcome
from nnspec.training.metrics.outcome import MetricValues

_MOST_CLASSES = 24
_MOST_ROWS = 40
Metrics = Mapping[str, Mapping[str, MetricValues]]  # `{split: {output: {metric: value}}}`
Exact = dict[tuple[int, int], float]
_OF_SHARES = ("coverage", "coverage_error", "width")  # of intervals, by the share that they are to hold


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its caption, its head, and its rows, whose first cell names them.

    A cell that is `Markup` is an image or a small plot; all others are text.

    Attributes:
        exact: the whole numbers behind cells that show rounded ones, by row and column.
        shares: of a confusion matrix, how dark each cell is: from 0 to 1.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    exact: Mapping[tuple[int, int], float] = field(default_factory=dict)
    shares: Mapping[tuple[int, int], float] = field(default_factory=dict)


def format_number(value: object) -> str:
    """A number with four significant digits, a large one whole; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return str(value)
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    wide = float(value)
    if 1e4 <= abs(wide) < 1e9:
        return f"{wide:,.0f}"
    return "not a number" if math.isnan(wide) else f"{wide:.4g}"


def metric_tables(metrics: Metrics, units: Mapping[str, str]) -> dict[str, Table]:
    """By output its metrics on every split, beside those of the baseline; of folds, their means.

    Args:
        units: by output, what its values are measured in.
    """
    splits = list(metrics)
    names = metrics[splits[-1]] if splits else {}
    return {name: _metric_table(name, splits, metrics, units.get(name, "")) for name in names}


def _metric_table(name: str, splits: list[str], metrics: Metrics, unit: str) -> Table:
    found = {split: _with_shares(metrics[split].get(name, {})) for split in splits}
    baseline: MetricValues = next((each["baseline"] for each in found.values() if each.get("baseline")), {})
    keys = dict.fromkeys(k for each in found.values() for k, value in each.items() if _is_number(value))
    rows: list[tuple[str, ...]] = []
    exact: Exact = {}
    for key in keys:
        cells = [key]
        for each in found.values():
            for scored in (each, each.get("baseline") or {}):
                value = scored.get(key)
                if value is not None or scored is each:
                    exact[len(rows), len(cells)] = float("nan") if value is None else float(value)
                cells.append("" if value is None else format_number(value) + _spread(scored, key))
        rows.append(tuple(cells))
    head = ("metric", *(title for split in splits for title in (split, f"{split}, {baseline.get('name', 'baseline')}")))
    caption = f"Metrics of {name}" + (f", errors in {unit}" if unit else "")
    return Table(caption=caption, head=head, rows=tuple(rows), exact=exact)


def _with_shares(metrics: MetricValues) -> MetricValues:
    """Metrics with those that are of shares, such as the coverage of 80 % intervals, among the others."""
    found, spreads = dict(metrics), dict(metrics.get("deviation") or {})
    if metrics.get("baseline"):  # there is none without labels
        found["baseline"] = _with_shares(metrics["baseline"])
    for key in _OF_SHARES:
        parts = metrics.get(key)
        if not isinstance(parts, dict):
            continue
        for share, number in parts.items():
            if _is_number(number):
                row = f"{key} of {float(share):.0%}"
                found[row] = number
                spreads |= {row: spread} if (spread := (parts.get("deviation") or {}).get(share)) is not None else {}
    return {**found, "deviation": spreads} if spreads else found


def _spread(scored: MetricValues, key: str) -> str:
    """The deviation of a mean over folds."""
    deviation = (scored.get("deviation") or {}).get(key)
    return "" if deviation is None else f" ± {deviation:.2g}"


def part_tables(metrics: Metrics, split: str, name: str) -> list[Table]:
    """Metrics of an output on a split of each class, step, column or series, a table each."""
    tables = []
    for key, parts in metrics.get(split, {}).get(name, {}).items():
        if key.startswith("by_") and isinstance(parts, dict):
            kept = {part: found for part, found in parts.items() if isinstance(found, dict)}
            if kept:
                tables.append(_part_table(f"{name} by {key[3:]}, {split} rows", key[3:], kept))
    return tables


def _part_table(caption: str, what: str, parts: Mapping[str, MetricValues]) -> Table:
    shown = dict(list(parts.items())[:_MOST_ROWS])
    keys = list(dict.fromkeys(k for found in shown.values() for k, value in found.items() if _is_number(value)))
    rows, exact = [], Exact()
    for number, (part, found) in enumerate(shown.items()):
        for column, key in enumerate(keys, start=1):
            if found.get(key) is not None:
                exact[number, column] = float(found[key])
        rows.append((part, *("" if found.get(key) is None else format_number(found[key]) for key in keys)))
    more = f"; {len(shown)} of {len(parts)}" if len(parts) > len(shown) else ""
    return Table(caption=f"Metrics of {caption}{more}", head=(what, *keys), rows=tuple(rows), exact=exact)


def fold_tables(folds: Sequence[Mapping[str, MetricValues]], name: str) -> list[Table]:
    """The metrics of an output on each fold's test rows, where there are folds."""
    parts = {f"fold {number}": fold[name] for number, fold in enumerate(folds, start=1) if name in fold}
    return [_part_table(f"{name} in each fold, test rows", "fold", parts)] if parts else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def confusion(outcome: Outcome) -> Table:
    """How often which class is taken for which; of many classes, those that are confused most."""
    truth, guess = (values.astype(int) for values in outcome.pairs())
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
        caption="Confusion matrix: rows are true classes, columns predicted classes",
        head=("true class", *outcome.classes),
        rows=rows,
        shares={(i, j + 1): float(shares[i, j]) for i in range(count) for j in range(count)},
    )
