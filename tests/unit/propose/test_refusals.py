"""Where nothing can be proposed, NN599 says why and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose
from nnspec.propose.propose import propose_series, propose_table
from tests.unit.propose.tables import days, write

ROWS = 60
GOOD = {"age": [float(20 + row % 33) / 2 for row in range(ROWS)], "kind": ["a", "b", "c"] * (ROWS // 3)}


def refused(columns: dict[str, object], target: str, tmp_path: Path, **series: object) -> str:
    file = write(tmp_path / "t.csv", columns)  # type: ignore[arg-type]
    with pytest.raises(SpecError) as caught:
        (propose_series if series else propose_table)("t", file, "t.csv", target, **series)  # type: ignore[operator]
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN599"
    return " ".join([fault.message, *fault.notes, *(fix.message for fix in fault.fixes)])


def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    text = refused(GOOD, "agee", tmp_path)
    assert "no column `agee`; did you mean `age`?" in text
    assert "choose another target: `age`, `kind`" in text


def test_a_target_of_one_value(tmp_path: Path) -> None:
    assert "the same value in every row" in refused({**GOOD, "one": [1] * ROWS}, "one", tmp_path)


def test_a_target_that_names_the_rows(tmp_path: Path) -> None:
    assert "not a class or a number" in refused({**GOOD, "name": [f"n{row}" for row in range(ROWS)]}, "name", tmp_path)


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    """The reason for each column, and no advice to choose the target that was chosen."""
    columns = {"age": GOOD["age"], "id": range(1, ROWS + 1), "one": [1] * ROWS}
    text = refused(columns, "age", tmp_path)
    assert "no column besides `age`" in text
    assert "`id`: 60 different values in 60 rows: it identifies rows `one`: the same value in every row" in text
    assert "choose another target" not in text


@pytest.mark.parametrize("rows", [2, 6])
def test_too_few_rows(rows: int, tmp_path: Path) -> None:
    text = refused({name: values[:rows] for name, values in GOOD.items()}, "age", tmp_path)
    assert f"`t.csv` has {rows} rows: too few to train on some and validate and test on others" in text


def test_seven_rows_are_enough(tmp_path: Path) -> None:
    file = write(tmp_path / "t.csv", {name: values[:7] for name, values in GOOD.items()})
    (tmp_path / "t.yaml").write_text(propose_table("t", file, "t.csv", "age"))
    assert not [fault for fault in diagnose(tmp_path / "t.yaml") if fault.is_error]


def test_a_series_without_dates(tmp_path: Path) -> None:
    assert "name the column of time with `--time COLUMN`" in refused(GOOD, "age", tmp_path, horizon=1)


def test_a_series_of_two_dates(tmp_path: Path) -> None:
    text = refused({**GOOD, "from": days(ROWS), "to": days(ROWS)}, "age", tmp_path, horizon=1)
    assert "columns `from`, `to` of `t.csv` all have dates" in text


def test_a_series_that_is_too_short(tmp_path: Path) -> None:
    assert "too few for windows" in refused({**GOOD, "day": days(ROWS)}, "age", tmp_path, horizon=30)


def test_times_that_repeat_without_a_reason(tmp_path: Path) -> None:
    text = refused({"age": GOOD["age"], "day": days(ROWS // 2) * 2}, "age", tmp_path, horizon=1)
    assert "name it with `--by COLUMN`" in text


def test_a_forecast_of_words(tmp_path: Path) -> None:
    assert "a forecast is of numbers" in refused({**GOOD, "day": days(ROWS)}, "kind", tmp_path, horizon=1)


def test_a_name_that_no_key_may_have(tmp_path: Path) -> None:
    text = refused({**GOOD, "x" * 1100: GOOD["age"]}, "age", tmp_path)
    assert "has 1,100 characters" in text
    assert "at most 1000 characters" in text
