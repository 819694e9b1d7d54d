"""Data files that are missing or damaged. Each fault has its code and points at the words that are wrong."""

from __future__ import annotations

import io
import os
import pickle
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.sources import array_header
from nnspec.data.sources.array_header import ArrayHeader
from nnspec.data.sources.base import SourceError
from nnspec.data.sources.csv_scan import FileError, scan_columns
from nnspec.diagnostics import SpecError
from nnspec.runtime.rules.csv import read_header
from nnspec.runtime.rules.wav import WavError, read_wav_header
from tests.support.data_files import write_wav
from tests.support.paths import DATA
from tests.unit.data.checks.plans import ARRAYS, TABLE, W, X, Y, one, quoted, run
from tests.unit.data.section.test_plan import plan_of, slot


def test_missing_file(table: Path) -> None:
    found = one(TABLE.replace("a.csv", "aa.csv"), table, [W], [Y])
    assert (found.code, quoted(found), found.path) == ("NN501", "aa.csv", "data.source.csv")
    assert "a.csv" in found.fixes[0].message


def test_a_link_to_nothing_and_what_is_no_file(table: Path) -> None:
    (table / "b.csv").symlink_to("gone.csv")
    found = one(TABLE.replace("a.csv", "b.csv"), table, [W], [Y])
    assert (found.message, found.fixes) == ("`b.csv` is a symbolic link to `gone.csv`, which does not exist", ())
    os.mkfifo(table / "c.csv")
    found = one(TABLE.replace("a.csv", "c.csv"), table, [W], [Y])
    assert (found.message, found.fixes) == ("`c.csv` is neither a file nor a folder", ())


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
        (b"t,a,b,a\n1,2,3,4\n", "`a` occurs twice"),
        (b"t,a,b,c\n1,2,3,4\n1,2,3\n", "row 2 has 3 cells"),
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
        (b"", "not a NumPy array file"),
        (GOOD[:9], "within its header"),
        (GOOD[:40], "within its header"),
        (GOOD[:-8], "needs"),
        (GOOD.replace(b"(11, 2, 3)", b"(11, 2, 9)"), "needs"),
        (GOOD.replace(b"(11, 2, 3)", b"(-1, 2, 3)"), "not describe a plain array"),
        (GOOD.replace(b"'shape'", b"'shope'"), "cannot be read"),
        (GOOD.replace(b"'<f8'", b"[1+1]"), "cannot be read"),
        (b"\x93NUMPY\x07" + GOOD[7:], "version 7"),
        (_npy(np.array([{}, []], dtype=object)), "pickled"),
        (pickle.dumps([1, 2]), "not a NumPy array file"),
        (_npy(np.zeros(3, dtype=[("a", "<f4")])), "not describe a plain array"),
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
    with pytest.raises(SourceError):
        array_header.read_npy(tmp_path / "x.npy")


def test_headers_agree_with_numpy(tmp_path: Path) -> None:
    for array in (
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(3, 2)),
        np.array(["ab", "c"]),
        np.array(5.0),
        np.array([True, False]),
    ):
        np.save(tmp_path / "a.npy", array)
        found = array_header.read_npy(tmp_path / "a.npy")
        assert (found.shape, found.descr, found.itemsize) == (array.shape, array.dtype.str, array.dtype.itemsize)
        assert found.fortran == (array.flags.f_contiguous and not array.flags.c_contiguous)


@pytest.mark.parametrize("dtype", ["<i8", ">i4", "|u1", "<f4", ">f8", "|b1", "<U3", "|S2", "<f2"])
def test_vectors_agree_with_numpy(dtype: str, tmp_path: Path) -> None:
    array = np.array([0, 1, 1, 0, 1]).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", v=array)
    expected = array.astype(str).tolist() if array.dtype.kind == "S" else array.tolist()
    header = array_header.read_npy(tmp_path / "a.npy")
    assert array_header.read_vector(tmp_path / "a.npy", None, header) == expected
    inside = array_header.read_npz(tmp_path / "a.npz")["v"]
    assert isinstance(inside, ArrayHeader)
    assert array_header.read_vector(tmp_path / "a.npz", "v", inside) == expected


def test_sound_headers(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.arange(8), rate=11025)
    header = read_wav_header(tmp_path / "a.wav")
    assert (header.rate, header.channels, header.samples) == (11025, 1, 8)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:-4])
    with pytest.raises(WavError, match=r"fewer samples|cut"):
        read_wav_header(tmp_path / "a.wav")


def test_scan(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffa,"b, c",d\n1,"x\ny",\n\n2,NaN,3\n', encoding="utf-8")
    header = tuple(read_header(tmp_path / "a.csv"))
    assert header == ("a", "b, c", "d")
    found = scan_columns((tmp_path / "a.csv",), ((1,),), header, ("b, c", "d"), ("a",))
    assert found["a"].rows == 2
    assert list(found["a"].values or ()) == ["1", "2"]
    assert (list(found["b, c"].missing or ()), found["b, c"].text) == ([2], "x\ny")
    assert list(found["d"].missing or ()) == [1]
    (tmp_path / "a.csv").write_text("a,b\n1\n")
    with pytest.raises(FileError):
        scan_columns((tmp_path / "a.csv",), ((2,),), ("a", "b"), ("a",), ())


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
