"""What a plan says against the data. Each fault has its code and points at the words that are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.fit import FitError, fit
from nnspec.data.section.split_plan import Part
from tests.unit.data.checks.plans import ARRAYS, TABLE, W, X, Y, head_of, one, run
from tests.unit.data.section.test_plan import HERE, plan_of, slot


def test_nothing_to_say(table: Path, arrays: Path) -> None:
    assert run(TABLE, table, [W], [Y]) == []
    assert run(ARRAYS, arrays, [X], [Y]) == []


@pytest.mark.parametrize(
    ("old", "new", "words", "path"),
    [
        ("[a, b]", "[a, B]", "did you mean `b`", "data.inputs.w.columns"),
        ("order_by: t", "order_by: tt", "did you mean `t`", "data.order_by"),
        ("{columns: [c]}", "{columns: [d]}", "no column `d`", "data.outputs.y.columns"),
    ],
)
def test_unknown_columns(old: str, new: str, words: str, path: str, table: Path) -> None:
    found = one(TABLE.replace(old, new), table, [W], [Y])
    assert (found.code, found.path) == ("NN503", path)
    assert words in found.message


def test_unknown_arrays(arrays: Path) -> None:
    found = one(ARRAYS.replace("array: x", "array: xs"), arrays, [X], [Y])
    assert (found.code, "did you mean `x`" in found.message) == ("NN503", True)


def test_another_separator(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t;a;b;c\n1;2;3;4\n")
    found = run(TABLE, tmp_path, [W], [Y])
    assert [d.code for d in found] == ["NN560"]
    assert "`;`" in found[0].message
    (tmp_path / "a.csv").write_text("T;A;B;C\n1;2;3;4\n")  # none of the columns: which separator it is, is not certain
    found = run(TABLE, tmp_path, [W], [Y])
    assert {d.code for d in found} == {"NN503"}
    assert any("other than" in note for note in found[0].notes)


def test_inputs_and_outputs_without_data_or_model(table: Path) -> None:
    missing, unknown = run(TABLE.replace("{w:", "{windw:"), table, [slot("window", *W.axes)], [Y])
    assert {missing.code, unknown.code} == {"NN512"}
    assert "did you mean `window`" in missing.message + unknown.message
    found = one(TABLE, table, [W], [Y, slot("z", ("unit", 1), task="regression")])
    assert (found.code, "output `z`" in found.message) == ("NN512", True)


def test_missing_values(table: Path) -> None:
    lines = (table / "a.csv").read_text().split("\n")
    for row in (3, 5, 7, 8, 9, 31):
        lines[row] = lines[row].split(",")[0] + ",NA," + ",".join(lines[row].split(",")[2:])
    (table / "a.csv").write_text("\n".join(lines))
    found = one(TABLE, table, [W], [Y])
    assert (found.code, found.message) == ("NN504", "column `a` of `a.csv` has 6 values missing: rows 3, 5, 7, 8, 9, …")
    assert len(found.fixes) == 2
    assert probe(plan_of(TABLE + "missing: drop", table), {"w": W}, {"y": Y}) == []
    found = one(TABLE.replace("order_by: t", "order_by: a\nmissing: drop"), table, [W], [Y])
    assert (found.code, found.path) == ("NN504", "data.order_by")


def test_text_where_numbers_are_wanted(table: Path) -> None:
    found = one(TABLE.replace("[a, b]", "[a, t]"), table, [W], [Y])
    assert (found.code, "2020-01-01T00:00:00" in found.message) == ("NN506", True)


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ([("time", 5), ("feature", 2)], "axis `time` has size 5 in the model, but the data has 4"),
        ([("time", 4), ("feature", 3)], "axis `feature` has size 3 in the model, but the data has 2"),
        ([("feature", 2)], "the model has (feature 2)"),
    ],
)
def test_sizes_of_columns(axes: list[tuple[str, int]], words: str, table: Path) -> None:
    found = one(TABLE, table, [slot("w", *axes)], [Y])
    assert (found.code, words in found.message) == ("NN506", True), found.message


@pytest.mark.parametrize(
    ("axes", "given", "words"),
    [
        ([("row", 2), ("feature", 5)], "", "axis `feature` has size 5"),
        (
            [("row", 2), ("feature", 3)],
            "[sample, feature, row]",
            "axis `row` has size 2 in the model, but the data has 3",
        ),
        ([("row", 2), ("feature", 3)], "[sample, row, column]", "the model does not have the data's `column`"),
        ([("row", 2), ("feature", 3)], "[row, feature, sample, more]", "names 4 axes"),
        ([("cell", 6)], "", "the model has (cell 6)"),
    ],
)
def test_sizes_of_arrays(axes: list[tuple[str, int]], given: str, words: str, arrays: Path) -> None:
    text = ARRAYS.replace("array: x", f"array: x, axes: {given}") if given else ARRAYS
    found = one(text, arrays, [slot("x", *axes)], [Y])
    assert (found.code, words in found.message) == ("NN506", True), found.message


def test_symbols_take_any_size(arrays: Path) -> None:
    assert run(ARRAYS, arrays, [slot("x", ("row", "T"), ("feature", None))], [Y]) == []


def test_counts_that_differ(arrays: Path) -> None:
    found = one(ARRAYS.replace("array: y", "array: z"), arrays, [X], [Y])
    assert found.code == "NN506"
    assert "7 samples" in found.message
    assert "11" in found.message


def test_samples_that_follow_one_another_need_their_lengths(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((9, 3), np.float32), y=np.zeros((3, 1), np.float32))
    text = ARRAYS.replace("array: x", "array: x, axes: [row, feature]")
    found = one(text, tmp_path, [slot("x", ("row", None), ("feature", 3))], [Y])
    assert (found.code, found.fixes[0].message.endswith("`lengths: …`")) == ("NN506", True)


def test_lengths_that_do_not_sum(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((3, 10)), n=np.array([4, 5]), y=np.arange(2.0))
    text = ARRAYS.replace("array: x", "array: x, axes: [feature, time], lengths: n")
    found = one(text, tmp_path, [slot("x", ("time", "T"), ("feature", 3))], [Y])
    assert (found.code, "lengths sum to 9" in found.message) == ("NN506", True)


def test_scaling_of_integers(arrays: Path) -> None:
    np.savez(arrays / "a.npz", x=np.arange(66).reshape(11, 2, 3), y=np.arange(11.0))
    text = ARRAYS.replace("array: x", "array: x, scale: standard")
    found = one(text, arrays, [slot("x", *X.axes, dtype="int32")], [Y])
    assert (found.code, found.path) == ("NN506", "data.inputs.x.scale")


def test_scale_along_an_unknown_axis(arrays: Path) -> None:
    text = ARRAYS.replace("array: x", "array: x, scale: {method: standard, along: [featur]}")
    assert "did you mean `feature`" in one(text, arrays, [X], [Y]).message


def test_windows_that_the_data_cannot_fill(table: Path) -> None:
    text = TABLE.replace("lookback: 4", "lookback: 14")
    found = one(text, table, [slot("w", ("time", 14), ("feature", 2))], [Y])
    assert (found.code, found.path) == ("NN505", "data.split.test")
    assert "13 consecutive rows of 60" in found.message
    assert "needs 17" in found.message


def test_a_split_without_rows(arrays: Path) -> None:
    found = one(ARRAYS.replace("test: 0.5", "test: 0.01"), arrays, [X], [Y])
    assert (found.code, found.path) == ("NN514", "data.split.test")


def test_split_labels(arrays: Path) -> None:
    parts = np.array(["train"] * 8 + ["tests"] * 3)
    np.savez(arrays / "a.npz", x=np.ones((11, 2, 3)), y=np.arange(11.0), part=parts)
    text = ARRAYS.replace("{train: 0.5, test: 0.5, by: order}", "{train: train, test: test, by: {array: part}}")
    found = one(text, arrays, [X], [Y])
    assert (found.code, "did you mean `tests`" in found.message) == ("NN514", True)
    found = one(text.replace("array: part", "array: prt"), arrays, [X], [Y])
    assert (found.code, found.path) == ("NN503", "data.split.by")


def test_cut() -> None:
    parts = [Part(name, share, None, HERE) for name, share in (("train", 0.7), ("validation", 0.15), ("test", 0.15))]
    assert list(cut(100, parts).values()) == [range(70), range(70, 85), range(85, 100)]
    assert list(cut(100, parts, 4).values()) == [range(70), range(74, 85), range(89, 100)]
    assert list(cut(20, parts, 9).values()) == [range(14), range(17, 17), range(20, 20)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLE.replace("[c]}", "[c], relative_to: last}"), "no windowed input contains `c`"),
        (TABLE.replace("[c]}", "[a], relative_to: last}").replace("horizon: 3", "horizon: 0"), "always 0"),
        (TABLE.replace("[c]}", "[a], relative_to: last}").replace("[a, b]}", "[a, b], window: false}"), "no windowed"),
    ],
)
def test_relative_targets_without_a_last_value(text: str, words: str, table: Path) -> None:
    w = slot("w", ("feature", 2)) if "window: false" in text else W
    found = one(text, table, [w], [Y])
    assert (found.code, found.path, words in found.message) == ("NN516", "data.outputs.y.relative_to", True)


def test_class_counts(arrays: Path) -> None:
    np.savez(arrays / "a.npz", x=np.ones((11, 2, 3)), y=np.arange(11) % 4)
    assert run(ARRAYS, arrays, [X], [head_of(4)]) == []
    assert one(ARRAYS, arrays, [X], [head_of(3)]).code == "NN508"
    assert one(ARRAYS, arrays, [X], [head_of(5)]).code == "NN508"
    assert run(ARRAYS, arrays, [X], [head_of(5, classes=(0, 1, 2, 3, 4))]) == []
    assert one(ARRAYS, arrays, [X], [head_of(3, classes=(0, 1, 2))]).code == "NN508"
    listed = ARRAYS.replace("array: y", "array: y, classes: [0, 1, 2, 3]")
    assert one(listed, arrays, [X], [head_of(3)]).path == "data.outputs.y.classes"
    assert one(ARRAYS, arrays, [X], [slot("y", ("unit", 1), task="binary")]).code == "NN508"
    quantiles = ARRAYS.replace("array: y", "array: y, classes: {quantiles: 3}")
    assert one(quantiles, arrays, [X], [head_of(4)]).code == "NN508"


def test_classes_of_a_regression(arrays: Path) -> None:
    text = ARRAYS.replace("array: y", "array: y, classes: {quantiles: 3}")
    assert one(text, arrays, [X], [Y]).code == "NN208"
    text = ARRAYS.replace("array: y", "array: y, scale: standard")
    assert one(text, arrays, [X], [head_of(11)]).code == "NN208"


def test_labels_of_a_table(table: Path) -> None:
    (table / "b.csv").write_text("a,kind\n" + "".join(f"{i},{'xyz'[i % 3]}\n" for i in range(12)))
    text = """
