"""How long the inputs are on which an import is compared with its model: two lengths where an axis is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers as kl

from nnspec.importers.keras import comparison
from tests.support.imported_models import import_randomized


def test_open_axes_have_two_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    results = comparison._results

    def watched(model: Any, network: Any, graph: Any, arrays: Any, batch: int) -> Any:
        seen.extend(array.shape[1] for array in arrays.values())
        return results(model, network, graph, arrays, batch)

    monkeypatch.setattr(comparison, "_results", watched)
    counts = []
    for steps, lengths in ((None, {12, 19}), (7, {7})):
        seen.clear()
        x = keras.Input((steps, 2))
        import_randomized(keras.Model(x, kl.Conv1D(3, 2, padding="causal")(x)), tmp_path / str(steps))
        assert set(seen) == lengths
        counts.append(len(seen))
    assert counts[0] == 2 * counts[1]
