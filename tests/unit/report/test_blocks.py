"""Networks as nested blocks: every layer once, in order, and repeats told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec import pipeline
from nnspec.ir.graph import Graph
from nnspec.report.blocks import Block, Item, Leaf, Repeat, blocks_in, items_of

NETWORKS = sorted(Path("specs/networks").glob("*.yaml"))


def graph_of(name: str) -> Graph:
    return pipeline.check(Path(f"specs/networks/{name}.yaml")).graph


def names(items: tuple[Item, ...]) -> list[str]:
    return [item.name for item in items]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_every_layer_stands_once_and_few_items_on_a_level(path: Path) -> None:
    graph = pipeline.check(path).graph
    items = items_of(graph)
    assert [node for item in items for node in item.nodes] == list(graph.nodes)
    assert len(items) <= 24
    assert len(list(blocks_in(items))) == len({item.name for item in blocks_in(items)})


def test_equal_blocks_in_a_row_stand_together() -> None:
    (repeat,) = [item for item in items_of(graph_of("bert_base")) if isinstance(item, Repeat)]
    assert (repeat.name, len(repeat.times), repeat.told) == ("layer_1 … layer_12", 12, "12 × 9 layers")
    assert repeat.is_equal


def test_blocks_that_change_sizes_stay_apart_where_there_is_room() -> None:
    """Of ResNet50's sixteen units the first of each stage has a convolution in its shortcut."""
    assert [name for name in names(items_of(graph_of("resnet50"))) if name.startswith("unit")] == [
        "unit_1", "unit_2 … unit_3", "unit_4", "unit_5 … unit_7", "unit_8", "unit_9 … unit_13", "unit_14",
        "unit_15 … unit_16",
    ]  # fmt: skip


def test_layers_that_others_skip_to_stay_apart() -> None:
    """U-Net's way down and its way up both repeat, and each stage of one is read by one of the other."""
    found = names(items_of(graph_of("unet")))
    assert [name for name in found if name.startswith(("down", "up"))] == [
        "down_1", "down_2", "down_3", "down_4", "up", "up_1", "up_2", "up_3", "up_4",
    ]  # fmt: skip


def test_items_that_repeat_together_have_a_period() -> None:
    """WaveNet's residual layers are five items each, under no common name; the first has no sum to add to."""
    (repeat,) = [item for item in items_of(graph_of("wavenet")) if isinstance(item, Repeat)]
    assert len(repeat.times[0]) == 5
    assert len(repeat.times) > 20


def test_a_small_network_is_told_layer_by_layer() -> None:
    items = items_of(pipeline.check(Path("specs/causal_cnn.yaml")).graph)
    assert all(isinstance(item, Leaf | Block) for item in items)