source: {csv: b.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {w: {columns: [a]}}
outputs: {y: {columns: [kind]}}
"""
    assert run(text, table, [slot("w", ("feature", 1))], [head_of(3)]) == []
    assert one(text, table, [slot("w", ("feature", 1))], [head_of(2)]).code == "NN508"


def test_fit_by_name_and_by_order() -> None:
    wanted = (("time", 5), ("feature", 3))
    assert fit(wanted, None, (5, 3)).order == (0, 1)
    assert fit(wanted, ("feature", "time"), (3, 5)).order == (1, 0)
    assert fit((("time", 3), ("feature", 3)), ("feature", "time"), (3, 3)).order == (1, 0)
    image = fit((("height", 5), ("width", 3), ("channel", 1)), None, (5, 3))
    assert image.shape((5, 3)) == (5, 3, 1)
    assert fit((("time", 5),), ("time", "one"), (5, 1)).shape((5, 1)) == (5,)
    with pytest.raises(FitError):
        fit(wanted, None, (3, 5))


@pytest.mark.parametrize(
    ("rule", "size", "words"),
    [
        ("T % 4 == 0", 8, None),
        ("T % 4 == 0", 10, "the size of axis `time` must be a multiple of 4 in this network, but the data has 10"),
        ("T > 9", 9, "must be more than 9"),
        ("T == 5", 6, "must be 5"),
        ("U % 4 == 0", 10, None),
    ],
)
def test_rules_of_open_sizes(rule: str, size: int, words: str | None) -> None:
    wanted = (("time", "T"), ("feature", 3))
    if words is None:
        assert fit(wanted, None, (size, 3), (rule,)).order == (0, 1)
        return
    with pytest.raises(FitError, match=words):
        fit(wanted, ("feature", "time"), (3, size), (rule,))
