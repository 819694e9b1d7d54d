"""The spec that is proposed for any table checks clean, and treats each column as what it is."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose
from nnspec.propose.propose import propose_table
from tests.unit.propose.tables import days, write

ROWS = 80
COLUMNS = {
    "age": [None if row % 9 == 4 else 20 + row * 7 % 41 for row in range(ROWS)],
    "price": [2.0 ** (row % 17) + row / 100 for row in range(ROWS)],
    "city": [None if row % 11 == 3 else ("Rome", "Oslo", "Bern")[row * 5 % 3] for row in range(ROWS)],
    "member": [row * 5 % 7 < 3 for row in range(ROWS)],
    "day": days(ROWS),
    "id": [f"n{row}" for row in range(ROWS)],
    "one": ["x"] * ROWS,
}


def proposed(tmp_path: Path, columns: dict[str, object], target: str) -> tuple[dict[str, object], str]:
    """The spec, which checks clean but for classes with too few rows, which are the table's; and its text."""
    file = write(tmp_path / "t.csv", columns)  # type: ignore[arg-type]
    spec = tmp_path / "t.yaml"
    spec.write_text(propose_table("t", file, "t.csv", target), encoding="utf-8")
    text = spec.read_text(encoding="utf-8")
    assert [each for each in diagnose(spec) if each.code != "NN637"] == [], text
    return yaml.safe_load(text), text


def test_numbers(tmp_path: Path) -> None:
    spec, text = proposed(tmp_path, COLUMNS, "age")
    data = spec["data"]
    assert data["inputs"]["row"]["columns"] == {  # type: ignore[index]
        "price": {"transform": "log1p", "scale": "standard"},
        "city": "one_hot",
        "member": "one_hot",
        "day": {"date": {"parts": ["month", "weekday", "day_of_year"], "cyclic": True, "scale": "standard"}},
    }
    assert data["missing"] == {"city": "most_frequent", "age": "drop"}  # type: ignore[index]
    assert data["order_by"] == "day"  # type: ignore[index]
    assert spec["outputs"] == {"age": {"task": "regression"}}
    assert "# id is left out: 80 different values in 80 rows" in text
    assert "# one is left out: the same value in every row" in text


def test_two_values_are_binary(tmp_path: Path) -> None:
    spec, _ = proposed(tmp_path, COLUMNS, "member")
    assert spec["outputs"] == {"member": {"task": "binary"}}
    assert spec["model"][-1] == {"Dense": {"units": 1, "activation": "sigmoid", "as": "target"}}  # type: ignore[index]


