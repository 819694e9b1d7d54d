"""What the data of a training have otherwise than those that its weights to start from were trained on.

Statistics and words are those of the training rows. Weights that were trained on others read the same values as other
numbers: a training tells where that is so, since nothing of it can be seen in shapes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.number import NumberEncoding
from nnspec.data.prepare.encodings.words import WordEncoding
from nnspec.data.prepare.transforms import Scaling
from nnspec.jobs.start import start_file
from nnspec.pipeline import Checked

MOST = 0.1  # of what was 1 to the weights, that a value may move by unmentioned
BESIDE = "preprocessing.json"  # in the directory of a build


def notes_of_other_data(checked: Checked, deployment: Deployment) -> Iterator[str]:
    """How inputs are encoded otherwise than for the weights to start from, where a build has left that beside them."""
    found = start_file(checked)
    beside = found.path.parent / BESIDE if found is not None else None
    if found is None or beside is None or not beside.is_file():
        return
    source = f"the weights in {found.start.source}"
    before = Deployment.from_json(json.loads(beside.read_text(encoding="utf-8")))
    for name, transform in deployment.inputs.items():
        if name in before.inputs:
            yield from _of_scaling(f"input `{name}`", before.inputs[name].scaling, transform.scaling, source)
    for name, encoded in deployment.columns.items():
        known = before.columns.get(name)
        for port, encoding in encoded.ports.items():
            if known is not None and port in known.ports:
                yield from _of_column(f"column `{port}`", known.ports[port], encoding, source)


def _of_column(what: str, before: Encoding, now: Encoding, source: str) -> Iterator[str]:
    if isinstance(before, WordEncoding) and isinstance(now, WordEncoding):
        pairs = zip(before.words, now.words, strict=False)
        place = next((place for place, (old, new) in enumerate(pairs) if old != new), None)
        if place is not None:
            yield (
                f"{what} has other words than {source} were trained on: what is `{now.words[place]}` here was "
                f"`{before.words[place]}` there; list the words in the spec, in the order of the weights"
            )
    if isinstance(before, NumberEncoding) and isinstance(now, NumberEncoding):
        old, new = (Scaling(np.asarray(one.offset), np.asarray(one.divisor)) for one in (before, now))
        yield from _of_scaling(what, old, new, source)


def _of_scaling(what: str, before: Scaling | None, now: Scaling | None, source: str) -> Iterator[str]:
    if before is None and now is None:
        return
    if before is None or now is None:
        yield f"{what} is {'not ' if now is None else ''}scaled here, but {source} were trained on the opposite"
        return
    if before.offset.shape != now.offset.shape:
        return  # another input altogether, whose weights cannot fit
    zero = (before.offset - now.offset) / now.divisor
    one = zero + before.divisor / now.divisor
    moved = np.maximum(np.abs(zero), np.abs(one - 1))
    if np.max(moved, initial=0.0) <= MOST:
        return
    place = np.unravel_index(np.argmax(moved), moved.shape)
    yield (
        f"{what} is scaled by the training rows here: what was 0 and 1 to {source} is {zero[place]:.3g} and "
        f"{one[place]:.3g} now; a `Normalization` in the network, instead of `scale`, would keep their statistics"
    )
