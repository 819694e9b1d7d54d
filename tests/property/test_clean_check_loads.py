"""What `nnspec check` calls clean loads, and a deployed model reads the same file alike; what is not clean is told.

Random CSV tables with all that people write into cells, and random WAV files, against one set of rules.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.data.sources.wanted import Wanted
from nnspec.diagnostics import SpecError
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs
from tests.unit.data.section.test_plan import plan_of, slot

ROWS = 6
TABLE = """
source: {csv: a.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")
METADATA = {"inputs": {"x": {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}}}
ODD = ["1_000", "1,000", "true", "False", "TRUE", "yes", "nan", "NaN", "inf", "-Infinity", "0x10", "+1", " 2", "3 "]
ODD += ["1e5", "1E-3", "", "NA", "null", "-", "1.", ".5", "١٢", "½", "1e400", "9" * 25, "-0", "007", "1.2.3", '"4"']
ODD += ["2020-01-01"]
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
CELLS = st.one_of(st.integers(-9, 9).map(str), FLOATS.map(repr), st.sampled_from(ODD))
LAYOUT = st.tuples(st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())


def written(columns: list[list[str]], layout: tuple[str, bool, bool, bool]) -> bytes:
    """The table in one of the ways in which programs write it: line ends, byte order mark, quotes, a blank line."""
    newline, has_mark, is_quoted, has_blank = layout

    def quote(cell: str) -> str:
        if is_quoted or any(mark in cell for mark in ',"\n'):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    lines = ["a,b,c", *(",".join(quote(cell) for cell in row) for row in zip(*columns, strict=True))]
    text = newline.join([*lines, *([""] if has_blank else [])]) + newline
    return (b"\xef\xbb\xbf" if has_mark else b"") + text.encode("utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clean")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(columns=st.lists(st.lists(CELLS, min_size=ROWS, max_size=ROWS), min_size=3, max_size=3), layout=LAYOUT)
def test_tables(columns: list[list[str]], layout: tuple[str, bool, bool, bool], folder: Path) -> None:
    check_table(columns, layout, folder)


@pytest.mark.parametrize("odd", ODD)
def test_one_odd_cell(odd: str, tmp_path: Path) -> None:
    """Each spelling by itself, so that none hides behind another."""
    plain = [str(i) for i in range(ROWS)]
    check_table([[odd, *plain[1:]], plain, plain], ("\n", False, False, False), tmp_path)
    check_table([[odd] * ROWS, plain, plain], ("\n", False, False, False), tmp_path)


def loaded(plan: DataPlan, inputs: dict[str, Slot], outputs: dict[str, Slot]) -> tuple[Dataset | None, set[str]]:
    """The data, or the codes of what keeps them from being loaded."""
    try:
        return load(plan, inputs, outputs), set()
    except SpecError as error:
        return None, {diagnostic.code for diagnostic in error.diagnostics}


def check_table(columns: list[list[str]], layout: tuple[str, bool, bool, bool], folder: Path) -> None:
    (folder / "a.csv").write_bytes(written(columns, layout))
    plan = plan_of(TABLE, folder)
    faults = probe(plan, {"x": X}, {"y": Y})
    data, told = loaded(plan, {"x": X}, {"y": Y})
    assert told <= {fault.code for fault in faults}, f"clean, but loading says {told}"
    if data is None:
        return
    assert not [fault for fault in faults if fault.is_error], "told as wrong, but it loads"
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    deployed = read_inputs(folder / "a.csv", METADATA)["x"]
    np.testing.assert_array_equal(np.asarray(deployed, np.float32), raw)


DIALECT_ODD = [
    "1,5",
    "1.234,5",
    "1,234.5",
    "1.234",
    "1,234",
    "1 234,5",
    ",5",
    "5,",
    "1,2,3",
    "1.2.3",
    "-1.000.000",
    "12.34",
]
DIALECT_CELLS = st.one_of(
    CELLS, st.sampled_from(DIALECT_ODD), FLOATS.map(lambda number: repr(number).replace(".", ","))
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    columns=st.lists(st.lists(DIALECT_CELLS, min_size=ROWS, max_size=ROWS), min_size=3, max_size=3),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", ".", ",", " "]),
    quote=st.sampled_from(['"', "'"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "latin-1"]),
    files=st.integers(1, 3),
)
def test_dialects(
    columns: list[list[str]],
    delimiter: str,
    decimal: str,
    thousands: str,
    quote: str,
    encoding: str,
    files: int,
    folder: Path,
) -> None:
    """Tables in every dialect, and several of them, each as a file of its own that a deployed model reads."""
    assume(decimal != thousands)
    keys = {"delimiter": delimiter, "decimal": decimal, "quote": quote, "encoding": encoding}
    keys |= {"thousands": thousands} if thousands else {}
    rows = [
        ["a", "b", "c"],
        *([cell.replace("١٢", "x").replace("½", "y") for cell in row] for row in zip(*columns, strict=True)),
    ]
    for old in folder.glob("part*.csv"):
        old.unlink()
    paths = [folder / f"part{k}.csv" for k in range(files)]
    for path in paths:
        with path.open("w", encoding=encoding, newline="") as stream:
            csv.writer(stream, delimiter=delimiter, quotechar=quote).writerows(rows)
    pattern = "part*.csv" if files > 1 else "part0.csv"
    plan = plan_of(TABLE.replace("{csv: a.csv}", json.dumps({"csv": pattern, **keys})), folder)
    check_files(plan, paths, keys)


def check_files(plan: DataPlan, paths: list[Path], options: dict[str, object]) -> None:
    """Files load where check has no error, and only there; a deployed model reads the same from them."""
    faults = probe(plan, {"x": X}, {"y": Y})
    data, told = loaded(plan, {"x": X}, {"y": Y})
    assert bool(told) == any(fault.is_error for fault in faults), f"check says {faults}, loading {told}"
    if data is None:
        return
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    metadata = {"inputs": {"x": {**METADATA["inputs"]["x"], "options": options}}}
    deployed = np.concatenate([read_inputs(path, metadata)["x"] for path in paths])
    np.testing.assert_array_equal(np.asarray(deployed, np.float32), raw)


VALUES = st.one_of(
    st.integers(-9, 9),
    st.integers(2**62, 2**65),
    FLOATS,
    st.sampled_from([None, True, False, "", "NA", "x", "1", [1, 2], {"z": 1}, float("nan"), float("inf")]),
)
ROW = st.fixed_dictionaries({}, optional={"a": VALUES, "b": VALUES, "c": VALUES, "n": st.just({"b": 1})})
PLAIN_ROW = st.fixed_dictionaries({"a": st.integers(-9, 9), "b": FLOATS, "c": FLOATS})


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    rows=st.lists(st.one_of(PLAIN_ROW, PLAIN_ROW, PLAIN_ROW, ROW), min_size=1, max_size=ROWS),
    is_list=st.booleans(),
    files=st.integers(1, 2),
)
def test_json(rows: list[dict[str, object]], is_list: bool, files: int, folder: Path) -> None:
    """Rows of any values, as lines or as a list, and several files of them."""
    rows = [*rows, {"a": 1, "b": 2, "c": 3}, {"a": 4, "b": 5.5, "c": 6}]
    text = json.dumps(rows, indent=1) if is_list else "\n".join(map(json.dumps, rows)) + "\n"
    for old in folder.glob("rows*.jsonl"):
        old.unlink()
    paths = [folder / f"rows{k}.jsonl" for k in range(files)]
    for path in paths:
        path.write_text(text, encoding="utf-8")
    plan = plan_of(TABLE.replace("{csv: a.csv}", f"{{json: {'rows*.jsonl' if files > 1 else 'rows0.jsonl'}}}"), folder)
    check_files(plan, paths, {})


