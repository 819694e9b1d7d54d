"""Samples that are too many for memory: which they are, and predictions of them batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from nnspec.backends.base import Samples
from nnspec.backends.types import Tensor, Values
from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered

_MOST_AT_ONCE, _BYTES_AT_ONCE = 4096, 1 << 23
IN_MEMORY = 1 << 28  # bytes of arrays that an engine may copy as a whole


def parts_of(samples: Samples) -> tuple[Values, ...]:
    """Inputs and targets, with `weights` behind them where there are any."""
    return tuple(part for part in (samples.inputs, samples.targets, samples.weights) if part is not None)


def flat(values: Values) -> list[Tensor]:
    """The arrays of a part, in the order of their names' places."""
    return list(values.values()) if isinstance(values, dict) else [values]


def is_large(arrays: Iterable[Tensor]) -> bool:
    """Whether samples are gathered batch by batch, rather than handed to an engine as a whole."""
    known = [array for array in arrays if isinstance(array, Gathered | np.ndarray)]
    if any(isinstance(array, Gathered) for array in known):
        return True
    return sum(array.nbytes for array in known if array.dtype.kind != "O") > IN_MEMORY


def is_streamed(samples: Samples) -> bool:
    return is_large(array for part in parts_of(samples) for array in flat(part))


def batch_for(inputs: Mapping[str, np.ndarray], usual: int = 256) -> int:
    """How many samples are predicted at a time: more of those that are gathered, as far as they are small."""
    if not any(isinstance(values, Gathered) for values in inputs.values()):
        return usual
    size = sum(values.nbytes // max(1, len(values)) for values in inputs.values())
    return max(usual, min(_MOST_AT_ONCE, _BYTES_AT_ONCE // max(1, size)))


def predict_in_batches(compute: Callable[[Values], Values], inputs: Values, batch_size: int) -> Values:
    """What a function of a batch gives for all samples: axes `sample *output`, in files where that is much."""
    count = len(flat(inputs)[0])
    found: dict[str, np.ndarray] = {}
    is_alone, named = True, inputs if isinstance(inputs, dict) else None
    for start in range(0, count, batch_size):
        part = slice(start, min(start + batch_size, count))
        rows = np.arange(start, start + min(batch_size, count)).clip(max=count - 1)  # of one size: one trace
        given: Values = (
            {n: _take_rows(a, rows) for n, a in named.items()} if named is not None else _take_rows(inputs, rows)
        )
        made = compute(given)
        is_alone = not isinstance(made, dict)
        for name, values in ({"": made} if is_alone else made).items():
            array = np.asarray(values)
            if name not in found:
                found[name] = mapped.empty((count, *array.shape[1:]), array.dtype)
            found[name][part] = array[: part.stop - start]
    return found[""] if is_alone else found


def _take_rows(values: Tensor, rows: np.ndarray) -> Tensor:
    """These rows of an array, or of the tensor that text is."""
    if isinstance(values, Gathered | np.ndarray):
        return values[rows]
    from keras import ops

    return ops.take(values, rows, axis=0)
