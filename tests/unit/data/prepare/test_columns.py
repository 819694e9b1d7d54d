"""Columns encoded each in its own way, compared with scikit-learn's encoders fitted on the same training rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.data.deployment import Deployment
from nnspec.data.section.ports import port_names
from nnspec.diagnostics import SpecError
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

ROWS, TRAIN = 20, 14
AGES = [22, None, 38, 26, 35, None, 54, 2, 27, 14, 4, 58, 20, 39, 14, None, 2, 31, 80, None]
FARES = [0, 7.25, 71.3, 7.9, 53.1, 8.05, 8.46, 51.9, 21, 11, 30, 16.7, 26.5, 13, 8, 31.3, 7.8, 16, 500, 0.5]
SEXES = ["male", "female"] * 7 + ["other", "male", "", "female", "male", "other"]
DECKS = ["", "C", "", "", "C", "", "E", "", "", "B", "G", "", "C", "", "", "T", "A", "C", "", "B"]
TEXT = """
source: {csv: a.csv}
MISSING
split: {train: 0.7, test: 0.3, by: order}
inputs: {x: {columns: {COLUMNS}}}
outputs: {y: {columns: [y]}}
"""


def write_people(folder: Path) -> None:
    rows = zip(AGES, FARES, SEXES, DECKS, strict=True)
    lines = [f"{'' if age is None else age},{fare},{sex},{deck},{i}" for i, (age, fare, sex, deck) in enumerate(rows)]
    (folder / "a.csv").write_text("\n".join(["age,fare,sex,deck,y", *lines]) + "\n", encoding="utf-8")


def encoded(folder: Path, columns: str, missing: str, features: int) -> Dataset:
    """The data, for a file whose check is clean."""
    write_people(folder)
    plan = plan_of(TEXT.replace("COLUMNS", columns).replace("MISSING", missing and f"missing: {missing}"), folder)
    x = slot("x", ("feature", features))
    assert [fault.message for fault in probe(plan, {"x": x}, {"y": Y}) if fault.is_error] == []
    return load(plan, {"x": x}, {"y": Y})


def both(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return data.splits["train"].x["x"], data.splits["test"].x["x"]


NUMBERS = np.array([np.nan if age is None else age for age in AGES])[:, None]
PRICES = np.array(FARES)[:, None]


@pytest.mark.parametrize(
    ("column", "rule", "oracle", "values"),
    [
        ("age: number", "mean", SimpleImputer(strategy="mean"), NUMBERS),
        ("age: standard", "median", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
        (
            "age: minmax",
            "most_frequent",
            make_pipeline(SimpleImputer(strategy="most_frequent"), MinMaxScaler()),
            NUMBERS,
        ),
        (
            "age: robust",
            "{age: {constant: -1}}",
            make_pipeline(SimpleImputer(strategy="constant", fill_value=-1), RobustScaler()),
            NUMBERS,
        ),
        ("age: number", "constant", SimpleImputer(strategy="constant", fill_value=0), NUMBERS),
        ("fare: log1p", "error", FunctionTransformer(np.log1p), PRICES),
        ("fare: sqrt", "error", FunctionTransformer(np.sqrt), PRICES),
        ("fare: asinh", "error", FunctionTransformer(np.arcsinh), PRICES),
        (
            "fare: {transform: log1p, scale: standard}",
            "error",
            make_pipeline(FunctionTransformer(np.log1p), StandardScaler()),
            PRICES,
        ),
    ],
)
def test_numbers(column: str, rule: str, oracle: SimpleImputer, values: np.ndarray, tmp_path: Path) -> None:
    train, test = both(encoded(tmp_path, column, rule, 1))
    np.testing.assert_allclose(train, oracle.fit_transform(values[:TRAIN]), rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(test, oracle.transform(values[TRAIN:]), rtol=2e-6, atol=1e-6)


def one_hot(values: list[str], categories: list[str]) -> np.ndarray:
    """scikit-learn's features, and one for unknown words."""
    encoder = OneHotEncoder(categories=[categories], handle_unknown="ignore", sparse_output=False)
    known = encoder.fit_transform(np.array(values, object)[:, None])
    return np.hstack([known, 1 - known.sum(axis=1, keepdims=True)])


def test_categories_of_the_training_rows(tmp_path: Path) -> None:
    """Words that only test rows have are unknown; they take a place that no row uses, which `check` counted."""
    train, test = both(encoded(tmp_path, "sex: one_hot", "most_frequent", 4))
    words = [word or "female" for word in SEXES]  # as often as `male`, and before it in order
    wanted = one_hot(words, ["female", "male"])
    np.testing.assert_array_equal(train[:, [0, 1, 3]], wanted[:TRAIN])
    np.testing.assert_array_equal(test[:, [0, 1, 3]], wanted[TRAIN:])
    assert not np.any(test[:, 2])


