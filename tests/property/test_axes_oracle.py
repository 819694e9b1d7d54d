"""Named axes against the built Keras model: an index tensor through chains of reshapes, and the gradient of outputs.

Neither knows the checker's algorithm. The index tensor says where every element of a result came from; the gradient of
one output position is zero wherever its receptive field does not reach.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from nnspec import pipeline
from nnspec.backends.keras.model import build_model
from nnspec.diagnostics.apply import fix_text
from nnspec.ir import axes as ax
from nnspec.ir.graph import Field, Graph

# ----------------------------------------------------------------------------------------- an index tensor

SIZES = {"a": 4, "b": 6, "c": 5}
Held = list[tuple[str, int]]  # axes with their sizes


class Chain:
    """Random axis operations one after the other; sizes are followed here, what the axes hold is not."""

    def __init__(self, seed: int, axes: Mapping[str, int], most: int, *, fixed: str | None = None) -> None:
        self.draw = Random(seed)
        self.axes: Held = list(axes.items())
        self.fixed = fixed  # an axis of unknown length, which is moved, but neither cut nor merged
        self.made = 0
        self.items: list[Any] = []
        for _ in range(self.draw.randint(1, most)):
            self.draw.choice([self.permute, self.swap, self.split, self.merge, self.reshape, self.unit, self.rename])()

    def fresh(self) -> str:
        self.made += 1
        return f"n{self.made}"

    def permute(self) -> None:
        self.draw.shuffle(self.axes)
        self.items.append({"permute": [name for name, _ in self.axes]})

    def swap(self) -> None:
        order = list(range(len(self.axes)))
        self.draw.shuffle(order)
        self.axes = [self.axes[i] for i in order]
        self.items.append({"Permute": {"dims": [i + 1 for i in order]}})

    def cut(self, size: int) -> tuple[int, int] | None:
        slow = [n for n in range(2, size) if size % n == 0]
        return (n := self.draw.choice(slow), size // n) if slow else None

    def split(self) -> None:
        place = self.draw.randrange(len(self.axes))
        name, size = self.axes[place]
        parts = None if name == self.fixed else self.cut(size)
        if parts is not None:
            made = [(self.fresh(), part) for part in parts]
            self.axes[place : place + 1] = made
            self.items.append({"split": {name: dict(made)}})

    def pair(self) -> int | None:
        """The place of two neighbours that may be merged."""
        places = [i for i in range(len(self.axes) - 1) if self.fixed not in (self.axes[i][0], self.axes[i + 1][0])]
        return self.draw.choice(places) if places else None

    def merge(self) -> None:
        place = self.pair()
        if place is not None:
            (one, first), (two, second) = self.axes[place : place + 2]
            self.axes[place : place + 2] = [(self.fresh(), first * second)]
            self.items.append({"merge": {self.axes[place][0]: [one, two]}})

    def reshape(self) -> None:
        """Merges two neighbours and cuts another axis, by sizes and names at once."""
        place = self.pair()
        if place is None:
            return
        product = self.axes[place][1] * self.axes[place + 1][1]
        if 1 in (self.axes[place][1], self.axes[place + 1][1]):
            return  # an axis of 1 is left out, and the other one stays what it is, under its name
        self.axes[place : place + 2] = [(self.fresh(), product)]
        others = [i for i in range(len(self.axes)) if i != place and self.axes[i][0] != self.fixed]
        at = self.draw.choice(others) if others else None
        parts = None if at is None else self.cut(self.axes[at][1])
        if at is not None and parts is not None:
            self.axes[at : at + 1] = [(self.fresh(), part) for part in parts]
        self.items.append({"Reshape": {"to": {name: -1 if name == self.fixed else size for name, size in self.axes}}})

    def unit(self) -> None:
        ones = [name for name, size in self.axes if size == 1 and name != self.fixed]
        if ones and self.draw.random() < 0.5:
            self.axes = [axis for axis in self.axes if axis[0] != ones[0]]
            self.items.append({"drop": ones[0]})
        elif len(self.axes) < 6:
            self.axes.append((self.fresh(), 1))
            self.items.append({"insert": {self.axes[-1][0]: 1}})

    def rename(self) -> None:
        place = self.draw.randrange(len(self.axes))
        name, size = self.axes[place]
        if name != self.fixed:
            self.axes[place] = (self.fresh(), size)
            self.items.append({"rename": {name: self.axes[place][0]}})


def written(folder: Path, axes: Mapping[str, Any], chains: list[list[Any]]) -> Path:
    """A spec in which every chain begins at the input and ends in an output."""
    model: list[Any] = []
    for i, items in enumerate(chains):
        model += [{"Identity": {"from": "x", "name": f"start{i}"}}, *items, {"Identity": {"name": f"end{i}"}}]
    outputs = {f"y{i}": {"task": "regression", "from": f"end{i}"} for i in range(len(chains))}
    document = {"nnspec": 1, "inputs": {"x": {"axes": dict(axes)}}, "model": model, "outputs": outputs}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def through_keras(graph: Graph, sizes: tuple[int, ...]) -> dict[str, np.ndarray]:
    index = np.arange(math.prod(sizes), dtype=np.float32).reshape(1, *sizes)
    made = build_model(graph).model(index)
    made = made if isinstance(made, dict) else {"y0": made}
    return {name: np.asarray(value)[0].astype(np.int64) for name, value in made.items()}


def check_axes(axes: ax.Axes, index: np.ndarray, names: list[str], sizes: tuple[int, ...]) -> None:
    """At every element, the position along each axis is the number that its atoms spell in the input's coordinates."""
    coordinates = dict(zip(names, np.unravel_index(index, sizes), strict=True))
    for place, axis in enumerate(axes):
        spelt = np.zeros_like(index)
        for atom in axis.atoms:
            size, step = (lengths(n, sizes[0]) for n in (atom.size, atom.step))
            spelt = spelt * size + coordinates[atom.key.partition(".")[2]] // step % size
        assert np.array_equal(spelt, np.indices(index.shape)[place]), ax.describe(axes)


