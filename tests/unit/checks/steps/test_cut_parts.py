"""Reshapes of joined parts, and pairs of reshapes that change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec.pipeline import diagnose

Item = object

PARTS: list[Item] = [{"Dense": {"name": f"part_{i}", "from": "x", "units": 6}} for i in range(3)]
JOINED: Item = {"Concatenate": {"name": "all", "from": ["part_0", "part_1", "part_2"]}}


def codes(tmp_path: Path, model: list[Item]) -> list[str]:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 4, "feature": 5}}},
        "model": [*model, "Flatten", {"Dense": 1}],
        "outputs": {"y": {"task": "regression"}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return [diagnostic.code for diagnostic in diagnose(path)]


def is_a_part_at_each_position(shape: tuple[int, int], axis: int) -> bool:
    """Whether the positions along an axis of what the joined units are reshaped to are the parts, by NumPy."""
    parts = np.concatenate([np.full(6, i) for i in range(3)]).reshape(shape)
    return bool(np.all(parts == np.expand_dims(np.arange(shape[axis]) % 3, 1 - axis)))


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (9, 2), (2, 9)])
@pytest.mark.parametrize("kind", ["Reshape", "split"])
def test_parts(kind: str, shape: tuple[int, int], tmp_path: Path) -> None:
    """Told where the axis of 3 is not that of the parts; other cuts may be groups of channels."""
    item = {"Reshape": [4, *shape]} if kind == "Reshape" else {"split": {"unit": dict(zip("ab", shape, strict=True))}}
    is_wrong = 3 in shape and not is_a_part_at_each_position(shape, shape.index(3))
    assert codes(tmp_path, [*PARTS, JOINED, item]) == (["NN346"] if is_wrong else [])


def test_units_of_one_layer_may_be_cut_in_any_way(tmp_path: Path) -> None:
    assert codes(tmp_path, [{"Dense": 18}, {"Reshape": [4, 6, 3]}]) == []


def test_parts_are_known_behind_an_activation(tmp_path: Path) -> None:
    assert codes(tmp_path, [*PARTS, JOINED, "ReLU", {"Dropout": 0.5}, {"Reshape": [4, 6, 3]}]) == ["NN346"]


GROUPS: Item = {"Conv1D": {"filters": 18, "kernel_size": 1, "groups": 3}}
CUT: Item = {"Reshape": {"name": "cut", "target_shape": [4, 3, 6]}}
WHOLE: Item = {"Reshape": [4, 18]}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ([{"Dense": 18}, GROUPS, CUT, WHOLE, GROUPS], ["NN347"]),
        ([{"Dense": 18}, GROUPS, CUT, {"Permute": [1, 3, 2]}, WHOLE, GROUPS], []),
        ([{"Dense": 18}, GROUPS, CUT, {"LayerNormalization": {"axis": -1}}, WHOLE, GROUPS], []),
        ([{"Dense": 18}, GROUPS, CUT, "Flatten"], []),
        ([{"Dense": 18}, GROUPS, {"Reshape": [2, 2, 18]}, WHOLE, GROUPS], []),  # steps are cut and merged
        ([{"Dense": 18}, CUT, WHOLE], []),  # of no use, but there are no groups to be shuffled
    ],
)
def test_a_reshape_that_is_undone(model: list[Item], expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, model) == expected


def test_what_is_read_in_between_is_of_use(tmp_path: Path) -> None:
    groups = {"reduce": {"name": "groups", "from": "cut", "axis": 2, "by": "mean"}}
    model = [{"Dense": 18}, GROUPS, CUT, {"Reshape": {"name": "w", "target_shape": [4, 18]}}, groups]
    assert codes(tmp_path, [*model, {"Concatenate": ["w", "groups"]}]) == []


def test_an_axis_of_one_position_comes_and_goes(tmp_path: Path) -> None:
    assert codes(tmp_path, [{"Dense": 18}, {"insert": {"channel": 1}}, {"drop": "channel"}]) == []
