"""What the rows of a file before its windows say of the targets: naive forecasts, and the scale of errors.

A build measures its splits so, with the scale of the series that were trained on, which its file records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.data.prepare.history import History
from nnspec.runtime.ports import Metadata
from nnspec.runtime.rows.row_order import series_columns
from nnspec.runtime.rules.series_keys import join_keys

Array = np.ndarray
Keys = Mapping[str, Sequence[str]]
SO_FAR, NAIVE, LAST = " so far", " naive", " last"  # behind the name of an output; those of inputs have no spaces


def past_ports(name: str, body: Metadata, horizon: Sequence[int]) -> dict[str, dict[str, object]]:
    """What is read beside the inputs, as the metadata describe an input; empty where the file records no past."""
    past = body.get("past")
    if not past:
        return {}
    columns = list(body["columns"])
    plain = {
        "dtype": "float64",
        "axes": [["batch", None], ["column", len(columns)]],
        "columns": columns,
        "gaps": columns,
        "is_measured": True,
        "step": None,
    }
    found: dict[str, dict[str, object]] = {
        f"{name}{LAST}": plain,
        f"{name}{SO_FAR}": {**plain, "past": {"errors": past["season"]}},
    }
    if past["season"] > 1:
        found[f"{name}{NAIVE}"] = {**plain, "past": {"naive": past["season"], "horizon": list(horizon)}}
    return found


def history_of(
    name: str, body: Metadata, metadata: Metadata, read: Mapping[str, Array], keys: Keys, horizon: Sequence[int]
) -> tuple[History, dict[int, str]] | None:
    """The history of windows whose targets have axes `sample row column`, and the names of their series.

    None where the file records no past.

    Args:
        read: the ports of `past_ports`, of all samples.
        keys: of all samples, the columns that tell them apart.
    """
    past = body.get("past")
    if not past:
        return None
    last, scale = read[f"{name}{LAST}"].astype(np.float64), read[f"{name}{SO_FAR}"].astype(np.float64)
    told = [list(map(str, keys[key])) for key in series_columns(metadata) if key in keys]
    words = (join_keys(told) if len(told) > 1 else told[0]) if told else [""] * len(last)
    names, codes = np.unique(np.asarray(words, dtype=str), return_inverse=True)
    trained: Mapping[str, Sequence[float | None]] = past["scale"]
    scales = [trained.get(str(label)) for label in names]
    for code, known in enumerate(scales):
        if known is not None:
            scale[codes == code] = [np.nan if value is None else value for value in known]
    count = len(horizon)
    naive = read.get(f"{name}{NAIVE}")
    return History(
        naive=None if naive is None or np.isnan(naive).any() else naive.astype(np.float64),
        last=None if not past["is_read"] or np.isnan(last).any() else np.repeat(last[:, None], count, axis=1),
        scale=np.repeat(scale[:, None], count, axis=1),
        series=codes.astype(np.int64),
        horizon=tuple(horizon),
        step=1,
    ), {code: str(label) for code, label in enumerate(names)} if told else {}
