"""A walk over `keras.layers`: every class is a layer of nnspec, another name of one, or refused with its reason."""

from __future__ import annotations

import inspect

import keras
import pytest

from nnspec.explain.pages import page
from nnspec.layers.aliases import ALIASES
from nnspec.layers.refused import REFUSED
from nnspec.layers.registry import REGISTRY

CLASSES = {name: found for name, found in vars(keras.layers).items() if inspect.isclass(found)}


def test_every_class_of_keras_is_known() -> None:
    assert len(CLASSES) > 150
    missing = sorted(set(CLASSES) - set(REGISTRY) - set(ALIASES) - set(REFUSED))
    assert not missing


def test_what_is_refused_is_no_layer_here_and_one_of_keras() -> None:
    assert not set(REFUSED) & set(REGISTRY)
    assert set(REFUSED) <= set(CLASSES)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_kind_has_a_page(kind: str) -> None:
    text = page(kind)
    assert text is not None
    assert REFUSED[kind].reason in text
    assert REFUSED[kind].instead in text
