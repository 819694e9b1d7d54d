"""Specs over one table, each of which asks something else of its rows: what of it grows with them?

python -m tests.benchmarks.memory --cases             # all of them, on 500,000 and 4,000,000 rows
python -m tests.benchmarks.memory --cases gaps order  # some of them
"""

from __future__ import annotations

from pathlib import Path

NUMBERS = 8
WORDS = ("red", "green", "blue", "yellow", "black")

# Shuffled times without doubles; every 97th number and every 31st word is missing.
TABLE = """
SELECT *, CAST(0.5 * c0 - c1 * c2 + 0.1 * random() AS FLOAT) AS y FROM (
    SELECT {numbers}, CASE WHEN i % 97 <> 1 THEN CAST(random() AS FLOAT) END AS g0,
        CASE WHEN i % 89 <> 1 THEN CAST(random() AS FLOAT) END AS g1,
        CAST(i AS BIGINT) AS t, (i * 7919) % {rows} AS mixed,
        CASE WHEN i % 31 <> 1 THEN 'word' || CAST(i % 40 AS VARCHAR) END AS word,
        list_value('red', 'green', 'blue', 'yellow', 'black')[1 + i % 5] AS color,
        CASE WHEN i % 3 = 0 THEN 'yes' ELSE 'no' END AS flag, i % 2 AS bit, (i // 2) % 2 AS other,
        'shop' || CAST(i // ({rows} // 50) AS VARCHAR) AS shop,
        make_timestamp(1500000000000000 + i * 60000000) AS day, CAST(0.5 + random() AS FLOAT) AS weight
    FROM (SELECT range AS i FROM range({rows})))
"""

_COLUMNS = ", ".join(f"c{i}" for i in range(NUMBERS))
_SPLIT = "split: {train: 0.8, validation: 0.1, test: 0.1, by: random}"


def _spec(
    data: str,
    *,
    inputs: str = f"x: {{columns: [{_COLUMNS}], scale: standard}}",
    outputs: str = "y: {columns: [y], scale: standard}",
    task: str = "y: {task: regression}",
    head: str = "{Dense: {units: 1}}",
    axes: str = "feature: auto",
    first: str = "{Dense: {units: 16, activation: relu}}",
    training: str = "",
) -> str:
    return f"""
inputs: {{x: {{axes: {{{axes}}}}}}}
model: [{first}, {head}]
outputs: {{{task}}}
data:
  source: {{parquet: rows.parquet}}
  {data}
  inputs: {{{inputs}}}
  outputs: {{{outputs}}}
training: {{epochs: 1, batch_size: 4096{training}}}
"""


def _windows(data: str, **changes: str) -> str:
    first = "{Flatten: {}}, {Dense: {units: 8, activation: relu}}"
    window = data if "window:" in data else data + "\n  window: {lookback: 16, horizon: 1}"
    return _spec(window, axes="time: 16, feature: auto", first=first, **changes)


_IN_ORDER = "split: {train: 0.8, validation: 0.1, test: 0.1, by: order}"
_GAPS = f"x: {{columns: [{_COLUMNS}, g0, g1], scale: standard}}"
_PROBABILITY = "{Dense: {units: 1, activation: sigmoid}}"
CASES = {
    "numbers": _spec(_SPLIT),
    "robust": _spec(_SPLIT, inputs="x: {columns: {" + _COLUMNS.replace(",", ": robust,") + ": robust}}"),
    "filled": _spec(f"{_SPLIT}\n  missing: {{g0: median, g1: mean}}", inputs=_GAPS),
    "frequent": _spec(f"{_SPLIT}\n  missing: {{g0: most_frequent, g1: {{constant: 0}}}}", inputs=_GAPS),
    "dropped": _spec(f"{_SPLIT}\n  missing: drop", inputs=_GAPS),
    "carried": _windows(f"{_IN_ORDER}\n  missing: forward_fill", inputs=_GAPS),
    "encoded": _spec(
        f"{_SPLIT}\n  missing: {{g0: median, g1: indicator, word: category}}",
        inputs="x: {columns: {c0: standard, c1: {scale: robust}, c2: minmax, g0: standard, g1: standard, "
        "word: one_hot, color: one_hot, flag: boolean, day: {date: [month, hour]}}}",
    ),
    "classes": _spec(
        _SPLIT,
        outputs="y: {columns: [color]}",
        task="y: {task: classification}",
        head="{Dense: {units: 5, activation: softmax}}",
        training=", class_weight: balanced",
    ),
    "binary": _spec(
        _SPLIT,
        outputs="y: {columns: [bit]}",
        task="y: {task: binary, threshold: {maximize: f1}}",
        head=_PROBABILITY,
    ),
    "multilabel": _spec(
        _SPLIT,
        outputs="y: {columns: [bit, other]}",
        task="y: {task: multilabel}",
        head="{Dense: {units: 2, activation: sigmoid}}",
    ),
    "quantiles": _spec(
        _SPLIT,
        task="y: {task: quantiles, levels: [0.1, 0.5, 0.9], calibrate: conformal}",
        head="{Dense: {units: auto}}",
    ),
    "metrics": _spec(_SPLIT, task="y: {task: regression, metrics: [mae, RootMeanSquaredError, R2Score]}"),
    "weights": _spec(f"{_SPLIT}\n  weight: weight"),
    "order": _spec("order_by: mixed\n  split: {train: 0.8, validation: 0.1, test: 0.1, by: time}"),
    "days": _windows("order_by: day\n  split: {train: 0.8, validation: 0.1, test: 0.1, by: time}"),
    "series": _windows("series: {by: shop, time: t}\n  split: {train: 0.8, validation: 0.1, test: 0.1, by: time}"),
    "groups": _spec("split: {train: 0.8, validation: 0.1, test: 0.1, by: random, group: shop}"),
    "hashed": _spec("split: {train: 0.8, validation: 0.1, test: 0.1, by: {hash: t}}"),
    "season": _windows(f"{_IN_ORDER}\n  window: {{lookback: 16, horizon: 1, season: 7}}"),
}


def make_table(file: Path, rows: int) -> None:
    """One row a minute, of every kind of column."""
    import duckdb

    numbers = ", ".join(f"CAST(random() * 2 - 1 AS FLOAT) AS c{i}" for i in range(NUMBERS))
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '2GB'; SET temp_directory = '{file.parent}'; SELECT setseed(0.5)")
    connection.execute(f"COPY ({TABLE.format(numbers=numbers, rows=rows)}) TO '{file}' (FORMAT parquet)")
    connection.close()
