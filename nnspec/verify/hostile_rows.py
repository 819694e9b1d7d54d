"""Difficult rows that random inputs do not cover: padding anywhere, empty texts, extreme values.

One batch holds a row of every kind, so that the whole set costs one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.verify.hostile_inputs import padding_of, readers
from nnspec.verify.samples import WeightsOf

Inputs = Mapping[str, np.ndarray]

PADDINGS = ("none", "right", "left", "middle", "right", "whole", "left", "scattered")
EXTREME = 1e3  # times what the network expects
UNKNOWN_TEXTS = ("", " ", "?!", "zzyzx qwertz", "ÆØÅ ﬀ 漢字", "a " * 40)


@dataclass(frozen=True, eq=False)
class Padding:
    """How the rows of an input are padded.

    Attributes:
        value: what padded positions hold.
        step: the axis (batch included) that padding runs along; what lies along all others is padded together.
        is_right_only: whether the deployed graph may take for granted that nothing but padding follows padding.
    """

    value: Any
    step: int
    is_right_only: bool = False


@dataclass(frozen=True, eq=False)
class Variant:
    """Raw inputs to compare on.

    Attributes:
        name: what was done to them.
        inputs: by name; all have as many rows.
        rows: what was done to each row.
    """

    name: str
    inputs: dict[str, np.ndarray]
    rows: tuple[str, ...]

    def described(self, row: int) -> str:
        """What was done to a row, in words."""
        if self.name.startswith("padding"):
            return f"a row with {self.name}: {self.rows[row]}"
        return f"a row of {self.name}: {self.rows[row]}"

    def cut(self, rows: Sequence[int]) -> Variant:
        """Some of the rows."""
        kept = {name: array[list(rows)] for name, array in self.inputs.items()}
        return Variant(self.name, kept, tuple(self.rows[row] for row in rows))


def hostile_rows(
    graph: Graph,
    drawn: Inputs,
    deployment: Deployment | None = None,
    *,
    weights_of: WeightsOf = lambda node: {},
    seed: int = 0,
) -> Iterator[Variant]:
    """The drawn rows made hostile: padded, then with strange values.

    Args:
        drawn: ordinary raw inputs by name, axes `batch *axes of the input`: random ones, or rows of the data. They are
            repeated where there are fewer than rows are wanted.
        deployment: what the data say of padding; none without data.
        weights_of: a node's weights, where they are known.

    Yields:
        `padding` for each way in which the inputs are padded together, where something of the graph knows padding,
        and `values`.
    """
    rng = np.random.default_rng(seed)
    known = paddings(graph, deployment or Deployment(), weights_of)
    for turn in range(max((len(found) for found in known.values()), default=0)):
        chosen = {name: found[turn % len(found)] for name, found in known.items()}
        yield _padded(drawn, chosen, rng)
    strange = _strange(graph, drawn, known)
    if strange is not None:
        yield strange


def whole_rows(variant: Variant, kind: str = "whole") -> Variant:
    """The first row of a kind by itself: a batch of one."""
    return replace(variant.cut([variant.rows.index(kind)]), name=f"{variant.name}, a batch of one")


# ------------------------------------------------------------------------------------------------- padding


def paddings(graph: Graph, deployment: Deployment, weights_of: WeightsOf) -> dict[str, list[Padding]]:
    """How each input may be padded: what the data say, else what the layers that make masks of it take for padding."""
    found: dict[str, list[Padding]] = {}
    for name, value in graph.inputs.items():
        transform = deployment.inputs.get(name)
        if transform is not None and transform.pad_value is not None and transform.step is not None:
            found[name] = [Padding(transform.pad_value, transform.step, is_right_only=True)]
            continue
        made = padding_of(graph, name, weights_of)
        if made is not None and value.axes:
            every = reversed(range(1, 1 + len(value.axes)))  # an id or a word is padding at any position
            steps = every if not value.dtype.startswith("float") else [made.axis or 1]
            found[name] = [Padding(made.value, step) for step in steps]
    return found


def _padded(drawn: Inputs, how: Mapping[str, Padding], rng: np.random.Generator) -> Variant:
    count = len(PADDINGS)
    inputs = {name: _repeated(array, count) for name, array in drawn.items()}
    for name, padding in how.items():
        array = inputs[name].astype(object) if inputs[name].dtype.kind == "U" else inputs[name]
        size = array.shape[padding.step]
        kinds = ["right" if padding.is_right_only and kind not in ("none", "whole") else kind for kind in PADDINGS]
        flags = np.stack([padded_steps(kind, size, rng) for kind in kinds])
        spread = [count, *(size if i == padding.step else 1 for i in range(1, array.ndim))]
        inputs[name] = np.where(flags.reshape(spread), np.asarray(padding.value, array.dtype), array)
    return Variant("padding", inputs, PADDINGS)


def padded_steps(kind: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Which of `size` steps are padding, at random lengths: bool, axes `step`."""
    place = np.arange(size)
    count = int(rng.integers(1, size)) if size > 1 else 0
    made: Mapping[str, Callable[[], np.ndarray]] = {
        "none": lambda: place < 0,
        "right": lambda: place >= size - count,
        "left": lambda: place < count,
        "middle": lambda: (place >= (size - count + 1) // 2) & (place < (size + count) // 2),
        "scattered": lambda: rng.random(size) < 0.5,
        "whole": lambda: place >= 0,
    }
    return made[kind]()


def _repeated(array: np.ndarray, count: int) -> np.ndarray:
    return np.take(array, np.arange(count) % len(array), axis=0)


# ------------------------------------------------------------------------------------------------- values


def _strange(graph: Graph, drawn: Inputs, known: Mapping[str, Sequence[Padding]]) -> Variant | None:
    """A row each of what is constant, tiny, huge, empty or unknown; the first rows as they were drawn."""
    rows = ("ordinary", "ordinary", "zeros", "constant", "huge", "huge and negative", "tiny", "negative")
    inputs = {name: _repeated(array, len(rows)).copy() for name, array in drawn.items()}
    changed = False
    for name, value in graph.inputs.items():
        array = inputs[name]
        if value.dtype == "string":
            texts = np.empty(len(rows), object)
            texts[:] = [None, None, *UNKNOWN_TEXTS]
            array = array.astype(object)
            for row in range(2, len(rows)):
                array[row] = _for_lookup(graph, name, texts[row], array[row])
            inputs[name] = array
            changed = True
        elif value.dtype.startswith("float"):
            pads = {one.value for one in known.get(name, ()) if isinstance(one.value, float)}
            usual = float(np.max(np.abs(array), initial=0.0)) or 1.0
            array[2] = 0.0
            array[3] = usual / 2 if usual / 2 not in pads else usual / 3
            array[4] *= EXTREME
            array[5] = -np.abs(array[5]) * EXTREME
            array[6] /= EXTREME
            array[7] = -np.abs(array[7])
            changed = True
        elif value.dtype == "bool":
            array[2], array[3] = False, True
            changed = True
        else:
            array[2], array[3] = array.min(), array.max()
            changed = True
    return Variant("values", inputs, rows) if changed else None


def _for_lookup(graph: Graph, name: str, text: str, before: np.ndarray) -> Any:
    """The text, where what looks it up takes words that it does not know; else as it was."""
    strict = any(node.args.get("num_oov_indices") == 0 for node, _ in readers(graph, name))
    return before if strict else text
