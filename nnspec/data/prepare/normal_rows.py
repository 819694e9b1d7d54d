"""Leaves the rows that are labelled as anomalies out of the training split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.rows import Rows
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.label_keys import label_key

Positions = NDArray[np.int64]


def only_normal(plan: DataPlan, rows: Mapping[tuple[str, str], Rows], train: Positions) -> Positions:
    """The training rows that no output which is trained on normal rows alone says are anomalies.

    Args:
        rows: of each input and output, in their final order.
        train: the positions of the training rows.
    """
    for slot in plan.outputs.values():
        if not slot.is_normal_only or slot.classes is None:
            continue
        given, anomaly = rows["outputs", slot.name], label_key(slot.classes.labels[1])
        distinct, inverse = np.unique(given.values[train], return_inverse=True)
        is_label = np.array([label_key(value) == anomaly for value in distinct.tolist()], dtype=bool)
        found = is_label[inverse].reshape(len(train), -1) & ~given.missing[train].reshape(len(train), -1)
        train = train[~found.any(axis=1)]
    return train
