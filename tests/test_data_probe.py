"""The quick check of data files: each fault has its code and points at the words that are wrong."""

from __future__ import annotations

import io
import pickle
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnspec.data import headers
from nnspec.data.csvscan import TableError, read_header, scan
from nnspec.data.cuts import cut, runs
from nnspec.data.fit import FitError, fit
from nnspec.data.headers import ArrayHeader, HeaderError
from nnspec.data.load import load
from nnspec.data.plan import Part, Slot
from nnspec.data.probe import probe
from nnspec.diagnostics import Diagnostic, SpecError
from tests.test_data_load import write_table, write_wav
from tests.test_data_plan import HERE, plan_of, slot

DATA = Path(__file__).parents[1] / "specs" / "data"
TABLE = """
source: {csv: a.csv}
order_by: t
split: {train: 0.5, test: 0.5}
window: {lookback: 4, horizon: 3}
inputs: {w: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
W = slot("w", ("time", 4), ("feature", 2))
Y = slot("y", ("unit", 1), task="regression")
ARRAYS = """
source: {npz: a.npz}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {array: x}}
outputs: {y: {array: y}}
"""
X = slot("x", ("row", 2), ("feature", 3))


def run(text: str, root: Path, inputs: list[Slot], outputs: list[Slot]) -> list[Diagnostic]:
    plan = plan_of(text, root)
    given = {s.name: s for s in inputs}, {s.name: s for s in outputs}
    found = probe(plan, *given)
    if found:  # the loader says the same, and raises nothing else
        with pytest.raises(SpecError) as caught:
            load(plan, *given)
        assert [d.code for d in caught.value.diagnostics] == [d.code for d in found]
    return found


def one(text: str, root: Path, inputs: list[Slot], outputs: list[Slot]) -> Diagnostic:
    found = run(text, root, inputs, outputs)
    assert len(found) == 1, [(d.code, d.message) for d in found]
    return found[0]


def quoted(diagnostic: Diagnostic) -> str:
    """What the diagnostic's span covers."""
    span = diagnostic.span
    return span.source.line(span.line)[span.column - 1 : span.end_column - 1]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_table(tmp_path / "a.csv")
    return tmp_path


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    np.savez(tmp_path / "a.npz", x=np.arange(66.0).reshape(11, 2, 3), y=np.arange(11.0), z=np.arange(7.0))
    return tmp_path


def test_nothing_to_say(table: Path, arrays: Path) -> None:
    assert run(TABLE, table, [W], [Y]) == []
    assert run(ARRAYS, arrays, [X], [Y]) == []


# ------------------------------------------------------------------------------------------------------ files


def test_missing_file(table: Path) -> None:
    found = one(TABLE.replace("a.csv", "aa.csv"), table, [W], [Y])
    assert (found.code, quoted(found), found.path) == ("NN501", "aa.csv", "data.source.csv")
    assert "a.csv" in found.fixes[0].message


def test_missing_folder(table: Path) -> None:
    (table / "data").mkdir()
    found = one(TABLE.replace("a.csv", "dat/a.csv"), table, [W], [Y])
    assert (found.code, "`data`" in found.fixes[0].message) == ("NN501", True)
    assert one(TABLE.replace("a.csv", "data"), table, [W], [Y]).message == "`data` is a folder, not a file"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"t,a,b,c\n", "no rows"),
        (b"t,a,b,a\n1,2,3,4\n", "`a` stands twice"),
        (b"t,a,b,c\n1,2,3,4\n1,2,3\n", "row 2 has 3 cells"),
        (b"t,a,b,c\n1,2,\xff\xfe,4\n", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "UTF-8"),
    ],
)
def test_damaged_tables(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    found = one(TABLE, tmp_path, [W], [Y])
    assert found.code == "NN502"
    assert reason in found.message


def _npy(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


GOOD = _npy(np.arange(66.0).reshape(11, 2, 3))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not begin"),
        (GOOD[:9], "within its header"),
        (GOOD[:40], "within its header"),
        (GOOD[:-8], "needs"),
        (GOOD.replace(b"(11, 2, 3)", b"(11, 2, 9)"), "needs"),
        (GOOD.replace(b"(11, 2, 3)", b"(-1, 2, 3)"), "no plain array"),
        (GOOD.replace(b"'shape'", b"'shope'"), "cannot be read"),
        (GOOD.replace(b"'<f8'", b"[1+1]"), "cannot be read"),
        (b"\x93NUMPY\x07" + GOOD[7:], "version 7"),
        (_npy(np.array([{}, []], dtype=object)), "pickled"),
        (pickle.dumps([1, 2]), "does not begin"),
        (_npy(np.zeros(3, dtype=[("a", "<f4")])), "no plain array"),
    ],
)
def test_damaged_arrays(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    np.save(tmp_path / "y.npy", np.arange(11.0))
    text = "split: {train: 0.5, test: 0.5, by: order}\ninputs: {x: {npy: x.npy}}\noutputs: {y: {npy: y.npy}}"
    found = one(text, tmp_path, [X], [Y])
    assert (found.code, quoted(found)) == ("NN502", "x.npy")
    assert reason in found.message


def test_pickles_are_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "sprung"),))  # type: ignore[return-value]

    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", _npy(np.array([Trap()] * 11, dtype=object)))
        archive.writestr("y.npy", _npy(np.arange(11.0)))
    found = one(ARRAYS, tmp_path, [X], [Y])
    assert (found.code, "pickled" in found.message) == ("NN502", True)
    assert not (tmp_path / "sprung").exists()