SOUND = """
source: {npz: y.npz}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {wav: a.wav, frame: 4}}
outputs: {y: {array: y}}
"""
SPOKEN = slot("x", ("sample", 4))


def wav(samples: bytes, encoding: int, bits: int, channels: int, cut: int) -> bytes:
    """A RIFF file; `encoding` is 1 for integers and 3 for floats, `cut` leaves bytes of the end out."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", encoding, channels, 8000, 8000 * block, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    whole = b"RIFF" + struct.pack("<I", len(body)) + body
    return whole[: len(whole) - cut]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    form=st.sampled_from([(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (2, 16), (1, 12)]),
    channels=st.sampled_from([1, 1, 1, 2]),
    frames=st.integers(0, 9),
    seed=st.integers(0, 99),
    cut=st.sampled_from([0, 0, 0, 3]),
)
def test_sound(form: tuple[int, int], channels: int, frames: int, seed: int, cut: int, folder: Path) -> None:
    encoding, bits = form
    count = frames * 4 * channels
    rng = np.random.default_rng(seed)
    samples = rng.bytes(count * max(1, bits // 8))
    if encoding == 3:
        samples = rng.uniform(-1, 1, count).astype(f"<f{bits // 8}").tobytes()
    (folder / "a.wav").write_bytes(wav(samples, encoding, bits, channels, cut))
    np.savez(folder / "y.npz", y=np.arange(float(max(frames, 1))))
    plan = plan_of(SOUND, folder)
    faults = probe(plan, {"x": SPOKEN}, {"y": Y})
    metadata = {"inputs": {"x": {"axes": [["batch", None], ["sample", 4]], "dtype": "float32", "stride": 4}}}
    data, told = loaded(plan, {"x": SPOKEN}, {"y": Y})
    assert bool(told) == bool(faults), f"check says {faults}, loading {told}"
    if data is None:
        return
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    try:
        deployed = read_inputs(folder / "a.wav", metadata)["x"]
    except InputError as error:
        pytest.fail(f"it trains, but a deployed model says: {error}")
    np.testing.assert_array_equal(np.asarray(deployed, np.float32)[: len(raw)], raw)


CLIPS = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {OPTIONS}}
outputs: {y: {folder_of: x}}
"""
CLIP = st.tuples(
    st.sampled_from([".wav", ".flac", ".ogg"]),
    st.integers(1, 900),
    st.sampled_from([8000, 8000, 8000, 11025]),
    st.sampled_from([1, 1, 1, 2]),
    st.sampled_from([0, 0, 0, 0, 0, 1, 30]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    clips=st.lists(CLIP, min_size=4, max_size=4),
    options=st.sampled_from(["", ", rate: 8000", ", rate: 16000", ", fit: crop", ", rate: 8000, fit: crop"]),
    size=st.sampled_from([None, 500, 1000]),
)
def test_clips(clips: list[tuple[str, int, int, int, int]], options: str, size: int | None, folder: Path) -> None:
    """Of any kind, length, rate and number of channels, some of them cut short."""
    rng = np.random.default_rng(0)
    shutil.rmtree(folder / "clips", ignore_errors=True)
    for number, (suffix, samples, rate, channels, cut) in enumerate(clips):
        file = folder / "clips" / "ab"[number % 2] / f"{number}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, rng.uniform(-0.5, 0.5, (samples, channels)), rate)
        content = file.read_bytes()
        file.write_bytes(content[: len(content) - cut])
    plan = plan_of(CLIPS.replace("OPTIONS", f"audio: clips{options}"), folder)
    clip, label = slot("x", ("sample", size)), slot("y", ("class", 2), task="classification", class_axis="class")
    faults = [fault for fault in probe(plan, {"x": clip}, {"y": label}) if fault.is_error]
    data, told = loaded(plan, {"x": clip}, {"y": label})
    assert bool(told) == bool(faults), f"check says {faults}, loading {told}"
    if data is None:
        return
    source = replace(plan.inputs["x"].source, wanted=Wanted(axes=clip.axes))
    body = {"axes": [["batch", None], ["sample", size]], "dtype": "float32", **source.source.describe_reading(source)}
    order = np.concatenate([data.splits[name].rows for name in ("train", "test")])
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    deployed = read_inputs(folder / "clips", {"inputs": {"x": body}})["x"]
    np.testing.assert_array_equal(deployed[order], raw)


GAPS = """
source: {csv: a.csv}
missing: MISSING
SPLIT
inputs: {w: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
SPLITS = [
    "split: {train: 0.5, test: 0.5, by: order}",
    "order_by: t\nsplit: {train: 0.5, test: 0.5}",
    "order_by: t\nseries: {by: s}\nsplit: {train: 0.5, test: 0.5}",
    "series: {by: s}\nsplit: {train: 0.6, test: 0.4, by: order}",
    "order_by: t\nseries: {by: s}\nsplit: {by: {column: p}, train: one, test: two}",
    "order_by: t\nsplit: {by: {column: p}, train: one, test: two}",
    "split: {train: 0.5, test: 0.5, by: random}",
]


@st.composite
def gappy_tables(draw: st.DrawFn) -> tuple[str, str]:
    """A plan and its table: rows in any order, of two series, with many gaps in what it reads."""
    split = draw(st.sampled_from(SPLITS))
    has_window = "random" not in split and draw(st.booleans())
    text = GAPS.replace("MISSING", draw(st.sampled_from(["drop", "forward_fill"]))).replace("SPLIT", split)
    if has_window:
        stride = draw(st.integers(1, 2))
        text += f"window: {{lookback: 2, horizon: {draw(st.integers(0, 2))}, stride: {stride}}}\n"
    rows = draw(st.integers(4, 14))
    times = draw(st.permutations(range(rows)))
    share = draw(st.sampled_from([2, 3, 6]))  # one cell in so many is missing
    lines = ["t,s,p,a,b,c"]
    for i in range(rows):
        cells = [
            str(10 * i + k) if draw(st.integers(1, share)) > 1 else draw(st.sampled_from(["", "NA"])) for k in (1, 2, 3)
        ]
        series, part = draw(st.sampled_from(["u", "v"])), draw(st.sampled_from(["one", "two"]))
        lines.append(",".join([str(times[i]), series, part, *cells]))
    return text, "\n".join(lines) + "\n"


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(table=gappy_tables())
def test_gaps(table: tuple[str, str], folder: Path) -> None:
    text, content = table
    (folder / "a.csv").write_text(content, encoding="utf-8")
    plan = plan_of(text, folder)
    inputs = {"w": slot("w", ("time", 2), ("feature", 2)) if plan.window else slot("w", ("feature", 2))}
    faults = probe(plan, inputs, {"y": Y})
    errors = {fault.code for fault in faults if fault.is_error}
    data, told = loaded(plan, inputs, {"y": Y})
    assert bool(told) == bool(errors), f"check says {errors}, loading {told}"
    if data is None:
        return
    measured = {float(line.split(",")[5]) for line in content.splitlines()[1:] if line.split(",")[5] not in ("", "NA")}
    for split in data.splits.values():
        assert set(split.target["y"].ravel().tolist()) <= measured, "a target that nobody measured"
        assert not np.isnan(split.raw["w"]).any()


PHOTOS = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {images: photos, fit: FIT}}
outputs: {y: {folder_of: x}}
"""
SEEN = slot("x", ("height", 3), ("width", 5), ("channel", 3))
LABEL = slot("y", ("class", 2), task="classification", class_axis="class")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    forms=st.lists(
        st.tuples(
            st.sampled_from(["L", "LA", "P", "RGB", "RGBA", "CMYK", "1", "I;16"]),
            st.sampled_from(["png", "jpeg", "webp", "gif"]),
            st.integers(1, 9),
            st.sampled_from([0, 0, 0, 0, 1, 9, 40]),
        ),
        min_size=4,
        max_size=4,
    ),
    fit=st.sampled_from(["stretch", "crop", "pad"]),
)
def test_pictures(forms: list[tuple[str, str, int, int]], fit: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of any mode and kind, some truncated; `kind` decides the content, the suffix is always that of a PNG."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(len(forms[0][0]))
    for number, (mode, kind, width, cut) in enumerate(forms):
        values = rng.integers(0, 256, (7, width, 3), np.uint8)
        drawn = Image.fromarray(values)
        drawn = Image.fromarray(values[..., 0].astype(np.uint16) * 257) if mode == "I;16" else drawn.convert(mode)
        stream = io.BytesIO()
        try:
            drawn.save(stream, kind)
        except (OSError, ValueError):  # the kind has no such mode
            drawn.convert("L").save(stream, "png")
        path = root / "photos" / "ab"[number // 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stream.getvalue()[: len(stream.getvalue()) - cut])
    plan = plan_of(PHOTOS.replace("FIT", fit), root)
    faults = {fault.code for fault in probe(plan, {"x": SEEN}, {"y": LABEL})}
    data, told = loaded(plan, {"x": SEEN}, {"y": LABEL})
    assert told == faults, f"check says {faults}, loading {told}"
    source = plan.inputs["x"].source
    form = source.source.describe_reading(replace(source, wanted=Wanted(axes=SEEN.axes)))
    body = {"axes": [["batch", None], *map(list, SEEN.axes)], "dtype": "float32", **form}
    if data is None:
        with pytest.raises(InputError):
            read_inputs(root / "photos", {"inputs": {"x": body}})
        return
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    np.testing.assert_array_equal(read_inputs(root / "photos", {"inputs": {"x": body}})["x"], raw)
