"""Data files in, prediction files out, by what a model's metadata say."""

from __future__ import annotations

import csv
import io
import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime import InputError
from nnspec.runtime.reading import read_inputs
from nnspec.runtime.writing import records, write_predictions


def meta(*axes: tuple[str, Any], columns: list[str] | None = None, window: Any = None, **more: Any) -> dict[str, Any]:
    body = {"axes": [["batch", None], *map(list, axes)], "dtype": "float32", "columns": columns, **more}
    return {"inputs": {"x": body}, "outputs": {}, "window": window, "states": {}}


WINDOW = {"lookback": 3, "horizon": 2, "stride": 1}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = "".join(f"name{t},{t},{100 + t}\n" for t in range(5))
    (tmp_path / "a.csv").write_text("who,a,b\n" + rows)
    return tmp_path / "a.csv"


# ------------------------------------------------------------------------------------------------------ tables


def test_rows(table: Path) -> None:
    found = read_inputs(table, meta(("feature", 2), columns=["b", "a"]))["x"]
    assert found.tolist() == [[100 + t, t] for t in range(5)]


def test_gaps_are_filled_as_they_were_in_training(tmp_path: Path) -> None:
    file = tmp_path / "gaps.csv"
    file.write_text("a,b\n1,2\n3,\n,\n7,8\n")
    filling = {**meta(("feature", 2), columns=["a", "b"]), "missing": "forward_fill"}
    assert read_inputs(file, filling)["x"].tolist() == [[1, 2], [3, 2], [3, 2], [7, 8]]
    file.write_text("a,b\n1,\n3,4\n")
    with pytest.raises(InputError, match="column `b` has no number in row 1"):
        read_inputs(file, filling)


