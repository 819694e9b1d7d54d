"""What `nnspec data` says of a table: worked out by hand from its rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from nnspec import api
from nnspec.cli import main
from nnspec.data.arrays import mapped
from nnspec.data.dataset import load
from nnspec.data.overview import BY_CHANCE
from nnspec.data.overview.duplicates import find_duplicates, is_expected
from nnspec.data.overview.leakage import find_leakage
from nnspec.data.overview.ranges import training_ranges
from nnspec.jobs.dataset import load_dataset
from nnspec.report.data_tables import leakage_of
from nnspec.show.data import to_text
from tests.support.data_files import X, head_of, labelled
from tests.unit.data.section.test_plan import plan_of

SPEC = """\
nnspec: 1
inputs: {x: {axes: {feature: 2}}}
model: [{Dense: {units: 2, activation: softmax, as: class}}]
outputs: {kind: {task: classification}}
data:
  source: {csv: a.csv}
  order_by: day
  split: {train: 0.6, test: 0.4}
  inputs: {x: {columns: [width, height]}}
  outputs: {kind: {columns: [kind]}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    rows = [f"2024-03-{day:02d},{day},{day * day},{'round' if day % 3 else 'square'}" for day in range(1, 11)]
    rows[8] = rows[8].replace("9,81", "2,4")  # the inputs of row 2, with another kind
    (tmp_path / "a.csv").write_text("day,width,height,kind\n" + "\n".join(rows) + "\n", "utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC, "utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_json(spec: Path) -> None:
    result = run("data", spec, "--format", "json")
    assert result.exit_code == 0, result.stderr
    body = json.loads(result.stdout)
    assert body["splits"] == {
        "train": {"rows": 6, "samples": 6, "left_out": 0, "first": "2024-03-01", "last": "2024-03-06"},
        "test": {"rows": 4, "samples": 4, "left_out": 0, "first": "2024-03-07", "last": "2024-03-10"},
    }
    assert body["outputs"]["kind"]["classes"] == {
        "train": {"round": 4, "square": 2},
        "test": {"round": 3, "square": 1},
    }
    width = body["inputs"]["x"]["columns"]["width"]
    assert width["type"] == "float32"
    assert width["splits"]["train"] == {"values": 6, "missing": 0, "mean": 3.5, "std": 1.70783, "min": 1.0, "max": 6.0}
    assert body["leakage"]["duplicates"] == [
        {"splits": ["train", "test"], "samples": 1, "other_targets": 1, "by_chance": True, "rows": [[2, 9]]}
    ]
    assert body["samples"][0] == {"row": 1, "inputs": {"x": [1.0, 1.0]}, "targets": {"kind": ["round"]}}


def test_a_window_of_one_column_is_called_after_it(spec: Path) -> None:
    spec.write_text(
        "nnspec: 1\ninputs: {past: {axes: {time: 2}}}\nmodel: [{Dense: 1}]\noutputs: {next: {task: regression}}\n"
        "data:\n  source: {csv: a.csv}\n  order_by: day\n  window: {lookback: 2, horizon: 1}\n"
        "  split: {train: 0.6, test: 0.4}\n"
        "  inputs: {past: {columns: [width]}}\n  outputs: {next: {columns: [width]}}\n",
        encoding="utf-8",
    )
    lines = [f"2024-03-{i:02},{i}" for i in range(1, 21)]
    (spec.parent / "a.csv").write_text("day,width\n" + "\n".join(lines) + "\n", encoding="utf-8")
    body = json.loads(run("data", spec, "--format", "json").stdout)
    assert list(body["inputs"]["past"]["columns"]) == ["width"]
    assert body["splits"]["train"]["last"] == "2024-03-12"  # a target, and in no window
    checked = api.load(spec).checked
    assert checked.data is not None
    rows = checked.data, load_dataset(checked)
    assert training_ranges(*rows) == {"past": {"width": [1.0, 11.0]}}


@pytest.mark.parametrize("times", ["2024-{:02d}", "{}", "{}.5", "Q{:02d}"])
def test_times_of_any_kind(times: str, spec: Path) -> None:
    rows = [f"{times.format(i)},{i},{-i},{'round' if i % 3 else 'square'}" for i in range(1, 11)]
    (spec.parent / "a.csv").write_text("day,width,height,kind\n" + "\n".join(rows) + "\n", "utf-8")
    result = run("data", spec, "--set", "data.split.by=order", "--format", "json")
    assert json.loads(result.stdout)["splits"]["train"]["first"].startswith(times.format(1))


def test_text_fits_80_columns_and_quiet_says_warnings_alone(spec: Path) -> None:
    shown = run("data", spec)
    assert max(map(len, shown.stdout.splitlines())) <= 80
    for words in (
        "splits",
        "2024-03-06",
        "4 (66.7%)",
        "input x: shape 2",
        "1 of test are in train too (1 with another target)",
        BY_CHANCE,
    ):
        assert words in shown.stdout
    quiet = run("data", spec, "-q")
    assert (quiet.exit_code, quiet.stdout) == (0, "")


def test_wide_tables_fit_as_well() -> None:
    columns = {
        f"a column with a long name {i}": {
            "type": "float32",
            "splits": {"train": {"values": 9, "missing": 0, "mean": -1.2345e-5, "std": 1e9, "min": -3e-7, "max": 1e12}},
        }
        for i in range(3)
    }
    body = {
        "splits": {"train": {"rows": 9, "samples": 9, "left_out": 1}},
        "inputs": {"x": {"shape": [3], "columns": columns}},
        "outputs": {},
        "samples": [{"row": 1, "inputs": {"x": [1.0] * 8}, "targets": {"y": ["w" * 200]}}],
        "leakage": {"duplicates": [], "rows": {}},
        "notes": [],
    }
    text = to_text(body)
    assert max(map(len, text.splitlines())) <= 80
    assert "-1.234e-05" in text
    assert "left out" in text


@pytest.mark.plots
def test_plot(spec: Path) -> None:
    target = spec.parent / "data.png"
    assert run("data", spec, "-q", "--plot", target).exit_code == 0
    assert target.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert run("data", spec, "--plot", spec.parent / "data.docx").exit_code == 2
    told = run("data", spec, "--plot", spec.parent / "none" / "data.png")
    assert (told.exit_code, "NN606" in told.stderr) == (1, True)


def test_errors_and_specs_without_data(spec: Path) -> None:
    assert run("data", spec, "--set", "data.split.train=0.9").exit_code == 1
    spec.write_text(SPEC[: SPEC.index("data:")], "utf-8")
    told = run("data", spec)
    assert (told.exit_code, "NN517" in told.stderr) == (1, True)


def test_no_framework_is_imported(spec: Path) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from nnspec.cli import main; "
        f"assert CliRunner().invoke(main, ['data', {str(spec)!r}]).exit_code == 0; "
        "print([name for name in ('keras', 'tensorflow', 'onnx', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


ARRAYS = """
source: {npz: a.npz}
split: {train: 0.5, validation: 0.25, test: 0.25, by: order}
inputs: {x: {array: x}}
outputs: {y: {array: label}}
"""


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_are_those_of_a_plain_search(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    labelled(tmp_path / "a.npz", rng.integers(0, 3, 80))
    x = rng.choice([-1.0, 1.0, 0.5, 2.0, 3.0, np.pi, 7.0, 8.0], (80, 2))  # signs alone tell some apart
    np.savez(tmp_path / "a.npz", x=x, label=np.arange(80) % 3)
    plan = plan_of(ARRAYS, tmp_path)
    data = load(plan, {"x": X}, {"y": head_of(3)})
    found = {(one.first, one.then): one for one in find_duplicates(data)}
    for first, then in (("train", "validation"), ("train", "test"), ("validation", "test")):
        a, b = data.splits[first], data.splits[then]
        known = {tuple(row) for row in a.raw["x"].tolist()}
        pairs = {(*row, label) for row, label in zip(a.raw["x"].tolist(), a.target["y"].tolist(), strict=True)}
        rows = list(zip(b.raw["x"].tolist(), b.target["y"].tolist(), strict=True))
        one = found[first, then]
        assert one.count == sum(tuple(row) in known for row, _ in rows)
        assert one.different == sum(tuple(row) in known and (*row, label) not in pairs for row, label in rows)
        for before, after in one.rows:
            np.testing.assert_array_equal(x[before - 1], x[after - 1])
    assert is_expected(data)  # 64 combinations in 80 samples
    told = leakage_of({"leakage": find_leakage(plan, data).report})
    assert not told.warnings
    assert dict(told.facts)["samples with equal inputs"].endswith(BY_CHANCE)


PADDED = """\
nnspec: 1
data:
  source: {npz: d.npz}
  split: {train: 0.5, validation: 0.25, test: 0.25, by: order}
  inputs:
    words: {array: ids, axes: [sentence, word], lengths: [sentences, lengths]}
    curve: {array: points, axes: [time, feature], lengths: steps, scale: standard}
  outputs: {level: {array: levels, axes: [time], lengths: steps}}
inputs:
  words: {axes: {sentence: null, word: null}, dtype: int32}
  curve: {axes: {time: null, feature: 2}}
model:
  - Embedding: {input_dim: 9, output_dim: 2, mask_zero: true, from: words}
  - TimeDistributed: {over: sentence, layer: {GRU: {units: 2}}}
  - LSTM: {units: 2, over: sentence, name: mood}
  - Masking: {from: curve}
  - LSTM: {units: 2, return_sequences: true}
  - Dense: {units: 1}
  - drop: unit
outputs: {level: {task: regression}, mood: {task: none, from: mood}}
"""


@pytest.mark.parametrize("large", [mapped.LARGE, 0], ids=["in-memory", "gathered"])
def test_statistics_count_no_padding(large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sequences, of sequences of sequences, and of targets for each step."""
    monkeypatch.setattr(mapped, "LARGE", large)
    rng = np.random.default_rng(2)
    sentences, steps = np.array([1, 3, 2, 2]), np.array([2, 5, 3, 1])
    lengths = rng.integers(1, 5, 8)
    arrays = {
        "ids": rng.integers(3, 9, lengths.sum()).astype(np.int32),
        "points": rng.normal(5, 1, (11, 2)).astype(np.float32),
        "levels": rng.normal(7, 1, 11).astype(np.float32),
    }
    np.savez(tmp_path / "d.npz", sentences=sentences, lengths=lengths, steps=steps, **arrays)
    (tmp_path / "spec.yaml").write_text(PADDED, encoding="utf-8")
    done = run("data", tmp_path / "spec.yaml", "--format", "json")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    found = [body["inputs"]["words"]["columns"]["ids"], body["inputs"]["curve"]["columns"]["points"]]
    for one, name in zip([*found, body["outputs"]["level"]], arrays, strict=True):
        told = one["splits"].values()
        assert sum(split["values"] for split in told) == arrays[name].size
        assert sum(split["missing"] for split in told) == 0
        assert min(split["min"] for split in told) == pytest.approx(arrays[name].min(), rel=1e-4)
        mean = sum(split["mean"] * split["values"] for split in told) / arrays[name].size
        assert mean == pytest.approx(arrays[name].mean(), rel=1e-4)


DATED = """\
nnspec: 1
inputs: {trip: {axes: {time: 2, feature: auto}}}
model: [Flatten, {Dense: {units: 1}}]
outputs: {delay: {task: regression}}
data:
  source: {csv: a.csv}
  missing: {left: median, miles: mean}
  split: {train: 0.6, test: 0.4, by: order}
  window: {lookback: 2, horizon: 1}
  inputs: {trip: {columns: {left: {date: [hour]}, carrier: one_hot, miles: standard}}}
  outputs: {delay: {columns: [delay]}}
"""


def test_dates_that_are_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long tables have the statistics of short ones: of windows, a row counts as often as windows have it."""
    lefts = [f"2024-03-0{1 + i % 3} 1{i % 2}:00:00" if i % 7 else "" for i in range(40)]
    rows = [f"{left},{'AB'[i % 2]},{i},{i % 5}" for i, left in enumerate(lefts)]
    (tmp_path / "a.csv").write_text("\n".join(["left,carrier,miles,delay", *rows]) + "\n")
    (tmp_path / "spec.yaml").write_text(DATED)
    short = json.loads(run("data", tmp_path / "spec.yaml", "--format", "json").stdout)
    monkeypatch.setattr(mapped, "LARGE", 0)
    monkeypatch.setattr(mapped, "STRETCH", 7)
    target = tmp_path / "data.png"
    done = run("data", tmp_path / "spec.yaml", "--format", "json", "--plot", target)
    assert done.exit_code == 0, done.output
    assert target.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    long = json.loads(done.stdout)
    assert long["inputs"] == short["inputs"]
    assert long["splits"] == short["splits"]
    windows = [lefts[row] for end in range(1, 23) for row in (end - 1, end)]  # of the 24 rows that are trained on
    train = long["inputs"]["trip"]["columns"]["left"]["splits"]["train"]
    assert train["missing"] == windows.count("")
    assert train["distinct"] == len(set(windows))
    counts = sorted(((word, windows.count(word)) for word in set(windows)), key=lambda pair: (-pair[1], pair[0]))
    assert train["most"] == [list(pair) for pair in counts[:5]]


@pytest.mark.parametrize("large", [mapped.LARGE, 0], ids=["in-memory", "gathered"])
@pytest.mark.parametrize("columns", ["[a, b]", "{a: standard, b: standard}"])
def test_numbers_that_may_mark_missing_values(
    columns: str, large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "LARGE", large)
    rows = [f"{-999 if i % 10 == 3 else i % 40},{i % 100},{9999 if i % 20 == 7 else i / 60}" for i in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    text = (
        SPEC.replace("columns: [width, height]", f"columns: {columns}").replace("columns: [kind]", "columns: [y]")
    ).replace("  order_by: day\n", "")
    text = text.replace("{units: 2, activation: softmax, as: class}", "{units: 1}").replace(
        "classification", "regression"
    )
    (tmp_path / "spec.yaml").write_text(text)
    done = run("data", tmp_path / "spec.yaml", "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["notes"] == [
        "-999 in 6 values of `a` is far from the others (0 to 39): if it marks missing ones, write "
        "`na_values: {a: -999}` beside the path",
        "9999 in 3 values of `y` is far from the others (0 to 0.983333): if it marks missing ones, write "
        "`na_values: {y: 9999}` beside the path",
    ]


@pytest.mark.parametrize("large", [mapped.LARGE, 0], ids=["in-memory", "gathered"])
def test_words_are_counted_and_those_that_may_mark_missing_values_told(
    large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "LARGE", large)
    cells = ["tv|web", "web", "", "tv|cloud|web", "sport"]
    rows = [f"{cells[i % 5]},{('card', 'cash', '?')[i % 3]},{('yes', 'no', 'unknown')[i // 3 % 3]}" for i in range(90)]
    (tmp_path / "a.csv").write_text("\n".join(["with,paid,y", *rows]) + "\n")
    text = SPEC.replace("columns: [width, height]", "columns: {with: multi_hot, paid: one_hot}")
    text = text.replace("columns: [kind]", "columns: [y]").replace("  order_by: day\n", "  missing: {with: category}\n")
    text = text.replace("{feature: 2}", "{feature: auto}").replace("{units: 2, ", "{units: 3, ")
    (tmp_path / "spec.yaml").write_text(text)
    done = run("data", tmp_path / "spec.yaml", "--format", "json")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    column = body["inputs"][next(iter(body["inputs"]))]["columns"]["with"]["splits"]
    assert [column[split]["distinct"] for split in column] == [4] * len(column)
    totals: dict[str, int] = {}
    for split in column.values():
        for word, count in split["most"]:
            totals[word] = totals.get(word, 0) + count
    assert totals == {"web": 54, "tv": 36, "cloud": 18, "sport": 18}  # of 18 rows of each cell
    assert sum(split["values"] for split in column.values()) == 72
    note = "may mark missing values or be a separate"
    assert [told.split(", as now")[0] for told in body["notes"]] == [
        f"`?` in 30 values of `paid` {note} category",
        f"`unknown` in 30 values of `y` {note} class",
    ]