def test_an_array_that_nobody_asks_for_may_be_a_pickle(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", GOOD)
        archive.writestr("y.npy", _npy(np.arange(11.0)))
        archive.writestr("meta.npy", _npy(np.array({}, dtype=object)))
    assert run(ARRAYS, tmp_path, [X], [Y]) == []


def test_damaged_archives(arrays: Path) -> None:
    content = (arrays / "a.npz").read_bytes()
    (arrays / "a.npz").write_bytes(content[: len(content) // 2])
    assert one(ARRAYS, arrays, [X], [Y]).code == "NN502"
    (arrays / "a.npz").write_bytes(b"not a zip")
    assert "zip" in one(ARRAYS, arrays, [X], [Y]).message


def test_damaged_bytes_within_an_archive(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.random.default_rng(0).normal(size=(11, 2, 3)), y=np.arange(11.0))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[250:260] = b"\0" * 10
    (tmp_path / "a.npz").write_bytes(bytes(content))
    with pytest.raises(SpecError) as caught:
        load(plan_of(ARRAYS, tmp_path), {"x": X}, {"y": Y})
    assert caught.value.diagnostics[0].code == "NN502"


def test_an_array_that_claims_too_much(tmp_path: Path) -> None:
    huge = GOOD.replace(b"(11, 2, 3)", b"(9**9, 9)")
    assert len(huge) == len(GOOD) - 1
    (tmp_path / "x.npy").write_bytes(huge)
    with pytest.raises(HeaderError):
        headers.read_npy(tmp_path / "x.npy")


def test_headers_agree_with_numpy(tmp_path: Path) -> None:
    for array in (
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(3, 2)),
        np.array(["ab", "c"]),
        np.array(5.0),
        np.array([True, False]),
    ):
        np.save(tmp_path / "a.npy", array)
        found = headers.read_npy(tmp_path / "a.npy")
        assert (found.shape, found.descr, found.itemsize) == (array.shape, array.dtype.str, array.dtype.itemsize)
        assert found.fortran == (array.flags.f_contiguous and not array.flags.c_contiguous)


@pytest.mark.parametrize("dtype", ["<i8", ">i4", "|u1", "<f4", ">f8", "|b1", "<U3", "|S2", "<f2"])
def test_vectors_agree_with_numpy(dtype: str, tmp_path: Path) -> None:
    array = np.array([0, 1, 1, 0, 1]).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", v=array)
    expected = array.astype(str).tolist() if array.dtype.kind == "S" else array.tolist()
    header = headers.read_npy(tmp_path / "a.npy")
    assert headers.read_vector(tmp_path / "a.npy", None, header) == expected
    inside = headers.read_npz(tmp_path / "a.npz")["v"]
    assert isinstance(inside, ArrayHeader)
    assert headers.read_vector(tmp_path / "a.npz", "v", inside) == expected


def test_sound_headers(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.arange(8), rate=11025)
    assert headers.read_wav(tmp_path / "a.wav") == headers.WavHeader(11025, 1, 8)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:-4])
    with pytest.raises(HeaderError, match="fewer samples"):
        headers.read_wav(tmp_path / "a.wav")
    (tmp_path / "a.wav").write_bytes(content[:20] + struct.pack("<H", 3) + content[22:])
    assert headers.read_wav(tmp_path / "a.wav") is None  # float samples: for the audio library


