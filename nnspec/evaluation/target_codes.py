"""Targets as metrics compare them, made of what stands in a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.ports import Metadata
from nnspec.runtime.rows.columns import GAP, words_in_one_spelling
from nnspec.runtime.rules.class_labels import spell_out
from nnspec.runtime.rules.label_keys import label_key

Array = np.ndarray


class Targets:
    """Targets of an output as metrics compare them: numbers, 0 and 1, or class indices.

    Args:
        body: the output in the metadata of the evaluation.
        output: the output in the metadata of the model.
    """

    def __init__(self, name: str, body: Metadata, output: Metadata) -> None:
        self.name, self.body = name, body
        self._labels = [label_key(label) for label in output.get("classes") or (0, 1)]
        own_labels = spell_out(body.get("labels")) or ()  # as the data of training had them
        own = {label_key(label): i for i, label in enumerate(own_labels)}
        if self._labels == ["0", "1"]:
            own |= {"false": 0, "true": 1}
        self._codes = {GAP: 0, **own, **{label: i for i, label in enumerate(self._labels)}}
        self._strange: set[str] = set()
        self._count = self._odd = self._first = 0

    def encode(self, values: Array, counted: NDArray[np.bool_] | None = None) -> tuple[Array, NDArray[np.bool_]]:
        """Those of some samples, and which samples have all of theirs.

        Targets that do not count become the first class, or 0, as do those that are none of the classes.
        """
        if self.body["reads"] == "numbers":
            numbers = values.astype(np.float64)
            if counted is not None:
                numbers = np.where(counted, numbers, 0.0)
            known = np.asarray(np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1))
            if self.body.get("edges") is not None:
                edges = np.asarray(self.body["edges"], dtype=np.float64)
                return (numbers[..., None] > edges).sum(axis=-1), _count_only(known, counted)
            return numbers, _count_only(known, counted)
        words = words_in_one_spelling(values.astype(object))
        if counted is not None:
            words = np.where(counted, words, self._labels[0]).astype(object)
        known = np.asarray((words != GAP).reshape(len(words), -1).all(axis=1))
        flat = words.reshape(-1).tolist()
        strange = {str(word) for word in set(flat)} - self._codes.keys()
        if strange:
            self._note(words.reshape(len(words), -1), strange)
        self._count += len(words)
        found = np.array([self._codes.get(word, 0) for word in flat], dtype=np.int64)
        return found.reshape(words.shape), _count_only(known, counted)

    def _note(self, words: Array, strange: set[str]) -> None:
        odd = [i for i, own in enumerate(words) if any(str(word) in strange for word in own)]
        self._first = self._first or self._count + odd[0] + 1
        self._odd += len(odd)
        self._strange |= strange

    def require_known(self) -> None:
        """Raises where a label was none of the model's classes."""
        if not self._strange:
            return
        count = self._count
        others = f"one of {count} samples" if self._odd == 1 else f"{self._odd} of {count} samples"
        raise InputError(
            f"output `{self.name}` has no class {quote_names(sorted(self._strange)[:5])}, the label of {others} (the "
            f"first is sample {self._first}); the model's classes are {quote_names(self._labels[:20])}: "
            "leave such samples out, or train with them"
        )


def _count_only(known: NDArray[np.bool_], counted: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Without the samples of which no target counts."""
    return known if counted is None else np.asarray(known & counted.reshape(len(counted), -1).any(axis=1))