def test_npz_by_the_array_of_the_training_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", audio=np.arange(6.0).reshape(3, 2), other=np.zeros(2))
    found = read_inputs(tmp_path / "d.npz", meta(("time", 2), array="audio"))
    assert found["x"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_windows(table: Path) -> None:
    found = read_inputs(table, meta(("time", 3), ("feature", 2), columns=["a", "b"], window=WINDOW))["x"]
    assert found.shape == (3, 3, 2)
    assert found[1].tolist() == [[1, 101], [2, 102], [3, 103]]
    turned = read_inputs(table, meta(("feature", 2), ("time", 3), columns=["a", "b"], window=WINDOW))["x"]
    np.testing.assert_array_equal(turned, found.transpose(0, 2, 1))
    strided = read_inputs(table, meta(("time", 3), ("feature", 2), columns=["a", "b"], window={**WINDOW, "stride": 2}))[
        "x"
    ]
    np.testing.assert_array_equal(strided, found[::2])


@pytest.mark.parametrize(("stride", "ends"), [(2, [0, 2]), (3, [0, 2]), (5, [0, 2])])
def test_the_newest_window_is_predicted_whatever_the_stride(stride: int, ends: list[int], table: Path) -> None:
    """A stride thins what is learned and scored; what is asked of the newest rows is not thinned."""
    said = meta(("time", 3), ("feature", 2), columns=["a", "b"], window={**WINDOW, "stride": stride})
    every = read_inputs(table, meta(("time", 3), ("feature", 2), columns=["a", "b"], window=WINDOW))["x"]
    np.testing.assert_array_equal(read_inputs(table, said)["x"], every[ends])
    said["inputs"]["x"]["is_measured"] = True  # as targets are: what is scored
    np.testing.assert_array_equal(read_inputs(table, said)["x"], every[::stride])


def test_windows_where_sizes_do_not_tell(table: Path) -> None:
    window = {**WINDOW, "lookback": 2}
    straight = read_inputs(table, meta(("time", 2), ("feature", 2), columns=["a", "b"], window=window))["x"]
    turned = read_inputs(table, meta(("feature", 2), ("time", 2), columns=["a", "b"], window=window))["x"]
    said = read_inputs(table, meta(("p", 2), ("q", 2), columns=["a", "b"], window=window, step="q"))["x"]
    assert straight[0].tolist() == [[0, 100], [1, 101]]
    np.testing.assert_array_equal(turned, straight.transpose(0, 2, 1))
    np.testing.assert_array_equal(said, turned)


def test_windows_of_one_column_and_units(table: Path) -> None:
    one = read_inputs(table, meta(("time", 3), columns=["b"], window=WINDOW))["x"]
    assert one.tolist() == [[100, 101, 102], [101, 102, 103], [102, 103, 104]]
    unit = read_inputs(table, meta(("time", 3), ("feature", 2), ("one", 1), columns=["a", "b"], window=WINDOW))["x"]
    assert unit.shape == (3, 3, 2, 1)
    now = read_inputs(table, meta(("feature", 2), columns=["a", "b"], window=WINDOW))["x"]
    assert now.tolist() == [[2, 102], [3, 103], [4, 104]]


def test_batch_last(table: Path) -> None:
    metadata = meta(columns=["a", "b"])
    metadata["inputs"]["x"]["axes"] = [["feature", 2], ["batch", None]]
    assert read_inputs(table, metadata)["x"].tolist() == [[0, 1, 2, 3, 4], [100, 101, 102, 103, 104]]


def test_parquet(table: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    path = table.with_suffix(".parquet")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(table), path)
    metadata = meta(("time", 3), ("feature", 2), columns=["a", "b"], window=WINDOW)
    np.testing.assert_array_equal(read_inputs(path, metadata)["x"], read_inputs(table, metadata)["x"])
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match="cannot be read"):
        read_inputs(path, metadata)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("a,c\n1,2\n", "no column `b`"),
        ("a,b\n1,2\n3\n", "row 2 has 1 cells"),
        ("a,b\n1,2\n3,\n", "column `b` has no number in row 2"),
        ("a,b\n1,2\n3,inf\n", "column `b` has no number in row 2"),
        ("a,b\nx,2\n", "column `a` has no number in row 1: `x`"),
        ("a,b\n1,2\n3,4\n", "has 2 rows, but a window needs 3"),
    ],
)
def test_bad_tables(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        read_inputs(tmp_path / "a.csv", meta(("time", 3), ("feature", 2), columns=["a", "b"], window=WINDOW))
    assert words in str(caught.value)


def test_a_model_that_names_no_columns(table: Path) -> None:
    with pytest.raises(InputError, match="which columns"):
        read_inputs(table, meta(("feature", 2)))


# ------------------------------------------------------------------------------------------------------ arrays

X = np.arange(6.0).reshape(3, 2)
PLAIN = meta(("feature", 2))
TWO = {**PLAIN, "inputs": {**PLAIN["inputs"], "z": PLAIN["inputs"]["x"]}}


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "a.npz", x=X, z=X + 1, other=X)
    (tmp_path / "a.json").write_text(json.dumps({"x": X.tolist(), "z": X.tolist()}))
    (tmp_path / "b.json").write_text(json.dumps(X.tolist()))
    for name in ("a.npy", "a.npz", "a.json", "b.json"):
        found = read_inputs(tmp_path / name, PLAIN)
        assert list(found) == ["x"]
        np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(read_inputs(tmp_path / "a.npz", TWO)["z"], X + 1)
    with pytest.raises(InputError, match="`x`, `z`"):
        read_inputs(tmp_path / "a.npy", TWO)
    stateful = {**TWO, "states": {"z": "z_next"}}
    assert list(read_inputs(tmp_path / "a.npz", stateful)) == ["x"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xyz", b"", "has no supported extension"),
        ("a.npy", b"", "cannot be read"),
        ("a.npy", b"hello", "cannot be read"),
        ("a.npz", b"PK", "cannot be read"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"3", "must contain a mapping"),
        ("a.json", b"{}", "no `x`"),
        ("a.json", b'{"x": [[1, 2], [3]]}', "differ in length"),
        ("a.json", b'{"x": [[1, null]]}', "other than numbers"),
        ("a.json", b"\xff", "not UTF-8 text; write the file as UTF-8"),
        ("a.wav", b"RIFF", "cannot be read"),
        ("a.csv", b"\xff\xfe\xff", "cannot be read"),
    ],
)
def test_bad_files(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_inputs(tmp_path / name, meta(("feature", 2), columns=["a", "b"]))
    assert words in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_inputs(tmp_path / "a.csv", PLAIN)


def test_pickles_are_refused(tmp_path: Path) -> None:
    for name, saver in (("a.npy", np.save), ("a.npz", lambda path, x: np.savez(path, x=x))):
        saver(tmp_path / name, np.array([{}], dtype=object))
        with pytest.raises(InputError, match="cannot be read"):
            read_inputs(tmp_path / name, PLAIN)


# ------------------------------------------------------------------------------------------------------ sound


def _write_wav(path: Path, data: bytes, width: int, channels: int = 1, rate: int = 8000) -> None:
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(width)
        stream.setframerate(rate)
        stream.writeframes(data)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
def test_sound_is_read_as_soundfile_does(subtype: str, tmp_path: Path) -> None:
    import soundfile

    samples = np.linspace(-0.9, 0.9, 23)
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype=subtype)
    expected = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    found = read_inputs(tmp_path / "a.wav", meta(("time", 5), ("channel", 1), rate=8000))["x"]
    assert found.shape == (4, 5, 1)
    np.testing.assert_allclose(found.reshape(-1), expected[:20], atol=1e-7)
    overlapping = read_inputs(tmp_path / "a.wav", meta(("time", 5), stride=3))["x"]
    np.testing.assert_allclose(overlapping[2], expected[6:11], atol=1e-7)
    whole = read_inputs(tmp_path / "a.wav", meta(("time", "T")))["x"]
    assert whole.shape == (1, 23)


