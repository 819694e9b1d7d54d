"""Plots of the training history; they need the extra `plots`."""

from __future__ import annotations

from pathlib import Path

from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.progress import Progress
from nnspec.training.watched import split_of


def plot_history(history: list[dict[str, float]], best_epoch: int, path: Path, progress: Progress) -> None:
    """Loss and every other metric by epoch, training beside validation, the kept epoch marked.

    Without matplotlib there is no plot, which is said.
    """
    if not history:
        return
    if not is_installed("plots"):
        progress.say(f"{path.name} is not written: it needs matplotlib ({install_command('plots')})")
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in history[0] if not name.startswith("val_") and name != "learning_rate"]
    figure = Figure(figsize=(4.5 * len(names), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    epochs = range(1, len(history) + 1)
    for i, name in enumerate(names, start=1):
        axes = figure.add_subplot(1, len(names), i)
        axes.plot(
            epochs,
            [row.get(name, float("nan")) for row in history],
            label=split_of(name),
        )
        if f"val_{name}" in history[0]:
            axes.plot(epochs, [row.get(f"val_{name}", float("nan")) for row in history], label="validation")
        axes.axvline(best_epoch, color="0.6", linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.locator_params(axis="x", integer=True)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=120)
