"""Every finite number is in a bin, however alike the numbers are."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.overview.bin_edges import bin_edges

ALIKE = [[0.0], [3.0, 3.0], [1e20], [-1e300, -1e300], [1e20, np.nextafter(1e20, 2e20)], [1e9, np.nextafter(1e9, 2e9)]]


@pytest.mark.parametrize("numbers", [*ALIKE, [0.0, 1.0, 7.5], [-5.0, 1e-300], []])
def test_each_is_in_a_bin(numbers: list[float]) -> None:
    values = np.array(numbers)
    edges = bin_edges(values, 40)
    assert len(edges) == 41
    assert (np.diff(edges) > 0).all()
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_what_can_be_told_apart_fills_the_bins() -> None:
    np.testing.assert_allclose(bin_edges(np.array([2.0, 4.0]), 4), [2, 2.5, 3, 3.5, 4])
