"""Chunks put together, for what has to see all samples at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def concatenate_chunks(read: Callable[[], Iterator[np.ndarray]]) -> np.ndarray:
    """All chunks that `read` gives, along their first axis; masked where one is. In a file where they are large."""
    import numpy as np

    from nnspec.data.arrays import mapped

    sizes, is_masked = [], False
    first = None
    for chunk in read():
        first = chunk[:0] if first is None else first
        sizes.append(len(chunk))
        is_masked = is_masked or isinstance(chunk, np.ma.MaskedArray)
    assert first is not None
    shape = (sum(sizes), *first.shape[1:])
    found = mapped.empty(shape, first.dtype)
    hidden = mapped.zeros(shape, np.bool_) if is_masked else None
    done = 0
    for size, chunk in zip(sizes, read(), strict=True):
        found[done : done + size] = np.ma.getdata(chunk)
        if hidden is not None:
            hidden[done : done + size] = np.ma.getmaskarray(chunk)
        done += size
    return found if hidden is None else np.ma.array(found, mask=hidden, copy=False)
