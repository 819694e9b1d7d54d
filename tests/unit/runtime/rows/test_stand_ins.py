"""What stands for a missing value, in samples without a prediction, is one that the model takes."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.runtime.ports import Metadata, Port
from nnspec.runtime.rows.columns import check_dates, check_words, with_gaps
from nnspec.runtime.rows.stand_ins import stand_in


@pytest.mark.parametrize("encoding", ["category", "multi_hot", "boolean", "date", "number"])
@pytest.mark.parametrize("markers", [[], [0, "0", "word 0", "no", "false"]])
def test_it_is_no_gap(encoding: str, markers: list[object]) -> None:
    body: Metadata = {"encoding": encoding, "separator": "|", "options": {"na_values": {"c": markers}}}
    port = Port(
        "c",
        (("batch", None), ("column", 1)),
        "float32",
        columns=("c",),
        encoding=encoding,
        separator="|",
        markers=frozenset(map(str, markers)),
    )
    check = {"date": check_dates, "number": with_gaps}.get(encoding, check_words)
    check(port, np.array([[stand_in(body, "c")]], object if encoding != "number" else float))