def is_known(axes: ax.Axes) -> bool:
    """Whether all is told in the input's digits; where a `split` cuts across two of them nothing is claimed."""
    return all(atom.key.startswith("x.") for axis in axes for atom in axis.atoms)


def lengths(size: ax.Size, symbol: int) -> int:
    return size if isinstance(size, int) else int(size.coefficient * symbol)


def test_chains_of_known_sizes(tmp_path: Path) -> None:
    chains = [Chain(seed, SIZES, 6) for seed in range(80)]
    graph = pipeline.check(written(tmp_path, SIZES, [chain.items for chain in chains])).graph
    known = 0
    for i, (name, index) in enumerate(through_keras(graph, tuple(SIZES.values())).items()):
        axes = graph.outputs[name].value.axes
        assert [(axis.name, axis.size) for axis in axes] == chains[i].axes
        if is_known(axes):
            check_axes(axes, index, list(SIZES), tuple(SIZES.values()))
            known += 1
    assert known > 70


def test_chains_beside_an_unknown_length(tmp_path: Path) -> None:
    chains = [Chain(seed, {"t": 3, "a": 4, "b": 6}, 5, fixed="t") for seed in range(30)]
    graph = pipeline.check(written(tmp_path, {"t": None, "a": 4, "b": 6}, [chain.items for chain in chains])).graph
    known = 0
    for length in (3, 7):
        for name, index in through_keras(graph, (length, 4, 6)).items():
            axes = graph.outputs[name].value.axes
            if is_known(axes):
                check_axes(axes, index, ["t", "a", "b"], (length, 4, 6))
                known += 1
    assert known > 50


HARMLESS = [
    # scrambles that only a Flatten reads: the atoms are still right, also behind it and taken apart again
    ({"a": 4, "b": 6}, [{"Reshape": {"target_shape": [6, 4]}}, "Flatten"]),
    ({"a": 4, "b": 6}, [{"Reshape": {"target_shape": [8, 3]}}, "Flatten", {"Reshape": {"to": {"a": 4, "b": 6}}}]),
    ({"a": 4, "b": 6}, ["Flatten", {"split": {"a_b": {"s": 2, "r": 12}}}]),
    ({"a": 4, "b": 6, "c": 2}, [{"Flatten": {"data_format": "channels_first"}}]),
    ({"a": 4, "b": 6}, [{"split": {"a": {"pair": 2, "frame": 2}}}, {"merge": {"m": ["frame", "b"]}}]),
]


@pytest.mark.parametrize(("axes", "items"), HARMLESS)
def test_atoms_of_mixtures(axes: dict[str, int], items: list[Any], tmp_path: Path) -> None:
    graph = pipeline.check(written(tmp_path, axes, [items])).graph
    sizes = tuple(axes.values())
    value = graph.outputs["y0"].value
    if is_known(value.axes):
        check_axes(value.axes, through_keras(graph, sizes)["y0"], list(axes), sizes)
    else:
        assert items[0] == {"Reshape": {"target_shape": [6, 4]}}  # irregular: nothing is claimed


PUBLIC_BUGS = [
    ({"length": 96, "head": 8, "depth": 64}, {"head": 8, "length": 96, "depth": 64}),  # Informer2020, issue 59
    ({"channel": 2048, "row": 7, "column": 7}, {"place": 49, "channel": 2048}),  # knowing-when-to-look, issue 6
    ({"channel": 1024, "row": 7, "column": 7}, {"place": 49, "channel": 1024}),  # keras, issue 2167
]


