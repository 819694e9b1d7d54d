"""A table of mixed columns from training to a raw row: the deployed file encodes as scikit-learn does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import nnspec
from nnspec.backends.onnx.backend import ONNX
from nnspec.diagnostics import SpecError
from nnspec.jobs.verifying import run_verify
from nnspec.progress import Progress
from nnspec.runtime import InputError
from nnspec.runtime.reading import read_inputs

SPEC = """
nnspec: 1
name: people
inputs: {person: {axes: {feature: 9}}}
model: [{Dense: {units: 1, name: head, as: target}}]
outputs: {price: {task: regression}}
data:
  source: {csv: people.csv}
  missing: {age: {indicator: median}, deck: constant, sex: most_frequent}
  split: {train: 0.5, validation: 0.25, test: 0.25, by: order}
  inputs:
    person: {columns: {age: standard, sex: one_hot, fare: {transform: log1p, scale: standard}, deck: {one_hot: [A, B]}}}
  outputs: {price: {columns: {price: {transform: log1p, scale: standard}}}}
training: {epochs: 1, batch_size: 8}
"""
ROWS = 48


def table() -> dict[str, list[Any]]:
    """Raw values; None where there is none."""
    rng = np.random.default_rng(5)
    age = [None if i % 7 == 3 else int(rng.integers(1, 80)) for i in range(ROWS)]
    sex = [str(rng.choice(["male", "female"])) for _ in range(ROWS)]
    sex[5], sex[40], sex[44] = "", "other", ""
    fare = [round(float(rng.lognormal(3, 1)), 2) for _ in range(ROWS)]
    deck = [str(rng.choice(["", "A", "B", "Z"])) for _ in range(ROWS)]
    return {"age": age, "sex": sex, "fare": fare, "deck": deck, "price": [float(i % 9) for i in range(ROWS)]}


def features(columns: dict[str, list[Any]]) -> np.ndarray:
    """What the network should read of these columns, by scikit-learn's transformers fitted on the training rows."""
    half, known = ROWS // 2, table()

    def number(name: str, function: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        fitted, given = (np.array(t[name], float)[:, None] for t in (known, columns))
        imputer, scaler = SimpleImputer(strategy="median"), StandardScaler()
        fitted, given = imputer.fit_transform(fitted[:half]), imputer.transform(given)
        if function is not None:
            fitted, given = function(fitted), function(given)
        return np.asarray(scaler.fit(fitted).transform(given))

    def words(values: list[str], categories: list[str], gap: str | None) -> np.ndarray:
        filled = [gap if value == "" and gap else value for value in values]
        encoder = OneHotEncoder(categories=[categories], handle_unknown="ignore", sparse_output=False)
        return np.asarray(encoder.fit_transform(np.array(filled, object)[:, None]))

    training = [word for word in known["sex"][:half] if word]
    most = max(sorted(set(training)), key=training.count)
    sex, deck = words(columns["sex"], ["female", "male"], most), words(columns["deck"], ["A", "B"], None)
    gaps = np.array([value == "" for value in columns["deck"]], float)[:, None]
    unused = np.zeros((len(sex), 1))  # `other` is in a test row, and in no training row
    unknown = 1 - sex.sum(axis=1, keepdims=True)
    strange = 1 - deck.sum(axis=1, keepdims=True) - gaps
    unknown_age = np.isnan(np.array(columns["age"], float))[:, None]
    return np.hstack([number("age"), unknown_age, sex, unused, unknown, number("fare", np.log1p), deck, strange, gaps])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    (folder / "people.yaml").write_text(SPEC.replace("feature: 9", "feature: 11"), encoding="utf-8")
    write_csv(folder / "people.csv", table())
    nnspec.load(folder / "people.yaml").build(folder / "out")
    return folder


def write_csv(path: Path, columns: dict[str, list[Any]]) -> None:
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *lines]) + "\n", encoding="utf-8")