def test_words_are_classes(tmp_path: Path) -> None:
    spec, _ = proposed(tmp_path, {**COLUMNS, "city": ["Rome", "Oslo", "Bern", "Bonn"] * (ROWS // 4)}, "city")
    assert spec["outputs"] == {"city": {"task": "classification"}}


def test_a_skewed_target_is_learned_as_its_logarithm(tmp_path: Path) -> None:
    spec, _ = proposed(tmp_path, COLUMNS, "price")
    wanted = {"price": {"columns": {"price": {"transform": "log1p", "scale": "standard"}}}}
    assert spec["data"]["outputs"] == wanted  # type: ignore[index]


NAMES = st.one_of(
    st.text(st.sampled_from("abcXYZ019_ .:#'()%/&äß$*=<~\t"), min_size=1, max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
).filter(lambda name: name == name.strip() and not {*name} & {"\0", "\r", "\n"})
NUMBERS = st.one_of(st.integers(-5, 40), st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), st.none())
WORDS = st.sampled_from(["a", "b c", "no", "true", "null ", "1e3", "ö", '"', "# x", "{", None])
VALUES = st.one_of(
    st.lists(NUMBERS, min_size=60, max_size=60),
    st.lists(WORDS, min_size=60, max_size=60),
    st.lists(st.booleans(), min_size=60, max_size=60),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(columns=st.dictionaries(NAMES, VALUES, min_size=2, max_size=6), data=st.data())
def test_any_table(columns: dict[str, object], data: st.DataObject, tmp_path: Path) -> None:
    """Odd names and values, gaps everywhere: a proposal checks clean, or NN599 says why there is none."""
    target = data.draw(st.sampled_from(sorted(columns)))
    refusals: list[str] = []
    try:
        proposed(tmp_path, columns, target)
    except SpecError as error:
        refusals = [fault.code for fault in error.diagnostics]
    assert set(refusals) <= {"NN599", "NN502"}


def test_every_marker_of_numbers_and_dates_is_declared(tmp_path: Path) -> None:
    """However many ways a table has to say that a value is missing, the column is used, and the spec checks clean."""
    marks = ["n/a", "?", "-", "NULL", "--", "none", "."]  # NULL is missing without being declared
    columns: dict[str, list[object]] = {
        "weight": [marks[i % 7] if i % 5 == 0 else i * 1.5 for i in range(ROWS)],
        "at": ["?" if i % 9 == 0 else f"2021-03-{i % 28 + 1:02}" for i in range(ROWS)],
        "price": ["-" if i % 11 == 3 else i * 0.5 for i in range(ROWS)],
    }
    file = write(tmp_path / "t.csv", columns)
    spec = tmp_path / "t.yaml"
    spec.write_text(propose_table("t", file, "t.csv", "price"), encoding="utf-8")
    assert diagnose(spec) == []
    data = yaml.safe_load(spec.read_text(encoding="utf-8"))["data"]
    declared = {name: set(found) for name, found in data["source"]["na_values"].items()}
    assert declared == {"weight": {*marks} - {"NULL"}, "at": {"?"}, "price": {"-"}}
    assert data["missing"] == {"weight": "median", "at": "median", "price": "drop"}
    assert set(data["inputs"]["row"]["columns"]) == {"weight", "at"}


def test_markers_dates_and_lists_of_words(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "weight": ["?" if i % 7 == 0 else i * 1.5 for i in range(ROWS)],
        "tags": [["a|b", "b", "c|a", "b|c|a"][i % 4] for i in range(ROWS)],
        "at": [f"2021-03-{i % 28 + 1:02} {i % 24:02}:00" for i in range(ROWS)],
        "paid": [["no", "yes"][i % 2] for i in range(ROWS)],
    }
    file = write(tmp_path / "t.csv", columns)
    spec = tmp_path / "t.yaml"
    spec.write_text(propose_table("t", file, "t.csv", "paid"), encoding="utf-8")
    assert diagnose(spec) == []
    data = yaml.safe_load(spec.read_text(encoding="utf-8"))["data"]
    assert data["source"] == {"csv": "t.csv", "na_values": {"weight": ["?"]}}
    assert data["missing"] == {"weight": "median"}
    assert data["inputs"]["row"]["columns"] == {
        "weight": "standard",
        "tags": {"multi_hot": {"separator": "|"}},
        "at": {"date": {"parts": ["weekday", "hour"], "cyclic": True, "scale": "standard"}},
    }


def test_numbers_that_may_mark_missing_values(tmp_path: Path) -> None:
    """They are told beside their columns, and are declared by nobody but the user."""
    ages = [20 + row % 50 if row % 9 else -999 for row in range(200)]
    pays = [row % 7 + row / 200 if row % 50 else 9999 for row in range(200)]
    file = write(tmp_path / "t.csv", {"age": ages, "size": [row * 7 % 90 for row in range(200)], "pay": pays})
    text = propose_table("t", file, "t.csv", "pay")
    told = [line.strip() for line in text.splitlines() if "marks missing" in line]
    assert told == [
        "# -999 in 23 rows of `age` is far from the others (20 to 69): if it marks missing ones, write "
        "`na_values: {age: -999}` beside the path",
        "# 9999 in 4 rows of `pay` is far from the others (0.035 to 6.975): if it marks missing ones, write "
        "`na_values: {pay: 9999}` beside the path",
    ]
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    assert not [fault for fault in diagnose(tmp_path / "t.yaml") if fault.is_error]


def test_words_that_may_mark_missing_values(tmp_path: Path) -> None:
    """They are told with what to write, which checks clean; beside a `+`, a `-` is a value."""
    columns: dict[str, list[object]] = {
        "paid": [("card", "cash", "?", "n/a", "bill")[row % 5] for row in range(ROWS)],
        "test": [("+", "-", "weak", "strong")[row % 4] for row in range(ROWS)],
        "zone": [("x", "y", "z")[row % 3] for row in range(ROWS)],
        "on": [("yes", "-")[row // 2 % 2] for row in range(ROWS)],
        "age": [20 + row * 7 % 41 for row in range(ROWS)],
        "kind": [("good", "bad", "unknown", "fair")[row * 3 % 4] for row in range(ROWS)],
    }
    _, text = proposed(tmp_path, columns, "kind")
    told = [line.strip() for line in text.splitlines() if "may mark missing" in line]
    paid, kind = ROWS // 5, ROWS // 4
    assert [line.partition(", as now: if missing ones are meant, ")[0] for line in told] == [
        f"# `?` in {paid} rows and `n/a` in {paid} rows of `paid` may mark missing values or be a separate category",
        f"# `unknown` in {kind} rows of `kind` may mark missing values or be a separate class",
    ]
    after = "beside the path and a rule for them under `missing`, such as"
    assert [line.partition(": if missing ones are meant, ")[2] for line in told] == [
        f'write `na_values: {{paid: ["?", n/a]}}` {after} `most_frequent`',
        f"write `na_values: {{kind: unknown}}` {after} `drop`",
    ]
    declared = text.replace("{csv: t.csv}", '{csv: t.csv, na_values: {paid: ["?", n/a], kind: unknown}}')
    declared = declared.replace("\n  split:", "\n  missing: {paid: most_frequent, kind: drop}\n  split:")
    (tmp_path / "t.yaml").write_text(declared, encoding="utf-8")
    assert diagnose(tmp_path / "t.yaml") == []


def test_words_of_cells_that_have_several_are_counted(tmp_path: Path) -> None:
    cells = [("tv|web", "web", "", "tv|cloud|web", "sport")[row % 5] or None for row in range(ROWS)]
    _, text = proposed(tmp_path, {"with": cells, "age": [20 + row * 7 % 41 for row in range(ROWS)]}, "age")
    (line,) = (line for line in text.splitlines() if "multi_hot" in line)
    assert line.endswith("# 4 words; of the rows web 75%, tv 50%, cloud 25%, sport 25%")  # of those that have some
