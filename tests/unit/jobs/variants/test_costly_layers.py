"""In which layers a variant loses most, where it is known what each of them costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from nnspec.jobs.variants.costly_layers import find_costly_layers


class Costs:
    """A network of so many layers whose losses add up."""

    def __init__(self, count: int, costs: Mapping[int, float]) -> None:
        self.layers = [f"conv_{i}" for i in range(count)]
        self.costs = {f"conv_{i}": cost for i, cost in costs.items()}
        self.trials = 0

    def without(self, kept: Sequence[str]) -> float:
        self.trials += 1
        return sum(cost for layer, cost in self.costs.items() if layer not in kept)

    def found(self) -> list[str]:
        return find_costly_layers(self.layers, self.without, sum(self.costs.values()))


@pytest.mark.parametrize(("count", "most"), [(2, 2), (24, 24), (25, 15), (121, 23), (500, 40)])
@pytest.mark.parametrize("place", [0.0, 0.4, 0.99])
def test_it_is_found_wherever_it_stands(count: int, most: int, place: float) -> None:
    costly = int(place * count)
    costs = Costs(count, {costly: 0.3})
    assert costs.found() == [f"conv_{costly}"]
    assert costs.trials <= most


def test_those_that_matter_most_come_first() -> None:
    assert Costs(9, {7: 0.1, 2: 0.4, 5: 0.2}).found() == ["conv_2", "conv_5", "conv_7"]
    assert Costs(121, {119: 0.1, 118: 0.4, 3: 0.2}).found() == ["conv_118", "conv_119"]


def test_where_no_layer_matters_none_is_named() -> None:
    """The loss stays whichever layer is left out."""
    for count in (3, 60):
        assert find_costly_layers([f"conv_{i}" for i in range(count)], lambda kept: 0.2, 0.2) == []


def test_what_is_not_a_number_is_no_gain() -> None:
    layers = ["a", "b", "c"]
    losses = {"a": math.nan, "b": 0.5, "c": 0.1}
    assert find_costly_layers(layers, lambda kept: losses[kept[0]], math.nan) == ["c", "b"]
    assert find_costly_layers(layers, lambda kept: math.nan, math.nan) == []
