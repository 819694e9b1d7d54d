"""Hashing and HashedCrossing train, and do not export: tests/layers/preprocessing/test_lookup.py has what they do."""

from __future__ import annotations

from tests.support.layer_cases import Case

CASES: list[Case] = []
NOT_EXPORTED = dict.fromkeys(("Hashing", "HashedCrossing"), "no operator of ONNX computes their hash (NN601)")
