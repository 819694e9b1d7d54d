"""Random cells in encoded columns: what `nnspec check` calls clean loads, the graph's encodings give what training had,
and a deployed model reads the same raw values from the same file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec import api
from nnspec.diagnostics import SpecError
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.metadata.model import describe_model
from nnspec.runtime.reading import read_samples
from tests.support.encoded_columns import run_graph

ROWS = 6
Table = tuple[str, str, object, list[str]]  # the encoding, the rule for gaps, the markers, and the cells
WORDS = st.sampled_from(["yes", "No", "Y", "t", "0", "1", "1.0", "TRUE", "", "NA", "?", " no ", "maybe", "-999"])
DATES = st.sampled_from(
    [
        *("2020-01-01", "2020-02-29 13:45", "1969-12-31T23:59:59", "2020-01-01T10:00+02:00", "2020-01-01T00:00Z", ""),
        *("31/12/2020", "20200101", "NaN", "?", "1999-12-31 00:00:00.5", " 2021-06-06", "-999", "2020"),
    ]
)
LISTS = st.sampled_from(["a", "a|b", "b|a", " a | c ", "|", "a||b", "", "?", "NA", "c|NA", "1|1.0", "true", "-999"])
NUMBERS = st.sampled_from(["1", "-2.5", "", "NA", "?", "-999", "-999.0", "1e3", "7"])
LIKELY = st.sampled_from([0, 0, 0, 1, 2])  # mostly one kind of cell, so that many tables are clean
KINDS = {
    "boolean": (WORDS, ("yes", "No", "")),
    "{boolean: [maybe, yes]}": (WORDS, ("yes", "maybe", "")),
    "{date: [year, week, hour]}": (DATES, ("2020-01-01", "2020-02-29 13:45", "")),
    "{date: {parts: [month, weekday], cyclic: true}}": (DATES, ("1969-12-31T23:59:59", "20200101", "")),
    "multi_hot": (LISTS, ("a|b", " a | c ", "")),
    "{multi_hot: [a, '1']}": (LISTS, ("a", "b|a", "")),
    "standard": (NUMBERS, ("1", "-2.5", "")),
    "one_hot": (WORDS, ("yes", "No", "")),
}
RULES = ["error", "most_frequent", "constant", "category", "indicator", "median", "forward_fill", "drop"]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    kind = draw(st.sampled_from(sorted(KINDS)))
    odd, usual = KINDS[kind]
    cells = [draw(odd) if draw(LIKELY) == 2 else draw(st.sampled_from(usual)) for _ in range(ROWS)]
    return kind, draw(st.sampled_from(RULES)), draw(st.sampled_from([None, "?", -999, ["?", -999]])), cells


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables())
def test_clean_columns_load_and_serve(table: Table, tmp_path_factory: pytest.TempPathFactory) -> None:
    kind, rule, markers, cells = table
    folder: Path = tmp_path_factory.mktemp("t")
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["c", "y"], *([cell, row] for row, cell in enumerate(cells))])
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": "auto"}}},
        "model": [{"Dense": {"units": 1, "as": "target"}}],
        "outputs": {"y": {"task": "regression"}},
        "data": {
            "source": {"csv": "a.csv", **({} if markers is None else {"na_values": markers})},
            "missing": {"c": rule},
            "split": {"train": 0.5, "test": 0.5, "by": "order"},
            "inputs": {"x": {"columns": {"c": yaml.safe_load(kind)}}},
            "outputs": {"y": {"columns": ["y"]}},
        },
    }
    (folder / "s.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    loaded = api.load(folder / "s.yaml")
    if any(fault.is_error for fault in loaded.check()):
        return
    try:
        data = load_dataset(loaded.checked)
    except SpecError as error:
        told = [(fault.code, "no training row has a value" in fault.message) for fault in error.diagnostics]
        if told != [("NN504", True)]:  # which rows train is for the loader to say
            raise
        return
    metadata = describe_model(loaded.graph, loaded.checked.data, data.deployment, {}, "")
    for split in data.splits.values():
        (port,) = data.deployment.columns["x"].ports.values()
        np.testing.assert_array_equal(run_graph(port, split.raw["c"]), split.x["x"])
    if rule == "drop":
        return
    found = read_samples(folder / "a.csv", metadata).inputs["c"]
    rows = np.concatenate([split.rows for split in data.splits.values()])
    served = port.apply(found)
    wanted = np.concatenate([split.x["x"] for split in data.splits.values()])
    np.testing.assert_array_equal(served[rows], wanted)
