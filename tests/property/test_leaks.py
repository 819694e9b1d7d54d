"""111 leaks, each of a kind and drawn by its seed, are told; 40 clean specs raise no alarm.

A leak is an error of `check` or, where only values show it, a warning of the leakage report.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.overview.leakage import find_leakage
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import SpecError
from tests.unit.data.section.test_plan import plan_of, slot

Rng = np.random.Generator
Columns = dict[str, object]
SPLIT = "split: {train: 0.6, test: 0.4}"
NUMBER = slot("y", ("target", 1), task="regression")
LOOKBACK = 4


def label_of(count: int) -> Slot:
    return slot("y", ("class", count), task="classification", class_axis="class")


def table(rng: Rng, rows: int) -> Columns:
    """Two measured columns and a target that depends on them, with noise."""
    a, b = rng.normal(size=rows), rng.uniform(0, 100, rows)
    return {"a": a, "b": b, "y": 2 * a + 0.1 * b + rng.normal(size=rows)}


def codes(section: str, columns: Columns, folder: Path, output: Slot = NUMBER, features: int | None = None) -> set[str]:
    """The codes of whatever is said of a spec."""
    lists = [list(values) for values in columns.values()]  # type: ignore[call-overload]
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*lists, strict=True))]
    (folder / "a.csv").write_text("\n".join(lines) + "\n", "utf-8")
    try:
        plan = plan_of(f"source: {{csv: a.csv}}\n{section}", folder)
    except SpecError as error:
        return {found.code for found in error.diagnostics}
    count = features or len(plan.inputs["x"].columns)
    steps = (("time", LOOKBACK),) if plan.window is not None else ()
    inputs, outputs = {"x": slot("x", *steps, ("feature", count))}, {"y": output}
    faults = probe(plan, inputs, outputs)
    told = {found.code for found in faults}
    if any(found.is_error for found in faults):
        return told
    return told | {found.code for found in find_leakage(plan, load(plan, inputs, outputs)).warnings}


def reads(columns: str, target: str = "y") -> str:
    return f"inputs: {{x: {{columns: [{columns}]}}}}\noutputs: {{y: {{columns: [{target}]}}}}\n"


def target_is_read(rng: Rng, folder: Path) -> set[str]:
    return codes(f"{SPLIT}\n{reads('a, y, b')}", table(rng, 80), folder)


def target_at_horizon_0(rng: Rng, folder: Path) -> set[str]:
    horizon = rng.choice(["0", "[0, 1]", "[0, 2, 3]"])
    output = NUMBER if horizon == "0" else slot("y", ("step", horizon.count(",") + 1), ("target", 1), task="regression")
    text = f"{SPLIT}\nwindow: {{lookback: {LOOKBACK}, horizon: {horizon}}}\n{reads('a, y')}"
    return codes(text, table(rng, 80), folder, output)


def copy(rng: Rng, folder: Path) -> set[str]:
    columns = table(rng, 80)
    return codes(f"{SPLIT}\n{reads('a, c, b')}", {**columns, "c": columns["y"]}, folder)


def other_unit(rng: Rng, folder: Path) -> set[str]:
    columns = table(rng, 80)
    y = np.asarray(columns["y"])
    c = rng.choice([1.8, -0.4, 100.0]) * y + 32 if rng.random() < 0.5 else np.exp(y / 10)
    return codes(f"{SPLIT}\n{reads('a, c, b')}", {**columns, "c": c}, folder)


def label_code(rng: Rng, folder: Path) -> set[str]:
    classes = rng.permutation(np.repeat(["p", "q", "r"], 30))
    code = dict(zip("pqr", rng.permutation([3, 7, 9]).tolist(), strict=True))
    columns = {"a": rng.normal(size=90), "c": [code[label] for label in classes], "y": classes}
    return codes(f"{SPLIT}\n{reads('a, c')}", columns, folder, label_of(3))


def lead(rng: Rng, folder: Path) -> set[str]:
    """A column of the window that holds the value of the horizon."""
    horizon = int(rng.integers(1, 4))
    columns = table(rng, 120)
    ahead = np.roll(np.asarray(columns["y"]), -horizon)
    text = f"{SPLIT}\nwindow: {{lookback: {LOOKBACK}, horizon: {horizon}}}\n{reads('a, c')}"
    return codes(text, {**columns, "c": ahead}, folder)


def duplicates(rng: Rng, folder: Path) -> set[str]:
    columns = {name: np.asarray(values) for name, values in table(rng, 80).items()}
    again = rng.permutation(80)[:20]
    return codes(f"{SPLIT}\n{reads('a, b')}", {n: np.concatenate([v, v[again]]) for n, v in columns.items()}, folder)


def row_numbers(rng: Rng, folder: Path) -> set[str]:
    columns = {**table(rng, 80), "id": np.arange(80) + int(rng.integers(0, 5000))}
    return codes(f"{SPLIT}\n{reads('a, id')}", columns, folder)


def patients(rng: Rng, folder: Path) -> set[str]:
    name = str(rng.choice(["patient_id", "subject", "user", "Speaker ID"]))
    return codes(f"{SPLIT}\n{reads('a, b')}", {**table(rng, 80), name: rng.integers(100, 120, 80)}, folder)


def labels_divide_a_group(rng: Rng, folder: Path) -> set[str]:
    text = "split: {train: fit, test: held, by: {column: part}, group: who}"
    columns = {**table(rng, 80), "part": rng.choice(["fit", "held"], 80), "who": np.arange(80) // 5}
    return codes(f"{text}\n{reads('a, b')}", columns, folder)


def time_at_random(rng: Rng, folder: Path) -> set[str]:
    columns = {**table(rng, 80), "t": np.arange(80)}
    by = rng.choice(["random", "{hash: t}"])
    return codes(f"order_by: t\nsplit: {{train: 0.6, test: 0.4, by: {by}}}\n{reads('a, b')}", columns, folder)


def windows_at_random(rng: Rng, folder: Path) -> set[str]:
    text = f"split: {{train: 0.6, test: 0.4, by: random}}\nwindow: {{lookback: {LOOKBACK}}}\n{reads('a, b')}"
    return codes(text, table(rng, 80), folder)


def share_of_windows(rng: Rng, folder: Path) -> set[str]:
    text = "split: {train: fit, validation: 0.2, test: held, by: {column: part}}"
    columns = {**table(rng, 80), "part": ["fit"] * 50 + ["held"] * 30}
    return codes(f"{text}\nwindow: {{lookback: {LOOKBACK}}}\n{reads('a, b')}", columns, folder)


def target_known_ahead(rng: Rng, folder: Path) -> set[str]:
    inputs = "inputs: {x: {columns: [y], ahead: only}}\noutputs: {y: {columns: [y]}}\n"
    return codes(f"{SPLIT}\nwindow: {{lookback: {LOOKBACK}}}\n{inputs}", table(rng, 80), folder)


def series_mixed(rng: Rng, folder: Path) -> set[str]:
    """Two shops in one table: a window would contain the other shop's row of the target's day."""
    columns = {**table(rng, 80), "t": np.repeat(np.arange(40), 2)}
    text = f"order_by: t\n{SPLIT}\nwindow: {{lookback: {LOOKBACK}}}\n{reads('a, b')}"
    return codes(text, columns, folder)


def hash_divides_series(rng: Rng, folder: Path) -> set[str]:
    text = f"series: {{by: s}}\nsplit: {{train: 0.5, test: 0.5, by: {{hash: k}}}}\nwindow: {{lookback: {LOOKBACK}}}\n"
    columns = {**table(rng, 80), "s": np.arange(80) // 20, "k": np.arange(80)}
    return codes(f"{text}{reads('a, b')}", columns, folder)


def labels_twice(rng: Rng, folder: Path) -> set[str]:
    text = "split: {train: fit, test: fit, by: {column: part}}"
    return codes(f"{text}\n{reads('a, b')}", {**table(rng, 20), "part": ["fit"] * 20}, folder)


def by_query(select: str, rng: Rng, folder: Path, *, more: str = "", columns: str = "a, c") -> set[str]:
    """Features that a query makes; the table has a time, and groups of rows."""
    given = {**table(rng, 120), "t": np.arange(120), "g": rng.integers(0, 30, 120)}
    return codes(f'{SPLIT}\nquery: "{select}"\n{more}{reads(columns)}', given, folder)


def query_reads_ahead(rng: Rng, folder: Path) -> set[str]:
    made = [
        f"lead(y, {int(rng.integers(1, 4))}, 0) OVER (ORDER BY t)",
        "a - lag(y, -1, 0) OVER (ORDER BY t)",
        f"avg(y) OVER (ORDER BY t ROWS BETWEEN 3 PRECEDING AND {int(rng.integers(1, 4))} FOLLOWING)",
        "last_value(b) OVER (ORDER BY t ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
    ]
    select = f"SELECT *, {rng.choice(made)} AS c FROM source ORDER BY t"
    nested = f"WITH n AS ({select.replace(' AS c', ' AS d')}) SELECT *, d + a AS c FROM n ORDER BY t"
    window = f"window: {{lookback: {LOOKBACK}}}\n"
    return by_query(str(rng.choice([select, nested])), rng, folder, more=str(rng.choice([window, ""])))


def query_reads_backwards_in_time(rng: Rng, folder: Path) -> set[str]:
    made = ["lag(y, 1, 0) OVER (ORDER BY t DESC)", "sum(b) OVER (ORDER BY t DESC ROWS 2 PRECEDING)"]
    return by_query(f"SELECT *, {rng.choice(made)} AS c FROM source", rng, folder, more="order_by: t\n")


def query_counts_all_rows(rng: Rng, folder: Path) -> set[str]:
    made = [
        "a / max(a) OVER ()", "b - avg(y) OVER (PARTITION BY g)", "percent_rank() OVER (ORDER BY b)",
        "ntile(4) OVER (ORDER BY a)", "a - (SELECT median(a) FROM source)",
    ]  # fmt: skip
    return by_query(f"SELECT *, {rng.choice(made)} AS c FROM source", rng, folder)


def query_joins_a_summary(rng: Rng, folder: Path) -> set[str]:
    made = f"SELECT g, {rng.choice(['avg', 'min', 'max'])}(y) AS c FROM source GROUP BY g"
    forms = [
        f"SELECT s.*, m.c FROM source s JOIN ({made}) m USING (g)",
        f"WITH m AS ({made}) SELECT s.*, m.c FROM source s LEFT JOIN m USING (g)",
    ]
    return by_query(str(rng.choice(forms)), rng, folder)


def folds_of_windows(rng: Rng, folder: Path) -> set[str]:
    text = f"split: {{folds: 4, by: random}}\nwindow: {{lookback: {LOOKBACK}}}\n{reads('a, b')}"
    return codes(text, table(rng, 80), folder)


def folds_in_time_without_a_gap(rng: Rng, folder: Path) -> set[str]:
    text = f"split: {{folds: 4, by: time, gap: 0}}\nwindow: {{lookback: {LOOKBACK}, horizon: 3}}\n{reads('a, y')}"
    return codes(text, table(rng, 80), folder)


def folds_of_patients(rng: Rng, folder: Path) -> set[str]:
    text = f"split: {{folds: 4, by: random}}\n{reads('a, b')}"
    return codes(text, {**table(rng, 80), "patient_id": rng.integers(100, 120, 80)}, folder)


def folds_of_time_at_random(rng: Rng, folder: Path) -> set[str]:
    text = f"order_by: t\nsplit: {{folds: 4, by: random}}\n{reads('a, b')}"
    return codes(text, {**table(rng, 80), "t": np.arange(80)}, folder)


def past_only_column_ahead(rng: Rng, folder: Path) -> set[str]:
    """A measured column with gaps where nothing is known yet is no target, but nobody knows it ahead."""
    inputs = "inputs: {x: {columns: [y, a], ahead: only}}\noutputs: {y: {columns: [y]}}\n"
    return codes(f"{SPLIT}\nwindow: {{lookback: {LOOKBACK}}}\n{inputs}", table(rng, 80), folder)


def query_computes_from_the_target(rng: Rng, folder: Path) -> set[str]:
    made = [
        "SELECT *, y * 2 AS c FROM source",
        "SELECT *, round(y + b) AS c FROM source",
        "WITH n AS (SELECT *, CASE WHEN y > 5 THEN 1 ELSE 0 END AS d FROM source) SELECT *, d AS c FROM n",
        "SELECT * REPLACE (a + y AS a), b AS c FROM source",
        "SELECT *, avg(y) OVER (ORDER BY t ROWS 3 PRECEDING) AS c FROM source",
        "SELECT a, abs(c) AS y, c FROM (SELECT *, y AS c FROM source)",
    ]
    return by_query(str(rng.choice(made)), rng, folder)


def target_is_computed_from_inputs(rng: Rng, folder: Path) -> set[str]:
    made = ["2 * a - b", "a + 0", "CASE WHEN b > 50 THEN a ELSE 0 END"]
    select = f"SELECT a, b, {rng.choice(made)} AS y FROM source"
    return by_query(select, rng, folder, columns="a, b")


def query_ranks_all_rows(rng: Rng, folder: Path) -> set[str]:
    made = f"{rng.choice(['rank', 'dense_rank'])}() OVER (ORDER BY b {rng.choice(['ASC', 'DESC'])})"
    more = str(rng.choice(["order_by: t\n", ""]))
    return by_query(f"SELECT *, {made} AS c FROM source", rng, folder, more=more)


def rounded(rng: Rng, folder: Path) -> set[str]:
    columns = table(rng, 90)
    y = np.asarray(columns["y"])
    c = np.round(y, 1) if rng.random() < 0.5 else -np.digitize(y, [2, 6])
    return codes(f"{SPLIT}\n{reads('a, c, b')}", {**columns, "c": c}, folder)


def change_to_come(rng: Rng, folder: Path) -> set[str]:
    """The target is the sum of two columns that are read."""
    columns = table(rng, 120)
    c = np.append(np.diff(np.asarray(columns["y"])), 0.0)
    text = f"{SPLIT}\nwindow: {{lookback: {LOOKBACK}, horizon: 1}}\n{reads('y, c')}"
    relative = text.replace("{columns: [y]}", "{columns: [y], relative_to: last}")
    return codes(relative, {**columns, "c": c}, folder)


def gaps_tell(rng: Rng, folder: Path) -> set[str]:
    """A column that is filled in only once the result is known."""
    columns = table(rng, 90)
    late = np.asarray(columns["y"]) > 5
    words = rng.random() < 0.5
    kept = rng.choice(["u", "v"], 90) if words else np.round(np.asarray(columns["b"]), 3)
    columns["c"] = np.where(late, "", kept)
    fill, encoding = ("category", "one_hot") if words else ("indicator", "standard")
    target, output = ("y", NUMBER) if rng.random() < 0.5 else ("late", label_of(2))
    text = f"{SPLIT}\nmissing: {{c: {fill}}}\ninputs: {{x: {{columns: {{a: standard, c: {encoding}}}}}}}\n"
    columns["late"] = np.where(late, "yes", "no")
    return codes(f"{text}outputs: {{y: {{columns: [{target}]}}}}\n", columns, folder, output, 5 if words else 3)


def numbers_by_class(rng: Rng, folder: Path) -> set[str]:
    """Numbers of a register that was once sorted by class, with holes, in whatever order the rows are now."""
    numbers, mixed = np.cumsum(rng.integers(1, 5, 90)), rng.permutation(90)
    columns = {"a": rng.normal(size=90), "c": numbers[mixed], "y": np.repeat(["p", "q", "r"], 30)[mixed]}
    return codes(f"{SPLIT}\n{reads('a, c')}", columns, folder, label_of(3))


def people_by_labels(rng: Rng, folder: Path) -> set[str]:
    by = ["split: {train: fit, test: held, by: {column: part}}", "split: {train: 0.6, test: 0.4, by: {hash: k}}"]
    columns = {**table(rng, 80), "part": rng.choice(["fit", "held"], 80), "k": np.arange(80)}
    return codes(f"{rng.choice(by)}\n{reads('a, b')}", {**columns, "patient_id": rng.integers(100, 120, 80)}, folder)


def newest_first(rng: Rng, folder: Path) -> set[str]:
    days = np.datetime64("2024-06-01") - np.arange(80)
    columns = {**table(rng, 80), str(rng.choice(["date", "sold"])): days}
    return codes(f"split: {{train: 0.6, test: 0.4, by: order}}\n{reads('a, b')}", columns, folder)


def drifting(rng: Rng, folder: Path) -> set[str]:
    """A quantity, or a state, that drifts from day to day, and no word of the order of the days."""
    days = np.datetime64("2023-01-01") + np.arange(120)
    columns = {"date": days[:: rng.choice([1, -1])], "a": rng.normal(size=120), "b": rng.normal(size=120)}
    level = np.cumsum(rng.normal(size=120))
    is_label = rng.random() < 0.5
    columns["y"] = np.repeat(rng.permutation(["p", "q", "r", "p", "q", "r"]), 20) if is_label else level
    return codes(
        f"split: {{train: 0.6, test: 0.4, by: random}}\n{reads('a, b')}",
        columns,
        folder,
        label_of(3) if is_label else NUMBER,
    )


def mean_of_the_group(rng: Rng, folder: Path) -> set[str]:
    """A column that says of each shop what its rows sold on average, those of the test among them."""
    columns = table(rng, 120)
    shop, y = rng.permutation(np.arange(120) % 10), np.asarray(columns["y"])
    mean = np.array([y[shop == one].mean() for one in range(10)])[shop]
    return codes(f"split: {{train: 0.6, test: 0.4, by: random}}\n{reads('a, c')}", {**columns, "c": mean}, folder)


LEAKS: dict[Callable[[Rng, Path], set[str]], str] = {
    target_is_read: "NN571", target_at_horizon_0: "NN571", copy: "NN572", other_unit: "NN572", label_code: "NN572",
    lead: "NN572", duplicates: "NN570", row_numbers: "NN572", patients: "NN573", labels_divide_a_group: "NN573",
    time_at_random: "NN526", windows_at_random: "NN514", share_of_windows: "NN514", target_known_ahead: "NN584",
    series_mixed: "NN524", hash_divides_series: "NN514", labels_twice: "NN514",
    query_reads_ahead: "NN628", query_reads_backwards_in_time: "NN628", query_counts_all_rows: "NN629",
    query_joins_a_summary: "NN629", folds_of_windows: "NN514", folds_in_time_without_a_gap: "NN514",
    query_computes_from_the_target: "NN571", target_is_computed_from_inputs: "NN571", query_ranks_all_rows: "NN629",
    rounded: "NN572", change_to_come: "NN572", gaps_tell: "NN572", numbers_by_class: "NN572",
    people_by_labels: "NN573", newest_first: "NN620",
    drifting: "NN526", mean_of_the_group: "NN572",
    folds_of_patients: "NN573", folds_of_time_at_random: "NN526", past_only_column_ahead: "NN584",
}  # fmt: skip
KINDS = list(LEAKS)


@pytest.mark.parametrize("seed", range(111))
def test_a_leak_is_told(seed: int, tmp_path: Path) -> None:
    kind = KINDS[seed % len(KINDS)]
    told = kind(np.random.default_rng(seed), tmp_path)
    assert LEAKS[kind] in told, f"{kind.__name__}: {sorted(told)}"


def clean(seed: int, rng: Rng, folder: Path) -> set[str]:
    columns, window = table(rng, 160), f"window: {{lookback: {LOOKBACK}, horizon: {1 + seed % 3}}}\n"
    columns |= {"t": np.arange(160), "s": np.arange(160) // 40, "store": np.arange(160) % 4, "y": columns.pop("y")}
    columns["label"] = np.where(np.asarray(columns["y"]) > 5, "high", "low")
    columns["part"] = ["fit"] * 100 + ["held"] * 60
    few = {"a": rng.integers(0, 3, 160), "b": rng.integers(0, 2, 160), "label": columns["label"], "y": columns["y"]}
    lag = np.concatenate([[0.0], np.asarray(columns["y"])[:-1]])
    cases: list[tuple[str, Columns, Slot]] = [
        (f"{SPLIT}\n{reads('a, b')}", columns, NUMBER),
        (f"{SPLIT}\n{reads('a, b', 'label')}", columns, label_of(2)),
        (f"{SPLIT}\n{reads('a, b', 'label')}", few, label_of(2)),
        (f"{SPLIT}\n{window}{reads('a, y')}", columns, NUMBER),
        (f"order_by: t\n{SPLIT}\n{window}{reads('t, y')}", columns, NUMBER),
        (f"order_by: t\n{SPLIT}\n{reads('a, lag')}", {**columns, "lag": lag}, NUMBER),
        (f"series: {{by: s}}\n{SPLIT}\n{window}{reads('a, y')}", columns, NUMBER),
        (f"split: {{train: 0.5, test: 0.5, by: random, group: store}}\n{reads('a, b')}", columns, NUMBER),
        (f"split: {{train: fit, test: held, by: {{column: part}}}}\n{reads('a, b')}", columns, NUMBER),
        (f"split: {{train: 0.7, test: 0.3, by: {{hash: t}}}}\n{reads('a, b')}", columns, NUMBER),
    ]
    made = [
        ("SELECT t // 2 AS t, avg(a) AS a, max(b) AS b, sum(y) AS y FROM source GROUP BY ALL ORDER BY t", "a, b"),
        ("WITH d AS (SELECT t // 2 AS t, avg(a) AS a, avg(y) AS y FROM source GROUP BY ALL) SELECT * FROM d", "a"),
        ("SELECT a, y AS c, lead(y, 1, 0) OVER (ORDER BY t) AS y FROM source ORDER BY t", "a"),
        (
            "WITH n AS (SELECT a, b, lead(y, 1, 0) OVER (ORDER BY t) AS z FROM source) SELECT a, b, z AS y FROM n",
            "a, b",
        ),
        ("SELECT *, lag(b, 1, 0) OVER (ORDER BY t) AS c FROM source ORDER BY t", "a, c"),
        ("SELECT *, avg(b) OVER (ORDER BY t ROWS BETWEEN 3 PRECEDING AND 0 FOLLOWING) AS c FROM source", "a, c"),
        ("SELECT *, row_number() OVER (PARTITION BY s ORDER BY t) % 7 AS c FROM source ORDER BY t", "a, c"),
        ("SELECT s.*, p.y AS c FROM source s JOIN source p ON p.t = s.t - 1", "a, c"),
        ("SELECT *, avg(y) OVER (ORDER BY t ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING) AS c FROM source", "a"),
        ("SELECT t // 4 AS t, first(b) AS a, max(y) AS y FROM source GROUP BY ALL ORDER BY t", "a"),
        ("SELECT *, y - a AS z, y AS late FROM source", "a, b"),
    ]
    cases += [(f'{SPLIT}\nquery: "{select}"\n{reads(names)}', columns, NUMBER) for select, names in made]
    whole = "split: {train: 0.5, test: 0.5, by: random, group: store}"
    centred = "SELECT *, b - avg(b) OVER (PARTITION BY store) AS c FROM source"
    backwards = "SELECT *, lead(b, 1, 0) OVER (ORDER BY t DESC) AS c FROM source"
    cases.append((f'{whole}\nquery: "{centred}"\n{reads("a, c")}', columns, NUMBER))
    cases.append((f'order_by: t\n{SPLIT}\nquery: "{backwards}"\n{reads("a, c")}', columns, NUMBER))
    cases.append((f"order_by: t\nsplit: {{folds: 4, by: time}}\n{window}{reads('a, y')}", columns, NUMBER))
    cases.append((f'{SPLIT}\n{window}query: "SELECT *, y * 2 AS c FROM source"\n{reads("a, c")}', columns, NUMBER))
    sparse = {**columns, "a": np.where(rng.random(160) < 0.3, "", np.asarray(columns["a"]))}
    cases.append((f"{SPLIT}\nmissing: {{a: median}}\n{reads('a, b', 'label')}", sparse, label_of(2)))
    drawn, shop = "split: {train: 0.6, test: 0.4, by: random}", np.arange(160) % 10
    days = np.datetime64("2023-01-01") + np.arange(160)
    cases.append((f"{drawn}\n{reads('a, b')}", {"date": days, **columns}, NUMBER))
    cases.append((f"{drawn}\n{reads('a, b', 'label')}", {"date": days, **columns}, label_of(2)))
    y = np.asarray(columns["y"])
    drift = {"date": rng.permutation(days), "a": y, "b": y, "y": np.cumsum(rng.normal(size=160))}
    cases.append((f"{drawn}\n{reads('a, b')}", drift, NUMBER))
    earlier = np.array([(y + rng.normal(size=160))[shop == one].mean() for one in range(10)])[shop]
    cases.append((f"{drawn}\n{reads('a, c')}", {**columns, "c": earlier}, NUMBER))
    text, given, output = cases[seed % len(cases)]
    return codes(text, given, folder, output)


@pytest.mark.parametrize("seed", range(40))
def test_a_clean_spec_raises_no_alarm(seed: int, tmp_path: Path) -> None:
    assert clean(seed, np.random.default_rng(1000 + seed), tmp_path) == set()


@pytest.mark.parametrize("seed", range(6))
def test_windows_and_statistics_keep_to_their_split(seed: int, tmp_path: Path) -> None:
    """No row is read by samples of two splits, and test rows of any size change nothing that is fitted."""
    rng = np.random.default_rng(seed)
    columns = {name: np.asarray(values) for name, values in table(rng, 120).items()} | {"s": np.arange(120) // 60}
    horizon, stride = int(rng.integers(0, 4)), int(rng.integers(1, 3))
    split = f"split: {{train: 0.5, validation: 0.2, test: 0.3, gap: {rng.choice(['auto', '0'])}}}"
    text = (
        f"source: {{csv: a.csv}}\n{split}\nwindow: {{lookback: 3, horizon: {horizon}, stride: {stride}}}\n"
        f"{'series: {by: s}' if seed % 2 else ''}\n"
        "inputs: {x: {columns: [a], scale: standard}}\noutputs: {y: {columns: [b], scale: minmax}}\n"
    )
    fitted = []
    for factor in (1.0, 1000.0):
        lists = [values.tolist() for values in columns.values()]
        lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*lists, strict=True))]
        (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", "utf-8")
        data = load(plan_of(text, tmp_path), {"x": slot("x", ("time", 3), ("feature", 1))}, {"y": NUMBER})
        read = {
            name: {row + step for row in part.rows.tolist() for step in (-2, -1, 0, horizon)}
            for name, part in data.splits.items()
        }
        shared = [one & other for one, other in combinations(read.values(), 2)]
        assert not any(shared)
        fitted.append(data.deployment.to_json())
        outside = sorted(set(range(120)) - set(data.origins.parts["train"].tolist()))
        for name in ("a", "b"):
            columns[name][outside] *= factor if factor > 1 else 1000.0
    assert fitted[0] == fitted[1]