def expected(folder: Path, columns: dict[str, list[Any]]) -> np.ndarray:
    kernel, bias = keras.models.load_model(folder / "out" / "model.keras").get_layer("head").get_weights()
    known = np.log1p(np.array(table()["price"][: ROWS // 2]))[:, None]
    scaler = StandardScaler().fit(known)
    return np.asarray(np.expm1(scaler.inverse_transform(features(columns) @ kernel + bias)))


STRANGE: dict[str, list[Any]] = {
    "age": [None, 200, -5, 0.5, None],
    "sex": ["", "male", "female", "Male", "女"],
    "fare": [0, 1e6, 3, 0.001, 12],
    "deck": ["", "A", "Q", "B", "a long text, with a comma"],
}


def test_raw_columns_give_what_the_network_makes_of_them(folder: Path) -> None:
    model = nnspec.runtime.load(folder / "out" / "model.onnx")
    assert [str(port) for port in model.inputs.values()] == [
        "age: float32 (batch)",
        "sex: str (batch)",
        "fare: float32 (batch)",
        "deck: str (batch)",
    ]
    for columns in (STRANGE, {name: values for name, values in table().items() if name != "price"}):
        found = model(**columns)["price"]
        np.testing.assert_allclose(found, expected(folder, columns), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ["csv", "records", "columns"])
def test_files_of_raw_rows(form: str, folder: Path, tmp_path: Path) -> None:
    columns = {name: values[:4] for name, values in STRANGE.items()}
    file = tmp_path / ("rows.csv" if form == "csv" else "rows.json")
    if form == "csv":
        write_csv(file, columns)
    elif form == "columns":
        file.write_text(json.dumps(columns), encoding="utf-8")
    else:
        records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        file.write_text(json.dumps([{k: v for k, v in r.items() if v is not None} for r in records]), encoding="utf-8")
    model = nnspec.runtime.load(folder / "out" / "model.onnx")
    found = model(**read_inputs(file, model.metadata))["price"]
    np.testing.assert_allclose(found, expected(folder, columns), rtol=1e-4, atol=1e-4)


def test_metrics_are_those_of_predictions_on_raw_rows(folder: Path) -> None:
    metrics = json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8"))
    columns = {name: values[36:] for name, values in table().items()}
    target = np.array(columns.pop("price"))
    found = nnspec.runtime.load(folder / "out" / "model.onnx")(**columns)["price"].ravel()
    wanted = metrics["test"]["price"]["rmse"]
    assert np.sqrt(np.mean((found - target) ** 2)) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fare": [1, None, 3, 4, 5]}, "has NaN"),
        ({"age": ["old"] * 5}, "takes float32"),
        ({"age": [1, 2, float("inf"), 3, 4]}, "infinite"),
        ({"sex": [["male"]] * 5}, "needs 1 axes"),
        ({"sex": [object()] * 5}, "takes words"),
        ({"sex": ["male"] * 4}, "size"),
    ],
)
def test_refused(changed: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(InputError, match=message):
        nnspec.runtime.load(folder / "out" / "model.onnx")(**{**STRANGE, **changed})


def test_a_file_with_a_gap_where_none_may_be(folder: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", {**STRANGE, "fare": [1, 2, None, 3, 4], "deck": ["A"] * 5})
    metadata = nnspec.runtime.load(folder / "out" / "model.onnx").metadata
    with pytest.raises(InputError, match="column `fare` has no number in row 3"):
        read_inputs(tmp_path / "rows.csv", metadata)


def _constant(proto: onnx.ModelProto, stem: str) -> onnx.TensorProto:
    return next(c for c in proto.graph.initializer if stem in c.name)


def _unknown_is_known(proto: onnx.ModelProto) -> None:
    lookup = next(node for node in proto.graph.node if node.op_type == "LabelEncoder")
    next(a for a in lookup.attribute if a.name == "default_int64").i = 0


def _gap_is_unknown(proto: onnx.ModelProto) -> None:
    lookup = [node for node in proto.graph.node if node.op_type == "LabelEncoder"][-1]
    keys = next(a for a in lookup.attribute if a.name == "keys_strings").strings
    keys[list(keys).index(b"")] = b"nothing"


def _other_fill(proto: onnx.ModelProto) -> None:
    constant = _constant(proto, "fill")
    values = onnx.numpy_helper.to_array(constant) + 1
    constant.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), constant.name))


@pytest.mark.parametrize("break_it", [_unknown_is_known, _gap_is_unknown, _other_fill])
def test_the_gate_tries_gaps_and_unknown_words(
    break_it: Callable[[onnx.ModelProto], None], folder: Path, tmp_path: Path
) -> None:
    proto = onnx.load(folder / "out" / "model.onnx")
    run_verify(folder / "out" / "model.onnx", None, Progress(quiet=True))
    break_it(proto)
    onnx.save(proto, tmp_path / "model.onnx")
    with pytest.raises(SpecError) as caught:
        run_verify(tmp_path / "model.onnx", folder / "out" / "model.keras", Progress(quiet=True), exporter=ONNX)
    assert [fault.code for fault in caught.value.diagnostics] == ["NN701"]