# ------------------------------------------------------------------------------------------------------ names


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
    assert {d.code for d in found} == {"NN503"}
    assert any("other than a comma" in note for note in found[0].notes)


def test_inputs_and_outputs_without_data_or_model(table: Path) -> None:
    missing, unknown = run(TABLE.replace("{w:", "{windw:"), table, [slot("window", *W.axes)], [Y])
    assert {missing.code, unknown.code} == {"NN512"}
    assert "did you mean `window`" in missing.message + unknown.message
    found = one(TABLE, table, [W], [Y, slot("z", ("unit", 1), task="regression")])
    assert (found.code, "output `z`" in found.message) == ("NN512", True)


# ------------------------------------------------------------------------------------------------------ values


def test_missing_values(table: Path) -> None:
    lines = (table / "a.csv").read_text().split("\n")
    for row in (3, 5, 7, 8, 9, 31):
        lines[row] = lines[row].split(",")[0] + ",NA," + ",".join(lines[row].split(",")[2:])
    (table / "a.csv").write_text("\n".join(lines))
    found = one(TABLE, table, [W], [Y])
    assert (found.code, found.message) == ("NN504", "column `a` of `a.csv` lacks 6 values: rows 3, 5, 7, 8, 9, …")
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
        ([("time", 5), ("feature", 2)], "axis `time` has size 5 in the model, but the data have 4"),
        ([("time", 4), ("feature", 3)], "axis `feature` has size 3 in the model, but the data have 2"),
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
            "axis `row` has size 2 in the model, but the data have 3",
        ),
        ([("row", 2), ("feature", 3)], "[sample, row, column]", "`column` is no axis of the model"),
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


# ------------------------------------------------------------------------------------------------------ splits


def test_windows_that_the_data_cannot_fill(table: Path) -> None:
    text = TABLE.replace("lookback: 4", "lookback: 14")
    found = one(text, table, [slot("w", ("time", 14), ("feature", 2))], [Y])
    assert (found.code, found.path) == ("NN505", "data.split.test")
    assert "13 consecutive rows of 60" in found.message
    assert "takes 17" in found.message


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
    assert runs("aabba") == {"a": [2, 1], "b": [2]}


# ------------------------------------------------------------------------------------------------------ targets


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TABLE.replace("[c]}", "[c], relative_to: last}"), "no windowed input holds `c`"),
        (TABLE.replace("[c]}", "[a], relative_to: last}").replace("horizon: 3", "horizon: 0"), "always 0"),
        (TABLE.replace("[c]}", "[a], relative_to: last}").replace("[a, b]}", "[a, b], window: false}"), "no windowed"),
    ],
)
def test_relative_targets_without_a_last_value(text: str, words: str, table: Path) -> None:
    w = slot("w", ("feature", 2)) if "window: false" in text else W
    found = one(text, table, [w], [Y])
    assert (found.code, found.path, words in found.message) == ("NN516", "data.outputs.y.relative_to", True)


def _head(size: int, **more: object) -> Slot:
    return slot("y", ("class", size), task="classification", class_axis="class", **more)


def test_class_counts(arrays: Path) -> None:
    np.savez(arrays / "a.npz", x=np.ones((11, 2, 3)), y=np.arange(11) % 4)
    assert run(ARRAYS, arrays, [X], [_head(4)]) == []
    assert one(ARRAYS, arrays, [X], [_head(3)]).code == "NN508"
    assert one(ARRAYS, arrays, [X], [_head(5)]).code == "NN508"
    assert run(ARRAYS, arrays, [X], [_head(5, classes=(0, 1, 2, 3, 4))]) == []
    assert one(ARRAYS, arrays, [X], [_head(3, classes=(0, 1, 2))]).code == "NN508"
    listed = ARRAYS.replace("array: y", "array: y, classes: [0, 1, 2, 3]")
    assert one(listed, arrays, [X], [_head(3)]).path == "data.outputs.y.classes"
    assert one(ARRAYS, arrays, [X], [slot("y", ("unit", 1), task="binary")]).code == "NN508"
    quantiles = ARRAYS.replace("array: y", "array: y, classes: {quantiles: 3}")
    assert one(quantiles, arrays, [X], [_head(4)]).code == "NN508"


