"""A layer kind is its facets: what it must give stands in `Layer`, every other concern in one facet alone."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

from nnspec.ir.graph import LayerKind
from nnspec.layers.kit import facets
from nnspec.layers.kit.base import Layer
from nnspec.layers.registry import REGISTRY

FACETS = [facet for facet in Layer.__mro__ if facet.__module__.startswith(facets.__name__)]


def annotations(facet: type) -> dict[str, str]:
    return vars(facet).get("__annotations__", {})


def said(facet: type) -> Iterator[str]:
    """The flags that a class gives a value, and its methods."""
    for name, value in list(vars(facet).items()):
        if not name.startswith("_") and (name not in ("args", "kind") or facet is Layer):
            assert isinstance(value, FunctionType | property) or name in annotations(facet)
            yield name


def test_what_a_kind_must_give_stands_in_layer() -> None:
    assert {*said(Layer), *annotations(Layer)} == {"kind", "args", "infer", "to_onnx"}


def test_every_concern_has_one_place() -> None:
    names = [name for facet in FACETS for name in said(facet)]
    assert len(names) > 30
    assert sorted(names) == sorted(set(names))
    modules = {path.stem for path in Path(facets.__file__).parent.glob("*.py")} - {"__init__"}
    assert {facet.__module__.rpartition(".")[2] for facet in FACETS} == modules
    assert set(re.findall(r"^\| `(\w+)`", facets.__doc__ or "", re.M)) == modules


def test_flags_are_documented_where_they_stand() -> None:
    for facet in FACETS:
        flags = [name for name in said(facet) if name in annotations(facet)]
        assert not [name for name in flags if f"        {name}: " not in (facet.__doc__ or "")], facet


def test_the_graph_asks_for_nothing_else() -> None:
    asked = {name for name in vars(LayerKind) if not name.startswith("_")}
    assert asked <= {*vars(Layer), *(name for facet in FACETS for name in said(facet))} | {"kind"}


def test_kinds_say_nothing_that_nobody_asks() -> None:
    """A flag that a kind spells otherwise than its facet would have no effect."""
    known = {name for facet in (Layer, *FACETS) for name in said(facet)}
    for layer in REGISTRY.values():
        own = {name for cls in type(layer).__mro__ if cls not in (Layer, *FACETS, object) for name in vars(cls)}
        flags = {name for name in own if isinstance(getattr(type(layer), name, None), bool)} - known
        assert not [name for name in flags if difflib.get_close_matches(name, known, cutoff=0.85)], layer.kind
