"""Preprocessing: what it refuses, and what it learns from the training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.backends.keras.model import read_weights
from nnspec.data.dataset import Dataset, Split
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.progress import Progress
from nnspec.training.settings import Settings
from nnspec.training.train import train
from tests.support.layer_cases import Case, checked

SIGNAL = {"time": 100}
CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"


@pytest.mark.parametrize(
    ("kind", "body", "axes", "code", "words"),
    [
        ("Discretization", None, SIGNAL, "NN208", "either `bin_boundaries` or `num_bins`"),
        ("Discretization", {"bin_boundaries": [1, 2], "num_bins": 3}, SIGNAL, "NN208", "either"),
        ("Discretization", {"bin_boundaries": [2, 1]}, SIGNAL, "NN206", "must ascend"),
        ("Discretization", {"num_bins": 3, "as": "bin"}, SIGNAL, "NN208", "makes none"),
        (
            "MelSpectrogram",
            None,
            SIGNAL,
            "NN312",
            "reflects 1024 samples at each end of `time`, but it has only 100",
        ),
        ("MelSpectrogram", {"fft_length": 16, "sequence_length": 17}, SIGNAL, "NN206", "at most `fft_length` (16)"),
        (
            "MelSpectrogram",
            {"fft_length": 16, "min_freq": 9000},
            SIGNAL,
            "NN206",
            "must be below `max_freq` (8000.0 Hz)",
        ),
        ("MelSpectrogram", {"fft_length": 16}, {"feature": 100}, "NN308", "which has no order"),
        ("MelSpectrogram", {"fft_length": 16}, {"time": 100, "channel": 1}, "NN310", "needs 1 axis"),
        (CLAHE, None, {"height": 3, "width": 20, "channel": 1}, "NN312", "too few for 8 tiles"),
        (CLAHE, None, {"height": "H", "width": 20, "channel": 1}, "NN313", "how long `height` is"),
        ("AutoContrast", None, {"channel": 3, "height": 4, "width": 5}, "NN308", "which has no order"),
    ],
)
def test_refused(kind: str, body: Any, axes: Any, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        checked(Case(kind, body, [axes], {}, None, None), tmp_path)
    assert [d.code for d in caught.value.diagnostics if d.is_error] == [code]
    assert words in caught.value.diagnostics[0].message


def test_state_comes_from_the_training_rows_alone(tmp_path: Path) -> None:
    before = [{"Normalization": {"axis": "feature"}}]
    after = [{"Dense": {"units": 1}}]
    case = Case(
        "Discretization",
        {"num_bins": 4, "output_mode": "count"},
        [{"feature": 3}],
        {},
        None,
        None,
        before=before,
        after=after,
    )
    graph = checked(case, tmp_path).graph
    rng = np.random.default_rng(3)
    parts = {"train": rng.normal(5, 2, size=(64, 3)), "validation": rng.normal(90, 1, size=(8, 3))}
    splits = {
        name: Split(
            raw={"x0": x},
            x={"x0": x.astype(np.float32)},
            y={"y": np.ones((len(x), 1), np.float32)},
            target={},
            last={},
            size=len(x),
            rows=np.arange(len(x)),
        )
        for name, x in parts.items()
    }
    settings = Settings.from_section({"epochs": 1}, Span(Source("s", "")))
    trained = train(graph, Dataset(splits), settings, tmp_path, Progress(quiet=True))
    normalization, discretization = graph.nodes[:2]
    first = read_weights(normalization, trained.compiled.layers[normalization.name])
    assert np.allclose(first["mean"], parts["train"].mean(axis=0), atol=1e-4)
    assert np.allclose(first["variance"], parts["train"].var(axis=0), atol=1e-3)
    second = read_weights(discretization, trained.compiled.layers[discretization.name])["boundaries"]
    scaled = (parts["train"] - first["mean"]) / np.sqrt(first["variance"])
    assert np.allclose(second, np.quantile(scaled, [0.25, 0.5, 0.75]), atol=0.15)