def test_classes_of_a_regression(arrays: Path) -> None:
    text = ARRAYS.replace("array: y", "array: y, classes: {quantiles: 3}")
    assert one(text, arrays, [X], [Y]).code == "NN208"
    text = ARRAYS.replace("array: y", "array: y, scale: standard")
    assert one(text, arrays, [X], [_head(11)]).code == "NN208"


def test_labels_of_a_table(table: Path) -> None:
    (table / "b.csv").write_text("a,kind\n" + "".join(f"{i},{'xyz'[i % 3]}\n" for i in range(12)))
    text = """
source: {csv: b.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {w: {columns: [a]}}
outputs: {y: {columns: [kind]}}
"""
    assert run(text, table, [slot("w", ("feature", 1))], [_head(3)]) == []
    assert one(text, table, [slot("w", ("feature", 1))], [_head(2)]).code == "NN508"


# ------------------------------------------------------------------------------------------------------ fit


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


# ------------------------------------------------------------------------------------------------------ tables


def test_scan(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffa,"b, c",d\n1,"x\ny",\n\n2,NaN,3\n', encoding="utf-8")
    header = read_header(tmp_path / "a.csv")
    assert header == ["a", "b, c", "d"]
    found = scan(tmp_path / "a.csv", header, ["b, c", "d"], ["a"])
    assert found.rows == 2
    assert found.columns["a"].values == ["1", "2"]
    assert (found.columns["b, c"].missing, found.columns["b, c"].text) == ([2], "x\ny")
    assert found.columns["d"].missing == [1]
    (tmp_path / "a.csv").write_text("a,b\n1\n")
    with pytest.raises(TableError):
        scan(tmp_path / "a.csv", ["a", "b"], ["a"])


def test_the_weather_is_checked_in_no_time() -> None:
    text = """
source: {csv: data/jfk_weather_2013.csv}
order_by: time_hour
split: {train: 0.7, validation: 0.15, test: 0.15}
window: {lookback: 10, horizon: 6}
inputs: {window: {columns: [temp, dewp, pressure, hour_sin, hour_cos], scale: standard}}
outputs: {forecast: {columns: [temp], relative_to: last, scale: standard}}
"""
    given = {"window": slot("window", ("time", 10), ("feature", 5))}, {"forecast": slot("forecast", ("target", 1))}
    begin = time.perf_counter()
    found = probe(plan_of(text, DATA.parent), *given)
    assert time.perf_counter() - begin < 2  # a tenth of a second, on a machine that has nothing else to do
    assert [d.code for d in found] == ["NN504"]
    assert "`pressure`" in found[0].message
    assert "831 values" in found[0].message
    assert probe(plan_of(text + "missing: forward_fill", DATA.parent), *given) == []


def test_the_speech_files_and_their_table() -> None:
    columns = ", ".join(f"mfcc_{i}" for i in range(13))
    text = f"""
source: {{csv: data/speech/mfcc.csv}}
split: {{train: 0.6, validation: 0.2, test: 0.2, by: random, group: file}}
inputs: {{audio: {{wav: "data/speech/*.wav", frame: 400, stride: 100, rate: 8000}}}}
outputs: {{mfcc: {{columns: [{columns}], scale: standard}}}}
"""
    given = {"audio": slot("audio", ("time", 400))}, {"mfcc": slot("mfcc", ("mfcc", 13), task="regression")}
    plan = plan_of(text, DATA.parent)
    assert probe(plan, *given) == []
    data = load(plan, *given)
    names = [line.split(",")[0] for line in (DATA / "speech/mfcc.csv").read_text().split("\n")[1:] if line]
    files = {name: {names[row] for row in split.rows} for name, split in data.splits.items()}
    assert set.union(*files.values()) == set(names)
    assert sum(len(found) for found in files.values()) == len(set(names))
    assert sum(split.size for split in data.splits.values()) == len(names)
    # the first coefficient is the log of a frame's energy, so frames and targets that slipped would show
    train = data.splits["train"]
    energy = np.log((train.raw["audio"].astype(np.float64) ** 2).sum(axis=1) + 1e-9)
    assert np.corrcoef(energy, train.target["mfcc"][:, 0])[0, 1] > 0.95