@pytest.mark.parametrize(("axes", "to"), PUBLIC_BUGS)
def test_public_bugs(axes: dict[str, int], to: dict[str, int], tmp_path: Path) -> None:
    """As written they are refused; as the fix writes them, Keras gives every axis what it is called after."""
    path = written(tmp_path, axes, [[{"Reshape": {"to": to}}]])
    found = pipeline.diagnose(path)
    assert [d.code for d in found] == ["NN301"]
    text, made = fix_text(path.read_text(encoding="utf-8"), found)
    assert len(made) == 1
    path.write_text(text, encoding="utf-8")
    graph = pipeline.check(path).graph
    value = graph.outputs["y0"].value
    assert {axis.name: axis.size for axis in value.axes} == to
    check_axes(value.axes, through_keras(graph, tuple(axes.values()))["y0"], list(axes), tuple(axes.values()))


# ----------------------------------------------------------------------------------------- gradients

LENGTH = 48


def layer(draw: Random, *, keeps_length: bool = False) -> dict[str, Any]:
    """A layer that slides over time, of any padding, stride and dilation that go together."""
    kernel = draw.randint(1, 4)
    padding = draw.choice(["same", "causal"]) if keeps_length else draw.choice(["same", "valid", "causal"])
    moves: dict[str, Any] = {}
    if draw.random() < 0.4:
        moves = {"dilation_rate": draw.randint(2, 3)}
    elif not keeps_length and draw.random() < 0.5:
        moves = {"strides": draw.randint(2, 3)}
    kind = draw.choice(["Conv1D", "Conv1D", "SeparableConv1D", "pool"])
    if kind == "pool":
        strides = 1 if keeps_length else draw.randint(1, 3)
        padding = "same" if keeps_length or padding == "causal" else padding
        return {"AveragePooling1D": {"pool_size": kernel, "strides": strides, "padding": padding}}
    if kind == "SeparableConv1D" and padding == "causal":
        padding = "same"
    return {kind: {"filters": 2, "kernel_size": kernel, "padding": padding, **moves}}


def network(seed: int) -> list[Any]:
    """One to three layers, or two branches that keep the length and are joined, and a layer behind them."""
    draw = Random(seed)
    if seed % 3:
        return [layer(draw) for _ in range(draw.randint(1, 3))]
    one, two = ([layer(draw, keeps_length=True) for _ in range(draw.randint(1, 2))] for _ in range(2))
    one[0], two[0] = ({k: {**body, "from": f"start{seed}"} for k, body in side[0].items()} for side in (one, two))
    one[-1], two[-1] = (
        {k: {**body, "name": f"{name}{seed}"} for k, body in side[-1].items()}
        for side, name in ((one, "one"), (two, "two"))
    )
    join = draw.choice([{"Add": {}}, {"Multiply": {}}, {"Concatenate": {"axis": -1}}])
    ((kind, body),) = join.items()
    return [*one, *two, {kind: {**body, "from": [f"one{seed}", f"two{seed}"]}}, layer(draw)]


def rows(model: Any, name: str, positions: int) -> np.ndarray:
    """For every output position, the size of its gradient at every input position, from one backward pass.

    Row i of the batch is asked for position i alone.
    """
    x = tf.constant(np.random.default_rng(0).uniform(0.5, 1.5, (positions, LENGTH, 2)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = model(x)
        asked = tf.reduce_sum(tf.linalg.diag_part(tf.transpose(made[name], [2, 0, 1])))
    gradient = tape.gradient(asked, x)
    return np.abs(np.asarray(gradient)).sum(axis=-1)


def bounds(field: Field, position: int) -> tuple[float, float]:
    if field.ahead is None or field.behind is None:
        return 0, LENGTH - 1
    return float(field.stride * position - field.behind), float(field.stride * position + field.ahead)


def test_the_gradient_stays_inside_the_field_and_fills_it(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    networks = [network(seed) for seed in range(36)]
    graph = pipeline.check(written(tmp_path, {"time": LENGTH, "channel": 2}, networks)).graph
    model = build_model(graph).model
    draw = np.random.default_rng(1)
    for weight in model.weights:  # positive, so that nothing cancels
        weight.assign(draw.uniform(0.5, 1.5, weight.shape))
    filled = 0
    for name, output in graph.outputs.items():
        field, positions = output.value.fields["time"], output.value.axes[0].size
        assert isinstance(positions, int)
        assert field.size is not None
        for position, row in enumerate(rows(model, name, positions)):
            touched = np.flatnonzero(row)
            first, last = bounds(field, position)
            assert touched.size
            assert first <= touched[0], (name, networks[int(name[1:])], field, position)
            assert touched[-1] <= last, (name, networks[int(name[1:])], field, position)
            assert touched[-1] - touched[0] < field.size
            if first >= 0 and last < LENGTH and field.ahead is not None:  # no padding in sight
                assert (touched[0], touched[-1]) == (first, last), (name, networks[int(name[1:])], field, position)
                filled += 1
    assert filled > 400