def test_sound_that_does_not_fit(tmp_path: Path) -> None:
    _write_wav(tmp_path / "a.wav", bytes(20), 2)
    for metadata, words in (
        (meta(("time", 11)), "has 10 samples, but a frame needs 11"),
        (meta(("time", 5), rate=16000), "a sampling rate of 8000 Hz"),
        (meta(("time", 5), ("feature", 2)), "does not take audio frames"),
    ):
        with pytest.raises(InputError, match=words):
            read_inputs(tmp_path / "a.wav", metadata)
    _write_wav(tmp_path / "a.wav", bytes(20), 2, channels=2)
    with pytest.raises(InputError, match="mono"):
        read_inputs(tmp_path / "a.wav", meta(("time", 5)))


# ------------------------------------------------------------------------------------------------------ predictions


def outputs_meta(**outputs: Any) -> dict[str, Any]:
    return {"inputs": {}, "outputs": outputs}


REGRESSION = outputs_meta(forecast={"axes": [["batch", None], ["target", 1]], "task": "regression"})
FORECAST = {"forecast": np.float32([[1.5], [2.25]])}
DIGIT = outputs_meta(digit={"axes": [["batch", None], ["digit", 3]], "task": "classification", "classes": [3, 5, 8]})
SCORES = {"digit": np.float32([[0.25, 0.5, 0.25], [0.75, 0.125, 0.125]])}


def test_records() -> None:
    assert list(records(FORECAST, REGRESSION)) == [{"forecast": 1.5}, {"forecast": 2.25}]
    first = next(records(SCORES, DIGIT))
    assert first == {"digit": 5, "digit_p_3": 0.25, "digit_p_5": 0.5, "digit_p_8": 0.25}


def test_records_of_many_elements() -> None:
    y = np.arange(2 * 2 * 3, dtype=np.float32).reshape(2, 2, 3)
    body = {"axes": [["batch", None], ["step", 2], ["unit", 3]]}
    assert list(next(records({"y": y}, outputs_meta(y=body)))) == [f"y_{i}_{j}" for i in range(2) for j in range(3)]
    named = {"axes": [["batch", None], ["unit", 3]], "columns": ["temp", "dewp", "wind"]}
    assert next(records({"y": y[:, 0]}, outputs_meta(y=named))) == {"y_temp": 0.0, "y_dewp": 1.0, "y_wind": 2.0}
    classes = {
        "axes": [["batch", None], ["output", 2], ["class", 3]],
        "task": "classification",
        "classes": ["a", "b", "c"],
    }
    found = next(records({"y": y}, outputs_meta(y=classes)))
    assert (found["y_0"], found["y_1"], found["y_1_p_b"]) == ("c", "c", 4.0)
    turned = {**classes, "axes": [["class", 3], ["batch", None], ["output", 2]], "class_axis": "class"}
    assert next(records({"y": y.transpose(2, 0, 1)}, outputs_meta(y=turned))) == found


def test_records_of_binary_multilabel_and_labels() -> None:
    p = np.float32([[0.75], [0.25]])
    binary = outputs_meta(y={"axes": [["batch", None], ["unit", 1]], "task": "binary", "classes": ["no", "yes"]})
    assert list(records({"y": p}, binary)) == [{"y": "yes", "y_p": 0.75}, {"y": "no", "y_p": 0.25}]
    tags = outputs_meta(y={"axes": [["batch", None], ["label", 2]], "task": "multilabel", "classes": ["wet", "cold"]})
    assert next(records({"y": np.float32([[0.5, 0.25]])}, tags)) == {"y_wet": 0.5, "y_cold": 0.25}
    labels = np.array(["b", "a"], dtype=object)
    assert list(records({"digit": labels}, DIGIT)) == [{"digit": "b"}, {"digit": "a"}]


def test_files(tmp_path: Path) -> None:
    write_predictions(SCORES, DIGIT, tmp_path / "p.csv")
    with (tmp_path / "p.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows[1] == {"digit": "3", "digit_p_3": "0.75", "digit_p_5": "0.125", "digit_p_8": "0.125"}
    write_predictions(SCORES, DIGIT, tmp_path / "p.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [line["digit"] for line in lines] == [5, 3]
    write_predictions(SCORES, DIGIT, tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text()) == {"digit": SCORES["digit"].tolist()}
    write_predictions({**SCORES, "text": np.array(["a", "bc"], dtype=object)}, DIGIT, tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["digit"], SCORES["digit"])
        assert archive["text"].tolist() == ["a", "bc"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "p.json", "p.jsonl", "p.npz"]


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_predictions(FORECAST, REGRESSION)
    assert capsys.readouterr().out == '{"forecast": 1.5}\n{"forecast": 2.25}\n'
    stream = io.StringIO()
    write_predictions(FORECAST, REGRESSION, stream=stream)
    assert stream.getvalue().count("\n") == 2


def test_a_suffix_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no supported extension"):
        write_predictions(FORECAST, REGRESSION, tmp_path / "p.xlsx")
    assert list(tmp_path.iterdir()) == []
