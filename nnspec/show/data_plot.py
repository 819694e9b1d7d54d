"""An image of data: a histogram of each column and bars of classes, the splits over each other. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnspec.data.arrays.gathered import is_gathered
from nnspec.data.arrays.mapped import is_long
from nnspec.data.dataset import Dataset
from nnspec.data.overview.bin_edges import bin_edges
from nnspec.data.overview.describe import columns_of
from nnspec.data.section.plan import DataPlan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PLOTS = 24
_ACROSS = 4
_BINS = 30
_MOST_SAMPLES = 100_000  # of a split, where there are many


def plot_data(plan: DataPlan, data: Dataset, path: Path) -> None:
    """Writes the image; its format is that of the path's suffix."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = list(columns_of(plan, data))[:MOST_PLOTS]
    down = -(-len(found) // _ACROSS)
    figure = Figure(figsize=(3.4 * min(len(found), _ACROSS), 2.6 * down), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (title, values) in enumerate(found, 1):
        axes = figure.add_subplot(down, min(len(found), _ACROSS), number)
        _draw(axes, values)
        axes.set_title(title, fontsize="small", parse_math=False)
        if number == 1:
            axes.legend(frameon=False, fontsize="x-small")
    figure.savefig(path, dpi=120)


def _some(values: np.ndarray) -> np.ndarray:
    """Values of a column; of a long one some, at even distances."""
    if not is_gathered(values) and not is_long(values):
        return values
    return np.asarray(values[np.linspace(0, len(values) - 1, min(len(values), _MOST_SAMPLES)).astype(np.int64)])


def _draw(axes: Axes, values: dict[str, np.ndarray]) -> None:
    """Shares of each split's values, so that splits of unlike size are comparable."""
    flat = {name: _some(found).reshape(-1) for name, found in values.items()}
    is_text = any(found.dtype.kind in "OUS" for found in flat.values())
    if is_text:
        words, counts = np.unique(np.concatenate([f.astype(str) for f in flat.values()]), return_counts=True)
        shown = words[np.argsort(-counts, kind="stable")[:12]]
        places = np.arange(len(shown))
        for number, (name, found) in enumerate(flat.items()):
            share = [float(np.mean(found.astype(str) == word)) for word in shown]
            axes.bar(places + 0.8 * number / len(flat), share, 0.8 / len(flat), label=name)
        axes.set_xticks(places, [str(word)[:10] for word in shown], rotation=60, fontsize="x-small", parse_math=False)
        return
    known = {name: found[np.isfinite(found.astype(float))].astype(float) for name, found in flat.items()}
    edges = bin_edges(np.concatenate(list(known.values())), _BINS)
    for name, numbers in known.items():
        axes.stairs(np.histogram(numbers, edges)[0] / max(len(numbers), 1), edges, label=name)
