"""The samples that a model is most wrong about, with what it was given."""

from __future__ import annotations

import numpy as np

from nnspec.report.glimpses import Glimpses, is_picture
from nnspec.report.outcome import Outcome
from nnspec.report.tables import Exact, Table, format_number

_WORST = 10
_MOST_GIVEN = 10
_VALUES = 6  # of a sample's targets


def worst_samples(outcome: Outcome, glimpses: Glimpses) -> Table:
    """The samples with the largest errors, or scores of anomalies; the first of equal ones."""
    errors = np.nan_to_num(outcome.errors, nan=-np.inf)
    order = [int(i) for i in np.argsort(-errors, kind="stable")[:_WORST] if np.isfinite(errors[i])]
    names = list(outcome.given)[:_MOST_GIVEN]
    rows, exact = list[tuple[str, ...]](), Exact()
    for i in order:
        counted = outcome.counted[i]
        said = () if outcome.is_anomaly else (_shown(outcome, outcome.guess[i], counted, glimpses),)
        truth = (_shown(outcome, outcome.truth[i], counted, glimpses),) if outcome.has_truth else ()
        exact[len(rows), 1 + len(truth) + len(said)] = float(outcome.errors[i])
        given = (glimpses.of(np.asarray(outcome.given[name].values[i]), outcome.given[name].axes) for name in names)
        rows.append((f"row {outcome.rows[i]}", *truth, *said, format_number(outcome.errors[i]), *given))
    head = (
        "sample",
        *((f"true {outcome.title}",) if outcome.has_truth else ()),
        *(() if outcome.is_anomaly else ("predicted",)),
        outcome.error,
        *names,
    )
    is_right = outcome.is_class and all(np.array_equal(outcome.truth[i], outcome.guess[i]) for i in order)
    what = "least like the training rows" if outcome.is_anomaly else "least sure of" if is_right else "most wrong about"
    verb = "finds" if outcome.is_anomaly else "is"
    return Table(
        caption=f"The {len(rows)} samples of the {outcome.split} rows that the model {verb} {what}",
        head=head,
        rows=tuple(rows),
        exact=exact,
    )


def _shown(outcome: Outcome, values: np.ndarray, counted: np.ndarray, glimpses: Glimpses) -> str:
    """Targets or predictions of one sample: an image where they have its axes, such as a mask."""
    sizes = [axis.size for axis in outcome.axes if isinstance(axis.size, int)]
    is_whole = len(sizes) > 1 and outcome.task != "multilabel" and bool(counted.all())
    if is_whole and is_picture(values.reshape(sizes), [axis.name for axis in outcome.axes]):
        shades = values * (255.0 / max(1, len(outcome.classes) - 1)) if outcome.classes else values
        return glimpses.of(shades.reshape(sizes), outcome.axes)
    return describe_values(outcome, values[counted])


def describe_values(outcome: Outcome, values: np.ndarray) -> str:
    """Targets or predictions of one sample: those that count."""
    if outcome.task == "multilabel":
        return ", ".join(name for name, value in zip(outcome.classes, values, strict=False) if value > 0) or "none"
    shown = [outcome.classes[int(v)] if outcome.classes else format_number(v) for v in values[:_VALUES].tolist()]
    return ", ".join(shown) + (" …" if len(values) > _VALUES else "")