def test_given_categories_keep_their_order(tmp_path: Path) -> None:
    data = encoded(tmp_path, "deck: {one_hot: [E, C, Q]}", "{deck: {constant: C}}", 4)
    wanted = one_hot([deck or "C" for deck in DECKS], ["E", "C", "Q"])
    np.testing.assert_array_equal(np.vstack(both(data)), wanted)


def test_gaps_as_a_category(tmp_path: Path) -> None:
    data = encoded(tmp_path, "deck: one_hot", "constant", 8)
    names = data.deployment.columns["x"].features
    assert names == (
        *("deck=B", "deck=C", "deck=E", "deck=G", "deck=(unused)", "deck=(unused)", "deck=?", "deck=(missing)"),
    )
    for row, deck in zip(np.vstack(both(data)), DECKS, strict=True):
        place = {"": "deck=(missing)", "T": "deck=?", "A": "deck=?"}.get(deck, f"deck={deck}")
        assert [name for name, value in zip(names, row, strict=True) if value] == [place]


def test_indices_leave_0_to_unknown_words(tmp_path: Path) -> None:
    data = encoded(tmp_path, "sex: {index: [male, female]}", "{sex: most_frequent}", 1)
    wanted = [{"male": 1, "female": 2, "": 2}.get(word, 0) for word in SEXES]
    np.testing.assert_array_equal(np.vstack(both(data)).ravel(), wanted)


def test_raw_columns_and_what_is_kept_of_them(tmp_path: Path) -> None:
    """What a file keeps of the encodings gives the same features of the same raw columns."""
    columns = "age: standard, sex: one_hot, fare: {transform: log1p, scale: robust}, deck: index"
    data = encoded(tmp_path, columns, "{age: median, '*': constant}", 8)
    test = data.splits["test"]
    assert list(test.raw) == ["age", "sex", "fare", "deck"]
    np.testing.assert_array_equal(test.raw["age"], np.array(NUMBERS[TRAIN:, 0], np.float32))
    assert test.raw["deck"].tolist() == DECKS[TRAIN:]
    again = Deployment.from_json(data.deployment.to_json())
    np.testing.assert_array_equal(again.to_network(test.raw)["x"], test.x["x"])
    assert again.columns["x"].features == data.deployment.columns["x"].features


def test_where_numbers_are_missing(tmp_path: Path) -> None:
    """scikit-learn's imputer with an indicator, for a column by itself and beside others of its kind."""
    for rule, strategy in (
        ("{age: indicator, sex: most_frequent}", "median"),
        ("{age: {indicator: mean}, sex: most_frequent}", "mean"),
    ):
        data = encoded(tmp_path, "fare: number, age: number, sex: index", rule, 4)
        oracle = SimpleImputer(strategy=strategy, add_indicator=True)
        train, test = both(data)
        np.testing.assert_allclose(train[:, 1:3], oracle.fit_transform(NUMBERS[:TRAIN]), rtol=1e-6)
        np.testing.assert_allclose(test[:, 1:3], oracle.transform(NUMBERS[TRAIN:]), rtol=1e-6)
        assert data.deployment.columns["x"].features == ("fare", "age", "age=(missing)", "sex")


def test_a_category_for_gaps_by_its_name(tmp_path: Path) -> None:
    found = encoded(tmp_path, "deck: {one_hot: [C]}", "{deck: category}", 3)
    wanted = [[deck == "C", deck not in ("C", ""), deck == ""] for deck in DECKS]
    np.testing.assert_array_equal(np.vstack(both(found)), np.array(wanted, float))


@pytest.mark.parametrize(
    ("cells", "is_boolean"), [("false,true", True), ("0,1", True), ("0,2", False), ("0,0.5", False)]
)
def test_truth_values(cells: str, is_boolean: bool, tmp_path: Path) -> None:
    low, high = cells.split(",")
    lines = [f"{high if i % 3 == 0 else low if i % 3 == 1 else ''},{i}" for i in range(9)]
    (tmp_path / "a.csv").write_text("\n".join(["alone,y", *lines]) + "\n", encoding="utf-8")
    text = TEXT.replace("COLUMNS", "alone: boolean").replace("MISSING", "missing: most_frequent")
    x = slot("x", ("feature", 1))
    plan = plan_of(text, tmp_path)
    assert [fault.code for fault in probe(plan, {"x": x}, {"y": Y})] == ([] if is_boolean else ["NN550"])
    if is_boolean:
        train = load(plan, {"x": x}, {"y": Y}).splits["train"].x["x"].ravel()
        np.testing.assert_array_equal(train, [1, 0, 0, 1, 0, 0])


