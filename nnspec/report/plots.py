"""The plots of a report: what a reader looks at first for the task of each output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnspec.data.overview.bin_edges import bin_edges
from nnspec.data.units import with_unit
from nnspec.report.outcome import Outcome
from nnspec.report.plotting import BLUE, GREY, ORANGE, Plot, draw
from nnspec.training.watched import split_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 1500  # of a scatter plot
_STEPS = 240  # of a plot over rows
_DECADES = 1000  # from the least to the greatest value of a plot that is drawn logarithmically
_FAR = 10  # how many times as wide as nine of ten errors all of them may be


def curves(history: Sequence[dict[str, float]], best_epoch: int) -> list[Plot]:
    """Each metric by epoch, on the training and validation rows."""
    names = [
        name for name in (history[0] if history else {}) if not name.startswith("val_") and name != "learning_rate"
    ]
    return [_curve(history, name, best_epoch) for name in names]


def _curve(history: Sequence[dict[str, float]], name: str, best_epoch: int) -> Plot:
    epochs = range(1, len(history) + 1)

    def paint(axes: Axes) -> None:
        marker = "o" if len(history) == 1 else None  # a line of one point is not seen
        values = [row.get(name, float("nan")) for row in history]
        axes.plot(epochs, values, color=BLUE, marker=marker, label=split_of(name))
        if f"val_{name}" in history[0]:
            values = [row.get(f"val_{name}", float("nan")) for row in history]
            axes.plot(epochs, values, color=ORANGE, linestyle="--", marker=marker, label="validation")
        axes.axvline(best_epoch, color=GREY, linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.legend()

    first, last = history[0].get(name, float("nan")), history[-1].get(name, float("nan"))
    text = f"{first:.4g} in the first of {len(history)} epochs, {last:.4g} in the last; epoch {best_epoch} is kept."
    if len(history) == 1:
        text = f"{first:.4g} in the only epoch."
    return draw(name, text, paint)


def plots_of(outcome: Outcome, is_in_order: bool) -> list[Plot]:
    """What a reader looks at first for the output's task.

    Args:
        is_in_order: whether samples follow one another in time.
    """
    if not outcome.counted.any():
        return []
    if outcome.is_anomaly:
        return [anomaly_scores(outcome), *([scores_over_rows(outcome)] if is_in_order else [])]
    if outcome.task in ("binary", "multilabel"):
        return [calibration(outcome), thresholds(outcome)]
    if outcome.is_class:
        return [confidence(outcome)]
    first = [over_rows(outcome)] if is_in_order else [steps_ahead(outcome)] if outcome.levels is not None else []
    return [*first, against_truth(outcome), residuals(outcome)]


def against_truth(outcome: Outcome) -> Plot:
    """Predicted values against true ones."""
    truth, guess = map(_thin_out, outcome.pairs())
    known = np.concatenate([truth[np.isfinite(truth)], guess[np.isfinite(guess)]])
    sizes = np.abs(known[known != 0])
    small = float(10 ** np.floor(np.log10(np.quantile(sizes, 0.05)))) if len(sizes) else 1.0  # ticks are powers of ten
    is_log = len(sizes) > 0 and sizes.max() > _DECADES * small

    def paint(axes: Axes) -> None:
        if is_log:  # else the small ones are one spot
            axes.set_xscale("symlog", linthresh=small)
            axes.set_yscale("symlog", linthresh=small)
        ends = [float(np.nanmin(truth)), float(np.nanmax(truth))]
        axes.plot(ends, ends, color=GREY, linestyle=":", label="as true")
        axes.scatter(truth, guess, s=6, color=BLUE, alpha=0.5, linewidths=0, label="predictions")
        axes.set_xlabel(f"true {outcome.title}")
        axes.set_ylabel(with_unit("predicted", outcome.unit))
        axes.legend()

    both = np.isfinite(truth) & np.isfinite(guess)
    varies = both.sum() > 1 and np.std(truth[both]) > 0 and np.std(guess[both]) > 0
    agreement = f"their correlation is {np.corrcoef(truth[both], guess[both])[0, 1]:.3f}" if varies else "no spread"
    scales = f" Both axes are logarithmic beyond {small:.2g}." if is_log else ""
    return draw(
        f"{outcome.name}: predicted and true",
        f"{len(truth)} predictions of the {outcome.split} rows; {agreement}.{scales}",
        paint,
    )


def residuals(outcome: Outcome) -> Plot:
    """How often which error."""
    truth, guess = outcome.pairs()
    errors = guess - truth
    errors = errors[np.isfinite(errors)]
    low, middle, high = np.quantile(errors, [0.05, 0.5, 0.95]) if len(errors) else (0.0, 0.0, 0.0)
    is_far = len(errors) > 0 and np.ptp(errors) > _FAR * (high - low) > 0  # a few would make all others one bar
    ends = np.quantile(errors, [0.25, 0.75]) if is_far else np.zeros(2)
    reach = 3 * float(np.ptp(ends)) or high - low  # the far fences of a box plot
    drawn = errors[(errors >= ends[0] - reach) & (errors <= ends[1] + reach)] if is_far else errors

    def paint(axes: Axes) -> None:
        axes.hist(drawn, bins=bin_edges(drawn, 40).tolist(), color=BLUE)
        axes.axvline(0, color=GREY, linestyle=":")
        axes.set_xlabel(f"predicted minus true {outcome.title}")
        axes.set_ylabel("predictions")

    unit = f" {outcome.unit}" if outcome.unit else ""
    text = f"The median error is {middle:.4g}{unit}; nine of ten are between {low:.4g} and {high:.4g}{unit}."
    if is_far:
        least, most = float(errors.min()), float(errors.max())
        left = f"{len(errors) - len(drawn):,} of {len(errors):,} are farther out and not drawn"
        text += f" {left}, from {least:.4g} to {most:.4g}."
    return draw(f"{outcome.name}: errors", text, paint)


def over_rows(outcome: Outcome) -> Plot:
    """The last rows with what was forecast for them, the interval of quantiles as a band."""
    total, values = outcome.truth.shape
    place = slice(max(0, total - _STEPS), None)
    ends = _ends_of_series(outcome, place)
    truth, guess = (np.insert(part[place, 0].astype(float), ends, np.nan) for part in (outcome.truth, outcome.guess))
    steps = np.insert(np.arange(1.0, total + 1)[place], ends, np.nan)

    def paint(axes: Axes) -> None:
        if outcome.levels is not None:
            band = np.insert(outcome.levels[place, 0], ends, np.nan, axis=0)
            axes.fill_between(steps, band[:, 0], band[:, -1], color=ORANGE, alpha=0.25, linewidth=0, label="interval")
        axes.plot(steps, truth, color=BLUE, label="true")
        axes.plot(steps, guess, color=ORANGE, linestyle="--", label="forecast")
        axes.set_xlabel(f"sample of the {outcome.split} rows")
        axes.set_ylabel(outcome.title)
        axes.legend()

    part = f"the first of the {values} values of each, " if values > 1 else ""
    series = f" of {len(ends) + 1} series, one after the other," if len(ends) else ""
    text = (
        f"Samples {place.start + 1:,} to {total:,} of the {outcome.split} rows{series or ','} {part}and what the model "
    )
    text += "forecast for them."
    return draw(f"{outcome.name}: forecast and truth", text, paint, width=7.4)


def steps_ahead(outcome: Outcome) -> Plot:
    """The sample of middling error with its values one after the other, and the interval of quantiles as a band."""
    assert outcome.levels is not None
    errors = np.nanmean(np.abs(outcome.guess - outcome.truth), axis=1)
    known = np.flatnonzero(np.isfinite(errors))
    place = int(known[np.argsort(errors[known], kind="stable")[len(known) // 2]]) if len(known) else 0
    truth, guess, band = outcome.truth[place], outcome.guess[place], outcome.levels[place]
    steps = np.arange(1, len(truth) + 1)

    def paint(axes: Axes) -> None:
        if len(steps) == 1:
            spread = [[guess[0] - band[0, 0]], [band[0, -1] - guess[0]]]
            axes.errorbar(steps, guess, yerr=spread, fmt="o", color=ORANGE, label="forecast, interval")
        else:
            axes.fill_between(steps, band[:, 0], band[:, -1], color=ORANGE, alpha=0.25, linewidth=0, label="interval")
            axes.plot(steps, guess, color=ORANGE, linestyle="--", label="forecast")
        axes.plot(steps, truth, color=BLUE, marker="o", markersize=4, label="true")
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel("value of the sample")
        axes.set_ylabel(outcome.title)
        axes.legend()

    inside = int(((truth >= band[:, 0]) & (truth <= band[:, -1])).sum())
    row, count = int(outcome.rows[place]), int(np.isfinite(truth).sum())
    text = f"Row {row:,}, whose mean error is the middle one of the {outcome.split} rows: "
    text += f"{inside} of its {count} values are within their intervals."
    return draw(f"{outcome.name}: forecast and truth", text, paint, width=7.4)


def _ends_of_series(outcome: Outcome, place: slice) -> np.ndarray:
    """Where among some samples another series begins: no line goes from one to the other."""
    if outcome.series is None:
        return np.zeros(0, np.int64)
    keys = outcome.series[place]  # numbers or words
    return np.flatnonzero(keys[1:] != keys[:-1]) + 1


def calibration(outcome: Outcome) -> Plot:
    """How often the second class is true where the model gives it a probability."""
    assert outcome.scores is not None
    scores, truth = outcome.scores[outcome.counted], outcome.pairs()[0]
    bins = np.clip((scores * 10).astype(int), 0, 9)
    used = [bin_ for bin_ in range(10) if (bins == bin_).sum() > 0]
    said = [float(scores[bins == bin_].mean()) for bin_ in used]
    true = [float(truth[bins == bin_].mean()) for bin_ in used]

    def paint(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="calibrated")
        axes.plot(said, true, color=BLUE, marker="o", markersize=4, label="model")
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("observed frequency")
        axes.legend()

    share = [float((bins == bin_).mean()) for bin_ in used]
    gap = sum(abs(a - b) * weight for a, b, weight in zip(said, true, share, strict=True))
    text = (
        f"Probabilities differ from observed frequencies by {gap:.3f} on average "
        "(expected calibration error, ten bins)."
    )
    return draw(f"{outcome.name}: calibration", text, paint)


def thresholds(outcome: Outcome) -> Plot:
    """Precision and recall at every threshold."""
    assert outcome.scores is not None
    scores, truth = outcome.scores[outcome.counted], outcome.pairs()[0].astype(bool)
    cuts = np.linspace(0, 1, 101)[:-1]
    hits = np.array([(truth & (scores > cut)).sum() for cut in cuts], float)
    taken = np.array([(scores > cut).sum() for cut in cuts], float)
    precision = np.divide(hits, taken, out=np.full_like(hits, np.nan), where=taken > 0)
    recall = hits / max(1, truth.sum())

    def paint(axes: Axes) -> None:
        axes.plot(cuts, precision, color=BLUE, label="precision")
        axes.plot(cuts, recall, color=ORANGE, linestyle="--", label="recall")
        if outcome.threshold is not None:
            axes.axvline(outcome.threshold, color=GREY, linestyle=":", label=f"threshold ({outcome.threshold:.3g})")
        axes.set_xlabel("threshold")
        axes.legend()

    if not taken.any():
        return draw(
            f"{outcome.name}: thresholds", "No score is above 0, so no threshold takes a sample for a yes.", paint
        )
    at = int(np.nanargmax(2 * precision * recall / np.maximum(precision + recall, 1e-12)))
    text = f"F1 is highest at threshold {cuts[at]:.2f}: precision {precision[at]:.3f}, recall {recall[at]:.3f}."
    return draw(f"{outcome.name}: thresholds", text, paint)


def confidence(outcome: Outcome) -> Plot:
    """How sure the model is where it is right, and where it is wrong."""
    assert outcome.scores is not None
    sure = outcome.scores.max(axis=-1)[outcome.counted]
    right = np.equal(*outcome.pairs())

    def paint(axes: Axes) -> None:
        groups = [sure[right], sure[~right]]
        axes.hist(groups, bins=20, range=(0, 1), stacked=True, color=[BLUE, ORANGE], label=["right", "wrong"])
        axes.set_xlabel("probability of the predicted class")
        axes.set_ylabel("predictions")
        axes.legend()

    means = ", ".join(
        f"{float(sure[which].mean()):.3f} where it is {word}"
        for which, word in ((right, "right"), (~right, "wrong"))
        if which.any()
    )
    return draw(f"{outcome.name}: confidence of the model", f"The mean probability is {means}.", paint)


def anomaly_scores(outcome: Outcome) -> Plot:
    """How often which score, of normal samples and anomalies where labels tell, and where anomalies begin."""
    truth, scores = outcome.pairs()
    known = np.isfinite(scores)
    truth, scores = truth[known], scores[known]
    low, high = max(float(scores.min()), 1e-12), float(scores.max())
    is_log = float(scores.min()) > 0 and high / low > 100
    edges = np.geomspace(low, high, 41) if is_log else bin_edges(scores, 40)
    groups = [scores[truth == 0], scores[truth == 1]] if outcome.has_truth else [scores]
    names = ["normal", "anomalies"] if outcome.has_truth else ["samples"]

    def paint(axes: Axes) -> None:
        axes.hist(groups, bins=edges.tolist(), stacked=True, color=[BLUE, ORANGE][: len(groups)], label=names)
        if outcome.threshold is not None:
            axes.axvline(outcome.threshold, color=GREY, linestyle="--", label=f"threshold ({outcome.threshold:.4g})")
        if is_log:
            axes.set_xscale("log")
        axes.set_xlabel(f"{outcome.name}: score")
        axes.set_ylabel("samples")
        axes.legend()

    return draw(f"{outcome.name}: scores of anomalies", _describe_flagged(outcome, groups, names), paint)


def _describe_flagged(outcome: Outcome, groups: Sequence[np.ndarray], names: Sequence[str]) -> str:
    cut = outcome.threshold
    if cut is None:
        return f"{sum(map(len, groups))} samples of the {outcome.split} rows; no threshold says where anomalies begin."
    told = [f"{int((scores > cut).sum())} of {len(scores)} {name}" for scores, name in zip(groups, names, strict=True)]
    return f"Above the threshold of {cut:.4g} are {' and '.join(told)}, of the {outcome.split} rows."


def scores_over_rows(outcome: Outcome) -> Plot:
    """The last samples' scores in their order, and where anomalies begin."""
    first, total = max(0, len(outcome.guess) - _STEPS), len(outcome.guess)
    scores, truth = outcome.guess[first:].max(axis=1), outcome.truth[first:].max(axis=1)
    steps = np.arange(first + 1, total + 1)

    def paint(axes: Axes) -> None:
        axes.plot(steps, scores, color=BLUE, label="score")
        if outcome.has_truth and (truth == 1).any():
            axes.scatter(steps[truth == 1], scores[truth == 1], color=ORANGE, s=14, label="anomalies", zorder=3)
        if outcome.threshold is not None:
            axes.axhline(outcome.threshold, color=GREY, linestyle="--", label=f"threshold ({outcome.threshold:.4g})")
        axes.set_xlabel(f"sample of the {outcome.split} rows")
        axes.set_ylabel(f"{outcome.name}: score")
        axes.legend()

    text = f"The scores of samples {first + 1:,} to {total:,} of the {outcome.split} rows, in their order."
    return draw(f"{outcome.name}: scores in time", text, paint, width=7.4)


def _thin_out(values: np.ndarray) -> np.ndarray:
    """Evenly spaced ones of many values."""
    places = np.linspace(0, len(values) - 1, min(_POINTS, len(values))).astype(int)
    return np.asarray(values[places])