def test_ports_are_named_by_columns(tmp_path: Path) -> None:
    """A column that two inputs read, or that is called as an output, has the input's name before its own."""
    text = """
source: {csv: a.csv}
split: {train: 0.7, test: 0.3}
inputs: {p: {columns: {age: standard, y: number}}, q: {columns: {age: minmax, fare: number}}, fare: {columns: [fare]}}
outputs: {y: {columns: [y]}}
"""
    write_people(tmp_path)
    names = port_names(plan_of(text, tmp_path), ["y"])
    assert names == {"p": ("p_age", "p_y"), "q": ("q_age", "q_fare")}


def test_rows_that_lack_a_value_are_left_out_by_column(tmp_path: Path) -> None:
    data = encoded(tmp_path, "age: standard, deck: one_hot", "{age: drop, deck: constant}", 9)
    assert data.left_out == {"train": 2, "test": 2}
    assert data.gaps == {"train": {"age": 2}, "test": {"age": 2}}
    assert data.tell_left_out() == "train 2 (rows without a value: age 2), test 2 (rows without a value: age 2)"
    ages = np.array([age for age in AGES[:TRAIN] if age is not None])
    np.testing.assert_allclose(data.splits["train"].x["x"][:, 0], (ages - ages.mean()) / ages.std(), rtol=1e-5)


def test_a_list_of_columns_is_filled_too(tmp_path: Path) -> None:
    write_people(tmp_path)
    text = TEXT.replace("{COLUMNS}", "[fare, age], scale: standard").replace("MISSING", "missing: {age: mean}")
    data = load(plan_of(text, tmp_path), {"x": slot("x", ("feature", 2))}, {"y": Y})
    oracle = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler())
    values = np.hstack([PRICES, NUMBERS])
    train, test = both(data)
    np.testing.assert_allclose(train, oracle.fit_transform(values[:TRAIN]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(test, oracle.transform(values[TRAIN:]), rtol=1e-5, atol=1e-6)
    again = Deployment.from_json(data.deployment.to_json())
    np.testing.assert_array_equal(again.to_network(data.splits["test"].raw)["x"], test)


def test_targets_are_never_filled(tmp_path: Path) -> None:
    write_people(tmp_path)
    text = TEXT.replace("{COLUMNS}", "[fare]").replace("MISSING", "missing: median").replace("[y]", "[age]")
    data = load(plan_of(text, tmp_path), {"x": slot("x", ("feature", 1))}, {"y": Y})
    wanted = [age for age in AGES[:TRAIN] if age is not None]
    assert data.splits["train"].target["y"].ravel().tolist() == wanted


def test_a_column_without_any_value(tmp_path: Path) -> None:
    lines = [f",{i}" for i in range(8)] + ["5,8", "6,9"]
    (tmp_path / "a.csv").write_text("\n".join(["age,y", *lines]) + "\n", encoding="utf-8")
    text = TEXT.replace("COLUMNS", "age: standard").replace("MISSING", "missing: median")
    with pytest.raises(SpecError, match="no training row has a value in column `age`"):
        load(plan_of(text, tmp_path), {"x": slot("x", ("feature", 1))}, {"y": Y})


def test_changes_against_the_last_value_of_an_encoded_column(tmp_path: Path) -> None:
    """The last value is that of the raw column, an input of its own, also for the naive baseline."""
    write_people(tmp_path)
    text = """
source: {csv: a.csv}
split: {train: 0.6, test: 0.4, by: order, gap: 0}
window: {lookback: 3, horizon: 2}
missing: {deck: constant}
inputs: {w: {columns: {fare: standard, deck: one_hot}}}
outputs: {y: {columns: [fare], relative_to: last}}
"""
    w = slot("w", ("time", 3), ("feature", 9))
    data = load(plan_of(text, tmp_path), {"w": w}, {"y": Y})
    train = data.splits["train"]
    last, target = np.array(FARES[2:10]), np.array(FARES[4:12])
    assert train.last["y"] is not None
    np.testing.assert_allclose(train.last["y"].ravel(), last, rtol=1e-6)
    np.testing.assert_allclose(train.y["y"].ravel(), target - last, rtol=1e-5, atol=1e-5)
    restored = data.deployment.outputs["y"].restore(train.y["y"], train.raw)
    np.testing.assert_allclose(restored.ravel(), target, rtol=1e-5, atol=1e-5)
